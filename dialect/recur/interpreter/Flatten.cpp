// From MLIR to the interpreter's flat program. Assumes a verified recurrence.

#include "dialect/recur/interpreter/Program.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace sluice::recur::interpreter {

static const llvm::StringMap<Code> &codes() {
  static const llvm::StringMap<Code> table = {{"recur.neg", Code::neg},
                                              {"recur.abs", Code::abs},
                                              {"recur.exp", Code::exp},
                                              {"recur.expm1", Code::expm1},
                                              {"recur.log", Code::log},
                                              {"recur.log1p", Code::log1p},
                                              {"recur.sqrt", Code::sqrt},
                                              {"recur.rsqrt", Code::rsqrt},
                                              {"recur.tanh", Code::tanh},
                                              {"recur.sigmoid", Code::sigmoid},
                                              {"recur.silu", Code::silu},
                                              {"recur.log_sigmoid", Code::logSigmoid},
                                              {"recur.softplus", Code::softplus},
                                              {"recur.clamp_gate", Code::clampGate},
                                              {"recur.add", Code::add},
                                              {"recur.sub", Code::sub},
                                              {"recur.mul", Code::mul},
                                              {"recur.div", Code::div},
                                              {"recur.max", Code::max},
                                              {"recur.min", Code::min},
                                              {"recur.step", Code::step},
                                              {"recur.clamp_gate_adjoint", Code::clampGateAdjoint},
                                              {"recur.decay", Code::decay},
                                              {"recur.decay_values", Code::decay},
                                              {"recur.decay_entries", Code::decay},
                                              {"recur.read", Code::read},
                                              {"recur.write", Code::write},
                                              {"recur.scale", Code::scale},
                                              {"recur.broadcast", Code::broadcast},
                                              {"recur.dot", Code::dot},
                                              {"recur.sum", Code::sum},
                                              {"recur.normalize", Code::normalize},
                                              {"recur.outer", Code::outer},
                                              {"arith.addf", Code::add},
                                              {"arith.subf", Code::sub},
                                              {"arith.mulf", Code::mul},
                                              {"arith.divf", Code::div},
                                              {"arith.negf", Code::neg},
                                              {"arith.maximumf", Code::max},
                                              {"arith.minimumf", Code::min},
                                              {"math.absf", Code::abs},
                                              {"math.exp", Code::exp},
                                              {"math.exp2", Code::exp2},
                                              {"math.expm1", Code::expm1},
                                              {"math.fma", Code::fma},
                                              {"math.log", Code::log},
                                              {"math.log1p", Code::log1p},
                                              {"math.log2", Code::log2},
                                              {"math.sqrt", Code::sqrt},
                                              {"math.rsqrt", Code::rsqrt},
                                              {"math.tanh", Code::tanh}};
  return table;
}

namespace {
class Flattener {
public:
  Flattener(RecurrenceOp recurrence, int64_t keyDim, int64_t valueDim)
      : recurrence(recurrence), keyDim(keyDim), valueDim(valueDim) {}

  Program take() {
    for (BlockArgument argument : recurrence.getProgramArguments())
      program.arguments.push_back(place(argument));
    program.state = place(recurrence.getStateArgument());
    for (Operation &op : recurrence.getBody().front().without_terminator())
      add(op);
    YieldOp yield = recurrence.getYield();
    for (Value value : yield.getValues())
      program.results.push_back(slots.at(value));
    program.nextState = slots.at(yield.getState());
    return std::move(program);
  }

private:
  Slot place(Value value) {
    Type type = value.getType();
    Slot slot;
    slot.offset = program.frameSize;
    slot.rows = isa<KeyType, MatrixType, StateType>(type) ? keyDim : 1;
    slot.columns = isa<ValueType, MatrixType, StateType>(type) ? valueDim : 1;
    program.frameSize += slot.size();
    slots[value] = slot;
    return slot;
  }

  void add(Operation &op) {
    FloatAttr number;
    Slot result = place(op.getResult(0));
    if (matchPattern(&op, m_Constant(&number))) {
      program.constants.push_back({result, number.getValueAsDouble()});
      return;
    }
    auto operand = [&](unsigned index) {
      return index < op.getNumOperands() ? slots.at(op.getOperand(index)) : Slot();
    };
    auto code = codes().find(op.getName().getStringRef());
    assert(code != codes().end() && "the verifier admits only ops of the table");
    Step step{code->second, result, operand(0), operand(1), operand(2)};
    if (auto normalize = dyn_cast<NormalizeOp>(op))
      step.number = normalize.getEpsilonAttr().getValueAsDouble();
    program.steps.push_back(step);
  }

  RecurrenceOp recurrence;
  int64_t keyDim, valueDim;
  Program program;
  llvm::DenseMap<Value, Slot> slots;
};
} // namespace

Program flatten(RecurrenceOp recurrence, int64_t keyDim, int64_t valueDim) {
  return Flattener(recurrence, keyDim, valueDim).take();
}

} // namespace sluice::recur::interpreter
