// Prefetching of the caller's tensors: the rows that this step stores and those that the next one loads.
//
// Rows of one head lie far apart, which the hardware does not foresee, and a burst of prefetches waits for
// the few lines that a core can have under way just as loads would. So products fetch them, a line every few
// steps. Ports for which a body has too few products are fetched while their present rows are loaded
// (viewOf).

#include "codegen/cpu/ScanLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace sluice::recur;

namespace sluice::cpu {

/// Bytes of a port's row; 0 if it has no rows of vectors.
static int64_t rowBytes(const Port &port, int64_t keys, int64_t values) {
  if (port.perHead || port.role == PortRole::saved)
    return 0;
  if (port.kind == sluice::Kind::key)
    return keys * sizeOf(port.dtype);
  return port.kind == sluice::Kind::value ? values * sizeOf(port.dtype) : 0;
}

/// A port that the caller left out has no address: the task's scratch stands in for it.
void ScanLowering::prefetchPort(unsigned port, int64_t bytes, const StepPosition &position) {
  RowsView view = viewOf(port, Type(), position);
  bool write = ports[port].role == PortRole::result || ports[port].role == PortRole::gradient;
  Value first = view.pointer;
  int64_t width = sizeOf(ports[port].dtype);
  if (!write)
    first = LLVM::GEPOp::create(builder, loc, first.getType(), builder.getIntegerType(8 * width), first,
                                ValueRange(view.ahead));
  Value none = LLVM::ZeroOp::create(builder, loc, first.getType());
  Value absent = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, pointers[port], none);
  first = LLVM::SelectOp::create(builder, loc, absent, scratchPointer, first);
  Value stride = arith::MulIOp::create(builder, loc, view.stride, i64(constant(width)));
  stride = LLVM::SelectOp::create(builder, loc, absent, i64(constant(0)), stride);
  kernels.prefetch({first, stride, int64_t(scan.getStep()), bytes, write});
}

void ScanLowering::prefetchRows(const BodyFrame &frame) {
  fetchedByProducts.clear();
  if (scan.getStep() == 1 || &frame.block != &scan.getBody().front())
    return;
  int64_t room = 0;
  for (Operation &op : frame.block)
    room += kernels.canPrefetch(&op);
  // What is stored comes first: it is needed in this step.
  for (bool stored : {true, false})
    for (unsigned port = 0; port < ports.size(); ++port) {
      PortRole role = ports[port].role;
      bool writes = role == PortRole::result || role == PortRole::gradient;
      int64_t bytes = rowBytes(ports[port], keys, scan.getValueDim());
      if (writes != stored || bytes == 0 || room == 0)
        continue;
      prefetchPort(port, bytes, frame.position);
      fetchedByProducts.insert(port);
      --room;
    }
}

} // namespace sluice::cpu
