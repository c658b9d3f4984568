// Places for the tensors of a body: lifetimes from the order of its ops, results in the place of an operand that
// ends there, first fit for the rest.

#include "codegen/cpu/BufferPlan.h"
#include "codegen/cpu/Passes.h"
#include "dialect/recur/Recur.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <algorithm>
#include <limits>

using namespace mlir;
using sluice::recur::ScanYieldOp;

namespace sluice::cpu {

int64_t ArenaLayout::take(int64_t bytes) {
  int64_t offset = end;
  end += llvm::alignTo(bytes, 64);
  return offset;
}

int64_t bytesOf(Type type) {
  auto shaped = cast<ShapedType>(type);
  return shaped.getNumElements() * shaped.getElementTypeBitWidth() / 8;
}

bool isAddedInPlace(Operation &op) {
  return isa<recur::ProductOp>(op) && op.hasOneUse() && (*op.user_begin())->hasAttr(accumulateAttr) &&
         op.getUses().begin()->getOperandNumber() == 1;
}

SmallVector<Value> memoryOperands(Operation &op) {
  if (auto generic = dyn_cast<linalg::GenericOp>(op)) {
    SmallVector<Value> read;
    for (OpOperand *input : generic.getDpsInputOperands())
      if (generic.payloadUsesValueFromOperand(input))
        read.push_back(input->get());
    return read;
  }
  if (isAddedInPlace(op))
    return {};
  if (op.hasAttr(accumulateAttr)) {
    Operation *product = op.getOperand(1).getDefiningOp();
    return {op.getOperand(0), product->getOperand(0), product->getOperand(1)};
  }
  return llvm::to_vector(op.getOperands());
}

/// Results that live in memory.
static bool needsPlace(Value value) {
  Operation *op = value.getDefiningOp();
  if (isa<tensor::EmptyOp>(op) || isAddedInPlace(*op))
    return false;
  if (isa<arith::ConstantOp>(op)) {
    return isa<RankedTensorType>(value.getType()) && llvm::any_of(value.getUses(), [](OpOperand &use) {
      auto generic = dyn_cast<linalg::GenericOp>(use.getOwner());
      return !generic || generic.isDpsInput(&use);
    });
  }
  return !value.use_empty() || !isa<linalg::GenericOp>(op);
}

BufferPlan::BufferPlan(Block &body, ArrayRef<PinnedArgument> pinned, ArrayRef<Value> external, int64_t base)
    : body(body) {
  measureLifetimes();
  placePinned(pinned);
  for (Value value : external) {
    placeOf[value] = places.size();
    places.push_back({bytesOf(value.getType()), -1, std::numeric_limits<int>::max(), 0, false, -1});
  }
  for (BlockArgument argument : body.getArguments())
    if (!placeOf.contains(argument) && firstUse.contains(argument))
      newPlace(argument, firstUse[argument]);
  for (Operation &op : body.without_terminator())
    placeResults(op);
  assignOffsets(base);
}

int64_t BufferPlan::offsetOf(Value value) const { return places[placeOf.lookup(value)].offset; }

Operation *BufferPlan::firstUser(BlockArgument argument) const {
  auto found = firstUse.find(argument);
  if (found == firstUse.end())
    return nullptr;
  for (Operation &op : body)
    if (positions.lookup(&op) == found->second)
      return &op;
  return nullptr;
}

/// An output that an op computes is stored at once; other yielded values must last to the end.
void BufferPlan::measureLifetimes() {
  int position = 0;
  for (Operation &op : body)
    positions[&op] = position++;
  auto use = [&](Value value, int at) {
    firstUse.try_emplace(value, at);
    int &last = lastUse.try_emplace(value, at).first->second;
    last = std::max(last, at);
  };
  for (Operation &op : body.without_terminator()) {
    for (Value operand : memoryOperands(op))
      use(operand, positions[&op]);
    for (Value result : op.getResults())
      lastUse.try_emplace(result, positions[&op]);
  }
  auto yield = cast<ScanYieldOp>(body.getTerminator());
  for (Value value : yield.getOutputs())
    if (isa<BlockArgument>(value))
      use(value, positions[yield]);
  for (Value value : yield.getCarried())
    use(value, positions[yield]);
}

void BufferPlan::placePinned(ArrayRef<PinnedArgument> pinned) {
  for (const PinnedArgument &pin : pinned) {
    auto found = lastUse.find(pin.argument);
    Place place{bytesOf(pin.argument.getType()), -1, found == lastUse.end() ? -1 : found->second,
                pin.offset, pin.next != nullptr, -1};
    placeOf[pin.argument] = places.size();
    if (pin.next)
      pinnedTarget.try_emplace(pin.next, places.size());
    places.push_back(place);
  }
}

unsigned BufferPlan::newPlace(Value value, int first) {
  places.push_back({bytesOf(value.getType()), first, lastUse.lookup(value), -1, true, -1});
  placeOf[value] = places.size() - 1;
  return places.size() - 1;
}

void BufferPlan::extend(unsigned place, Value value) {
  placeOf[value] = place;
  places[place].last = std::max(places[place].last, lastUse.lookup(value));
}

bool BufferPlan::diesHere(Value value, Operation &op) const {
  auto place = placeOf.find(value);
  return place != placeOf.end() && places[place->second].writable &&
         places[place->second].reusedAt != positions.lookup(&op) &&
         lastUse.lookup(value) == positions.lookup(&op) &&
         places[place->second].last == positions.lookup(&op);
}

/// The place of an operand that ends at `op` and is read exactly where `result` is written.
std::optional<unsigned> BufferPlan::placeToReuse(Operation &op, unsigned result) {
  Value value = op.getResult(result);
  if (op.hasAttr(accumulateAttr)) {
    Operation *product = op.getOperand(1).getDefiningOp();
    bool free = diesHere(op.getOperand(0), op) && !llvm::is_contained(product->getOperands(), op.getOperand(0));
    return free ? std::optional(placeOf[op.getOperand(0)]) : std::nullopt;
  }
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic)
    return std::nullopt;
  AffineMap map = generic.getMatchingIndexingMap(generic.getDpsInitOperand(result));
  if (!map.isPermutation())
    return std::nullopt;
  for (OpOperand *input : generic.getDpsInputOperands()) {
    Value operand = input->get();
    if (operand.getType() != value.getType() || !diesHere(operand, op))
      continue;
    bool sameElement = llvm::all_of(generic.getDpsInputOperands(), [&](OpOperand *other) {
      return other->get() != operand || generic.getMatchingIndexingMap(other) == map;
    });
    if (sameElement)
      return placeOf[operand];
  }
  return std::nullopt;
}

void BufferPlan::placeResults(Operation &op) {
  int position = positions[&op];
  for (auto [i, value] : llvm::enumerate(op.getResults())) {
    if (!needsPlace(value) || placeOf.contains(value))
      continue;
    // A carried value that is free already takes its next value, wherever that comes from.
    auto target = pinnedTarget.find(value);
    if (target != pinnedTarget.end() && places[target->second].last < position) {
      extend(target->second, value);
      places[target->second].reusedAt = position;
      continue;
    }
    if (std::optional<unsigned> place = placeToReuse(op, i)) {
      extend(*place, value);
      places[*place].reusedAt = position;
      ++reused;
      continue;
    }
    newPlace(value, position);
  }
}

void BufferPlan::assignOffsets(int64_t base) {
  SmallVector<unsigned> order;
  for (unsigned i = 0; i < places.size(); ++i)
    if (places[i].offset < 0)
      order.push_back(i);
  // Large ones first, so that small ones fill the gaps.
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::pair(-places[a].bytes, a) < std::pair(-places[b].bytes, b);
  });
  SmallVector<unsigned> done;
  arenaEnd = base;
  for (unsigned i : order) {
    Place &place = places[i];
    SmallVector<std::pair<int64_t, int64_t>> taken;
    for (unsigned j : done)
      if (places[j].first <= place.last && place.first <= places[j].last)
        taken.push_back({places[j].offset, places[j].offset + places[j].bytes});
    llvm::sort(taken);
    // Three lines between neighbours keep equal rows of two tensors from the same set of the cache.
    constexpr int64_t gap = 192;
    int64_t offset = base;
    for (auto [from, to] : taken) {
      if (offset + place.bytes + gap <= from)
        break;
      offset = std::max<int64_t>(offset, llvm::alignTo(to + gap, 64));
    }
    place.offset = offset;
    arenaEnd = std::max<int64_t>(arenaEnd, llvm::alignTo(offset + place.bytes, 64));
    done.push_back(i);
  }
}

} // namespace sluice::cpu
