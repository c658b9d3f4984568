// Runs flat token programs over sequences and heads. Gradients keep the state before every 32nd token and
// compute the others again, so that memory does not grow by a state for each token.

#include "dialect/recur/interpreter/Interpreter.h"

#include "dialect/recur/interpreter/Program.h"
#include "dialect/recur/interpreter/Tensors.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

namespace sluice::recur {

using namespace interpreter;

namespace {

constexpr int64_t segment = 32;

/// The tensors of a run, all in float64.
struct Run {
  Program program;
  Sizes sizes;
  std::vector<Elements> arguments, results, gradients;
  std::vector<std::optional<Elements>> cotangents;
  Tensor state, stateCotangent; ///< Start as the initial and the final one, end as the final and the initial.
  bool backward = false;

  int64_t stateSize() const { return sizes.keyDim * sizes.valueDim; }
};

/// One value head's work; each thread has its own.
class HeadRunner {
public:
  explicit HeadRunner(Run &run)
      : run(run), program(run.program), frame(program.frameSize), cotangents(program.frameSize),
        states(run.backward ? segment * run.stateSize() : 0) {
    for (const Constant &constant : program.constants)
      std::fill_n(frame.begin() + constant.slot.offset, constant.slot.size(), constant.number);
  }

  void runSequence(int64_t sequence, int64_t head) {
    this->head = head;
    int64_t begin = run.sizes.starts[sequence], end = run.sizes.starts[sequence + 1];
    int64_t offset = (sequence * run.sizes.valueHeads + head) * run.stateSize();
    double *state = run.state.data<double>() + offset;
    std::vector<double> kept;
    for (int64_t token = begin; token < end; ++token) {
      if (run.backward && (token - begin) % segment == 0)
        kept.insert(kept.end(), state, state + run.stateSize());
      runToken(token, state);
      store(token);
    }
    if (run.backward)
      runBackward(begin, end, kept, run.stateCotangent.data<double>() + offset);
  }

private:
  /// Values of one token; the state is replaced by the next one.
  void runToken(int64_t token, double *state) {
    for (auto [argument, slot] : llvm::zip(run.arguments, program.arguments))
      std::copy_n(argument.at(token, head), slot.size(), frame.begin() + slot.offset);
    std::copy_n(state, run.stateSize(), frame.begin() + program.state.offset);
    interpreter::run(program, frame.data());
    std::copy_n(frame.begin() + program.nextState.offset, run.stateSize(), state);
  }

  void store(int64_t token) {
    for (auto [result, slot] : llvm::zip(run.results, program.results))
      std::copy_n(frame.begin() + slot.offset, slot.size(), result.at(token, head));
  }

  void runBackward(int64_t begin, int64_t end, const std::vector<double> &kept, double *stateCotangent) {
    int64_t size = run.stateSize();
    std::vector<double> state(size);
    for (int64_t index = (end - begin + segment - 1) / segment - 1; index >= 0; --index) {
      int64_t first = begin + index * segment, last = std::min(end, first + segment);
      std::copy_n(kept.begin() + index * size, size, state.begin());
      for (int64_t token = first; token < last; ++token) {
        std::copy_n(state.begin(), size, states.begin() + (token - first) * size);
        runToken(token, state.data());
      }
      for (int64_t token = last - 1; token >= first; --token)
        runTokenBackward(token, states.data() + (token - first) * size, stateCotangent);
    }
  }

  /// Adds the token's gradients; the state's cotangent is replaced by that before the token.
  void runTokenBackward(int64_t token, double *stateBefore, double *stateCotangent) {
    runToken(token, stateBefore);
    std::fill(cotangents.begin(), cotangents.end(), 0.0);
    for (auto [cotangent, slot] : llvm::zip(run.cotangents, program.results))
      if (cotangent)
        add(cotangent->at(token, head), slot.size(), cotangents.data() + slot.offset);
    add(stateCotangent, run.stateSize(), cotangents.data() + program.nextState.offset);
    runAdjoint(program, frame.data(), cotangents.data());
    for (auto [gradient, slot] : llvm::zip(run.gradients, program.arguments))
      add(cotangents.data() + slot.offset, slot.size(), gradient.at(token, head));
    std::copy_n(cotangents.begin() + program.state.offset, run.stateSize(), stateCotangent);
  }

  static void add(const double *from, int64_t size, double *to) {
    for (int64_t i = 0; i < size; ++i)
      to[i] += from[i];
  }

  Run &run;
  const Program &program;
  int64_t head = 0;
  std::vector<double> frame, cotangents, states;
};

/// Heads of one group share keys, so one thread adds up their gradients.
void runGroups(Run &run) {
  std::atomic<int64_t> next = 0;
  int64_t headsPerGroup = run.sizes.groups ? run.sizes.valueHeads / run.sizes.groups : 0;
  auto work = [&] {
    HeadRunner runner(run);
    for (int64_t group = next++; group < run.sizes.groups; group = next++)
      for (int64_t head = group * headsPerGroup; head < (group + 1) * headsPerGroup; ++head)
        for (int64_t sequence = 0; sequence < run.sizes.sequences(); ++sequence)
          runner.runSequence(sequence, head);
  };
  int64_t threads = std::min<int64_t>(run.sizes.groups, std::thread::hardware_concurrency());
  std::vector<std::thread> others;
  for (int64_t thread = 1; thread < threads; ++thread)
    others.emplace_back(work);
  work();
  for (std::thread &other : others)
    other.join();
}

void takeTensors(Run &run, const Signature &signature, const TensorMap &inputs) {
  for (const Element &element : signature.arguments)
    run.arguments.push_back(take(element, element.name, run.sizes, inputs));
  for (const Element &element : signature.results)
    run.results.push_back(zeros(element, run.sizes));
  run.state = takeState("initial_state", run.sizes, inputs);
  if (!run.backward)
    return;
  run.stateCotangent = takeState("dfinal_state", run.sizes, inputs);
  for (auto [element, argument] : llvm::zip(signature.arguments, run.arguments))
    run.gradients.push_back(zeros(element, run.sizes, &argument));
  for (const Element &element : signature.results) {
    std::string name = "d" + element.name;
    run.cotangents.emplace_back();
    if (inputs.count(name))
      run.cotangents.back() = take(element, name, run.sizes, inputs);
  }
}

} // namespace

TensorMap interpret(RecurrenceOp recurrence, const TensorMap &inputs, bool gradients) {
  Signature signature = signatureOf(recurrence);
  rejectUnknown(signature, inputs);
  Run run;
  run.backward = gradients;
  run.sizes = sizesOf(signature, inputs);
  run.program = flatten(recurrence, run.sizes.keyDim, run.sizes.valueDim);
  takeTensors(run, signature, inputs);
  runGroups(run);

  TensorMap outputs;
  for (auto [element, result] : llvm::zip(signature.results, run.results))
    outputs[element.name] = result.tensor;
  outputs["final_state"] = run.state;
  if (!gradients)
    return outputs;
  for (auto [element, gradient] : llvm::zip(signature.arguments, run.gradients))
    outputs["d" + element.name] = gradient.tensor;
  if (inputs.count("initial_state"))
    outputs["dinitial_state"] = run.stateCotangent;
  return outputs;
}

} // namespace sluice::recur
