// Differentiates a forward scan op by op (derivation, section 4). The adjoint runs the steps last to first:
// it computes the forward's values again from the saved state, then walks the ops backward, each of which
// builds its own adjoint.

#include "passes/recur/Passes.h"
#include "passes/recur/SimplifyScan.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace sluice::recur;

namespace sluice::recur {
#define GEN_PASS_DEF_DIFFERENTIATESCAN
#include "passes/recur/Passes.h.inc"
} // namespace sluice::recur

namespace {

constexpr StringRef forwardSuffix = "_forward", backwardSuffix = "_backward";

/// Cotangents of values; those of several uses are summed.
class CotangentMap {
public:
  explicit CotangentMap(OpBuilder &builder) : builder(builder) {}

  Value get(Value value) const { return cotangents.lookup(value); }
  void add(Value value, Value cotangent) {
    if (!cotangent)
      return;
    Value &sum = cotangents[value];
    sum = sum ? AddOp::create(builder, cotangent.getLoc(), sum, cotangent) : cotangent;
  }

private:
  OpBuilder &builder;
  DenseMap<Value, Value> cotangents;
};

/// Builds the adjoint of one scan.
class ScanDifferentiator {
public:
  ScanDifferentiator(ScanOp forward, const ScanOptions &options)
      : forward(forward), options(options), builder(forward.getContext()) {}

  FailureOr<ScanOp> run() {
    for (Operation &op : forward.getBody().front().without_terminator())
      if (!isa<DifferentiableOpInterface, ConstantOp>(op))
        return op.emitError("expected an op that knows its adjoint, got ") << op.getName();
    saveOutputs();
    createScan();
    buildBody();
    if (adjoint.getCheckpoint() > 1)
      buildRecompute();
    applyInversesAsProducts();
    if (failed(simplifyScan(adjoint)))
      return failure();
    return adjoint;
  }

private:
  PortAttr getPort(StringRef name, Role role, Kind kind, Extent extent) {
    return PortAttr::get(builder.getContext(), name, role, kind, extent);
  }

  //===--- The forward's part ---------------------------------------------===//

  Value getForwardState() { return forward.getBody().front().getArguments().back(); }

  void saveOutputs() {
    save(getPort("state", Role::Saved, Kind::State, Extent::PerStep), getForwardState());
    if (!options.storeInverse)
      return;
    for (auto inverse : forward.getBody().front().getOps<UnitLowerInverseOp>()) {
      std::string name = "inverse" + (saved.size() > 1 ? std::to_string(saved.size() - 1) : "");
      save(getPort(name, Role::Saved, Kind::Matrix, Extent::PerStep), inverse.getT());
    }
  }

  void save(PortAttr port, Value value) {
    saved.push_back({port, value});
    SmallVector<Attribute> outputs(forward.getOutputs().getValue());
    outputs.push_back(port);
    forward.setOutputsAttr(builder.getArrayAttr(outputs));
    forward.getYield().getOutputsMutable().append(value);
  }

  //===--- Ports ----------------------------------------------------------===//

  void createScan() {
    SmallVector<Attribute> inputs(forward.getInputs().getValue()), outputs;
    SmallVector<Attribute> carried = {getPort("state", Role::StateCotangent, Kind::State, Extent::PerStep)};
    for (auto &[port, value] : saved)
      inputs.push_back(port);
    for (PortAttr port : forward.getOutputs().getAsRange<PortAttr>())
      if (port.getRole() == Role::Result)
        inputs.push_back(getPort(port.getName(), Role::Cotangent, port.getKind(), port.getExtent()));
    for (PortAttr port : forward.getInputs().getAsRange<PortAttr>()) {
      if (port.getRole() != Role::Argument)
        continue;
      bool perHead = port.getExtent() == Extent::PerHead;
      Role role = perHead ? Role::Accumulator : Role::Gradient;
      (perHead ? carried : outputs)
          .push_back(getPort(port.getName(), role, port.getKind(), port.getExtent()));
    }
    StringRef stem = forward.getSymName();
    stem.consume_back(forwardSuffix);
    builder.setInsertionPointAfter(forward);
    adjoint =
        ScanOp::create(builder, forward.getLoc(), (stem + backwardSuffix).str(), forward.getStep(),
                       forward.getKeyDim(), forward.getValueDim(), builder.getArrayAttr(inputs),
                       builder.getArrayAttr(outputs), builder.getArrayAttr(carried), forward.getCheckpoint(),
                       /*reverse=*/true);
  }

  Type getInputType(unsigned index) {
    PortAttr port = adjoint.getInput(index);
    unsigned firstSaved = forward.getInputs().size();
    return port.getRole() == Role::Saved ? saved[index - firstSaved].second.getType()
                                         : adjoint.getPortType(port);
  }

  Block *addBlock(Region &region) {
    Block *block = builder.createBlock(&region);
    for (unsigned i = 0; i < adjoint.getInputs().size(); ++i)
      block->addArgument(getInputType(i), adjoint.getLoc());
    return block;
  }

  //===--- Bodies ---------------------------------------------------------===//

  /// Clones the forward's ops on the block's inputs, with saved values in place of what computes them.
  IRMapping cloneForward(Block *block) {
    IRMapping mapping;
    unsigned count = forward.getInputs().size();
    for (unsigned i = 0; i < count; ++i)
      mapping.map(forward.getBody().getArgument(i), block->getArgument(i));
    for (auto [index, entry] : llvm::enumerate(saved))
      mapping.map(entry.second, block->getArgument(count + index));
    for (Operation &op : forward.getBody().front().without_terminator())
      if (op.getNumResults() == 0 || !mapping.contains(op.getResult(0)))
        builder.clone(op, mapping);
    return mapping;
  }

  void buildBody() {
    Block *block = addBlock(adjoint.getBody());
    for (PortAttr port : adjoint.getCarried().getAsRange<PortAttr>())
      block->addArgument(adjoint.getPortType(port), adjoint.getLoc());
    IRMapping mapping = cloneForward(block);
    CotangentMap cotangents(builder);
    seed(block, mapping, cotangents);
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
      propagate(&op, cotangents);
    yieldGradients(block, mapping, cotangents);
  }

  /// The cotangents that come from outside: those of the results and of the state after the step.
  void seed(Block *block, IRMapping &mapping, CotangentMap &cotangents) {
    unsigned next = forward.getInputs().size() + saved.size();
    ScanYieldOp yield = forward.getYield();
    for (auto [index, value] : llvm::enumerate(yield.getOutputs()))
      if (forward.getOutput(index).getRole() == Role::Result)
        cotangents.add(mapping.lookup(value), block->getArgument(next++));
    cotangents.add(mapping.lookup(yield.getCarried().front()), block->getArgument(next));
  }

  void propagate(Operation *op, CotangentMap &cotangents) {
    auto differentiable = dyn_cast<DifferentiableOpInterface>(op);
    SmallVector<Value> results;
    for (Value result : op->getResults())
      results.push_back(cotangents.get(result));
    if (!differentiable || llvm::none_of(results, [](Value value) { return bool(value); }))
      return;
    SmallVector<Value> operands = differentiable.buildAdjoint(builder, results);
    assert(operands.size() == op->getNumOperands() && "expected a cotangent per operand");
    for (auto [operand, cotangent] : llvm::zip(op->getOperands(), operands))
      cotangents.add(operand, cotangent);
  }

  void yieldGradients(Block *block, IRMapping &mapping, CotangentMap &cotangents) {
    auto orZero = [&](Value value) {
      Value cotangent = cotangents.get(value);
      return cotangent ? cotangent : ConstantOp::create(builder, adjoint.getLoc(), value.getType(), 0.0f);
    };
    unsigned firstCarried = adjoint.getInputs().size();
    SmallVector<Value> outputs, carried = {orZero(mapping.lookup(getForwardState()))};
    for (auto [index, port] : llvm::enumerate(forward.getInputs().getAsRange<PortAttr>())) {
      Value argument = block->getArgument(index);
      if (port.getRole() != Role::Argument)
        continue;
      if (port.getExtent() == Extent::PerToken) {
        outputs.push_back(orZero(argument));
        continue;
      }
      Value sum = block->getArgument(firstCarried + carried.size());
      Value cotangent = cotangents.get(argument);
      carried.push_back(cotangent ? AddOp::create(builder, adjoint.getLoc(), sum, cotangent) : sum);
    }
    ScanYieldOp::create(builder, adjoint.getLoc(), outputs, carried);
  }

  /// From a saved state to the state one step later.
  void buildRecompute() {
    IRMapping mapping = cloneForward(addBlock(adjoint.getRecompute()));
    Value next = mapping.lookup(forward.getYield().getCarried().front());
    ScanYieldOp::create(builder, adjoint.getLoc(), ValueRange(), next);
  }

  /// The adjoints are built: that t is an inverse, and of what, is not needed any more.
  void applyInversesAsProducts() {
    IRRewriter rewriter(builder.getContext());
    adjoint.walk([&](ApplyInverseOp op) {
      rewriter.setInsertionPoint(op);
      rewriter.replaceOpWithNewOp<ProductOp>(op, op.getT(), op.getB(), false, false, Triangle::LowerLhs);
    });
  }

  ScanOp forward, adjoint;
  const ScanOptions &options;
  OpBuilder builder;
  /// Saved ports and the forward's values that they hold.
  SmallVector<std::pair<PortAttr, Value>> saved;
};

struct DifferentiateScanPass : sluice::recur::impl::DifferentiateScanBase<DifferentiateScanPass> {
  using DifferentiateScanBase::DifferentiateScanBase;
  void runOnOperation() override {
    ScanOptions options{.storeInverse = storeInverse};
    for (auto scan : llvm::make_early_inc_range(getOperation().getOps<ScanOp>())) {
      if (!scan.getSymName().ends_with(forwardSuffix))
        continue;
      FailureOr<ScanOp> adjoint = differentiate(scan, options);
      if (failed(adjoint))
        return signalPassFailure();
      adjoint->getBody().walk([&](ProductOp) { ++products; });
    }
  }
};

} // namespace

FailureOr<ScanOp> sluice::recur::differentiate(ScanOp forward, const ScanOptions &options) {
  auto isSaved = [](PortAttr port) { return port.getRole() == Role::Saved; };
  if (forward.getReverse() || llvm::any_of(forward.getOutputs().getAsRange<PortAttr>(), isSaved)) {
    forward.emitOpError("expected a forward scan without saved outputs");
    return failure();
  }
  return ScanDifferentiator(forward, options).run();
}
