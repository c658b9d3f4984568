// Ports of a scan in the caller's memory: which rows and columns exist at a step, and how they are spaced.

#include "codegen/cpu/GenericLoops.h"
#include "codegen/cpu/ScanLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace sluice::recur;

namespace sluice::cpu {

static Type storageType(MLIRContext *context, DType dtype) {
  switch (dtype) {
  case DType::f16: return Float16Type::get(context);
  case DType::bf16: return BFloat16Type::get(context);
  default: return Float32Type::get(context);
  }
}

/// `element` elements after the port's first.
Value ScanLowering::elementPointer(unsigned port, Value element) {
  Type type = storageType(builder.getContext(), ports[port].dtype);
  Type bits = builder.getIntegerType(type.getIntOrFloatBitWidth());
  return LLVM::GEPOp::create(builder, loc, pointers[port].getType(), bits, pointers[port], ValueRange(i64(element)));
}

/// The rows and columns of a port at a step. A port that the caller left out has no rows.
RowsView ScanLowering::viewOf(unsigned port, Type tensor, const StepPosition &position) {
  const Port &p = ports[port];
  RowsView view{pointers[port], storageType(builder.getContext(), p.dtype), strides[port], constant(1), 0, {}};
  Value zero = constant(0);
  if (p.role == PortRole::saved) {
    // A record is a matrix, or one row.
    auto shape = cast<ShapedType>(tensor).getShape();
    bool matrix = shape.size() == 2;
    int64_t rows = matrix ? shape[0] : 1;
    view.columns = p.recordElements / rows;
    view.rows = constant(rows);
    view.stride = i64(constant(view.columns));
    Value every = constant(p.every);
    Value record = arith::DivUIOp::create(builder, loc, position.step, every);
    view.pointer = elementPointer(port, arith::MulIOp::create(builder, loc, record, constant(p.recordElements)));
    if (p.every > 1) {
      Value rest = arith::RemUIOp::create(builder, loc, position.step, every);
      Value due = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, rest, zero);
      view.rows = arith::SelectOp::create(builder, loc, due, view.rows, zero);
    }
  } else if (p.kind == sluice::Kind::matrix || p.kind == sluice::Kind::state) {
    view.rows = constant(keys);
  } else if (!p.perHead) {
    view.rows = position.rows;
    Value stride = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), strides[port]);
    view.pointer = elementPointer(port, arith::MulIOp::create(builder, loc, position.firstToken, stride));
    int64_t step = scan.getStep();
    if (step > 1)
      view.ahead = i64(arith::MulIOp::create(builder, loc, stride, constant(scan.getReverse() ? -step : step)));
  }
  if (p.role != PortRole::saved) {
    if (p.kind == sluice::Kind::key)
      view.columns = keys;
    else if (p.kind != sluice::Kind::scalar)
      view.dynamicColumns = columns;
  }
  if (p.role != PortRole::argument) {
    Value null = LLVM::ZeroOp::create(builder, loc, pointers[port].getType());
    Value absent = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, pointers[port], null);
    view.rows = arith::SelectOp::create(builder, loc, absent, zero, view.rows);
  }
  return view;
}

/// The buffer as rows of elements: matrices stay, a vector is one row unless it has one element per token.
static Value asRows(OpBuilder &builder, Location loc, Value buffer, bool scalars) {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t elements = type.getNumElements();
  if (type.getRank() == 2 || (type.getRank() == 1 && scalars))
    return buffer;
  SmallVector<int64_t> sizes = scalars ? SmallVector<int64_t>{elements} : SmallVector<int64_t>{1, elements};
  SmallVector<int64_t> strides = scalars ? SmallVector<int64_t>{1} : SmallVector<int64_t>{elements, 1};
  auto target = MemRefType::get(sizes, type.getElementType());
  return memref::ReinterpretCastOp::create(builder, loc, target, buffer, 0, sizes, strides);
}

static bool isScalar(const Port &port) {
  return port.role == PortRole::saved ? port.recordElements % lanes != 0 : port.kind == sluice::Kind::scalar;
}

/// A record whose elements do not fill vectors: element by element.
static void makeElementwise(OpBuilder &builder, Location loc, RowsView &view, int64_t elements) {
  Value none = arith::ConstantIndexOp::create(builder, loc, 0);
  Value absent = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, view.rows, none);
  Value all = arith::ConstantIndexOp::create(builder, loc, elements);
  view.rows = arith::SelectOp::create(builder, loc, absent, none, all);
  view.stride = arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(1));
}

ScanLowering::PortRows ScanLowering::rowsOf(unsigned port, Value buffer, const StepPosition &position) {
  RowsView view = viewOf(port, buffer.getType(), position);
  if (fetchedByProducts.contains(port))
    view.ahead = Value();
  bool scalars = isScalar(ports[port]);
  if (scalars && ports[port].role == PortRole::saved)
    makeElementwise(builder, loc, view, ports[port].recordElements);
  return {view, asRows(builder, loc, buffer, scalars), scalars};
}

void ScanLowering::loadPort(unsigned port, Value buffer, const StepPosition &position) {
  auto [view, rows, scalars] = rowsOf(port, buffer, position);
  if (scalars)
    loadScalars(builder, loc, view, rows);
  else
    loadRows(builder, loc, view, rows);
}

void ScanLowering::storePort(unsigned port, Value buffer, const StepPosition &position) {
  auto [view, rows, scalars] = rowsOf(port, buffer, position);
  if (scalars)
    storeScalars(builder, loc, rows, view);
  else
    storeRows(builder, loc, rows, view);
}

/// 1 up to the number of rows, key channels or value columns that exist, then 0.
void ScanLowering::fillMask(PortAttr port, Value buffer, const StepPosition &position) {
  Value count = port.getKind() == recur::Kind::Scalar ? position.rows
                : port.getKind() == recur::Kind::Key  ? constant(keys)
                                                      : columns;
  Value one = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(1));
  Value none = arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
  Value flat = asRows(builder, loc, buffer, true);
  int64_t extent = cast<MemRefType>(buffer.getType()).getNumElements();
  auto loop = scf::ForOp::create(builder, loc, constant(0), constant(extent), constant(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(loop.getBody()->getTerminator());
  Value index = loop.getInductionVar();
  Value exists = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, index, count);
  Value value = arith::SelectOp::create(builder, loc, exists, one, none);
  memref::StoreOp::create(builder, loc, value, flat, ValueRange(index));
}

} // namespace sluice::cpu
