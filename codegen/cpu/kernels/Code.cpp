// Shorthand for the emitters of this folder.
#include "codegen/cpu/kernels/Code.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace sluice::cpu {

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Value Code::index(int64_t value) { return arith::ConstantIndexOp::create(builder, location, value); }
Value Code::plus(Value a, Value b) { return builder.createOrFold<arith::AddIOp>(location, a, b); }
Value Code::plus(Value a, int64_t b) { return b ? plus(a, index(b)) : a; }
Value Code::minus(Value a, Value b) { return builder.createOrFold<arith::SubIOp>(location, a, b); }
Value Code::times(Value a, int64_t b) { return builder.createOrFold<arith::MulIOp>(location, a, index(b)); }
Value Code::dividedBy(Value a, int64_t b) {
  return builder.createOrFold<arith::DivUIOp>(location, a, index(b));
}
Value Code::remainder(Value a, int64_t b) {
  return builder.createOrFold<arith::RemUIOp>(location, a, index(b));
}

static Value compare(Code &code, arith::CmpIPredicate predicate, Value a, int64_t b) {
  return arith::CmpIOp::create(code.builder, code.location, predicate, a, code.index(b));
}
Value Code::equal(Value a, int64_t b) { return compare(*this, arith::CmpIPredicate::eq, a, b); }
Value Code::atLeast(Value a, int64_t b) { return compare(*this, arith::CmpIPredicate::sge, a, b); }
Value Code::atMost(Value a, int64_t b) { return compare(*this, arith::CmpIPredicate::sle, a, b); }

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

VectorType Code::vectorType(int64_t width) { return VectorType::get({width}, builder.getF32Type()); }

Value Code::number(float value) {
  return arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(value));
}

Value Code::splat(float value, int64_t width) {
  return arith::ConstantOp::create(builder, location, DenseElementsAttr::get(vectorType(width), value));
}

Value Code::constant(ArrayRef<float> values) {
  return arith::ConstantOp::create(builder, location,
                                   DenseElementsAttr::get(vectorType(values.size()), values));
}

Value Code::broadcast(Value scalar, int64_t width) {
  return vector::BroadcastOp::create(builder, location, VectorType::get({width}, scalar.getType()), scalar);
}

Value Code::add(Value a, Value b) { return arith::AddFOp::create(builder, location, a, b); }
Value Code::subtract(Value a, Value b) { return arith::SubFOp::create(builder, location, a, b); }
Value Code::multiply(Value a, Value b) { return arith::MulFOp::create(builder, location, a, b); }

Value Code::multiplyAdd(Value a, Value b, Value c) {
  if (!tile.fused)
    return add(multiply(a, b), c);
  return vector::FMAOp::create(builder, location, a, b, c);
}

Value Code::select(Value condition, Value yes, Value no) {
  return arith::SelectOp::create(builder, location, condition, yes, no);
}

Value Code::laneMask(int64_t from, int64_t to) {
  SmallVector<bool> mask;
  for (int64_t lane = 0; lane < lanes; ++lane)
    mask.push_back(lane >= from && lane < to);
  auto type = VectorType::get({lanes}, builder.getI1Type());
  return arith::ConstantOp::create(builder, location, DenseElementsAttr::get(type, mask));
}

Value Code::lanesBelow(Value first, Value bound, int64_t width) {
  SmallVector<int32_t> lane;
  for (int64_t i = 0; i < width; ++i)
    lane.push_back(i);
  auto type = VectorType::get({width}, builder.getI32Type());
  Value number = arith::ConstantOp::create(builder, location, DenseElementsAttr::get(type, ArrayRef(lane)));
  Value rest = arith::IndexCastOp::create(builder, location, builder.getI32Type(), minus(bound, first));
  return arith::CmpIOp::create(builder, location, arith::CmpIPredicate::slt, number, broadcast(rest, width));
}

Value Code::shuffle(Value a, Value b, ArrayRef<int64_t> mask) {
  return vector::ShuffleOp::create(builder, location, a, b, mask);
}

Value Code::sumOfLanes(Value vector) {
  for (int64_t width = cast<VectorType>(vector.getType()).getNumElements(); width > 1; width /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < width / 2; ++lane) {
      low.push_back(lane);
      high.push_back(width / 2 + lane);
    }
    vector = add(shuffle(vector, vector, low), shuffle(vector, vector, high));
  }
  return vector::ExtractOp::create(builder, location, vector, ArrayRef<int64_t>{0});
}

Value Code::sumsOfLanes(Values vectors) {
  // Each step halves the groups of lanes that belong to one vector: vectors i and i + n / 2 share a vector.
  for (int64_t width = lanes; width > 1; width /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t group = 0; group < lanes; group += width)
      for (int64_t from : {group, lanes + group})
        for (int64_t lane = 0; lane < width / 2; ++lane) {
          low.push_back(from + lane);
          high.push_back(from + width / 2 + lane);
        }
    size_t half = vectors.size() / 2;
    for (size_t i = 0; i < half; ++i)
      vectors[i] =
          add(shuffle(vectors[i], vectors[i + half], low), shuffle(vectors[i], vectors[i + half], high));
    vectors.resize(half);
  }
  return vectors.front();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value Code::load(Value buffer, ValueRange at) {
  return memref::LoadOp::create(builder, location, buffer, at);
}

void Code::store(Value scalar, Value buffer, ValueRange at) {
  memref::StoreOp::create(builder, location, scalar, buffer, at);
}

Value Code::loadVector(Value buffer, ValueRange at, int64_t width) {
  return vector::LoadOp::create(builder, location, vectorType(width), buffer, at);
}

void Code::storeVector(Value vector, Value buffer, ValueRange at) {
  vector::StoreOp::create(builder, location, vector, buffer, at);
}

void Code::prefetch(const Ahead &ahead, Value row, Value byte) {
  auto wide = [&](Value number) -> Value {
    return arith::IndexCastOp::create(builder, location, builder.getI64Type(), number);
  };
  Value offset = arith::MulIOp::create(builder, location, wide(row), ahead.stride);
  offset = arith::AddIOp::create(builder, location, offset, wide(byte));
  Value line = LLVM::GEPOp::create(builder, location, ahead.pointer.getType(), builder.getI8Type(),
                                   ahead.pointer, ValueRange(offset));
  // Into the second-level cache: the first holds the product's operands.
  LLVM::Prefetch::create(builder, location, line, builder.getI32IntegerAttr(ahead.write),
                         builder.getI32IntegerAttr(2), builder.getI32IntegerAttr(1));
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

Values Code::loop(Value from, Value to, int64_t step, const Values &carried, Body body) {
  auto loop = scf::ForOp::create(builder, location, from, to, index(step), carried);
  OpBuilder::InsertionGuard guard(builder);
  if (carried.empty())
    builder.setInsertionPoint(loop.getBody()->getTerminator());
  else
    builder.setInsertionPointToEnd(loop.getBody());
  Values next = body(loop.getInductionVar(), Values(loop.getRegionIterArgs()));
  if (!carried.empty())
    scf::YieldOp::create(builder, location, next);
  return Values(loop.getResults());
}

Values Code::loop(int64_t from, int64_t to, int64_t step, const Values &carried, Body body) {
  return loop(index(from), index(to), step, carried, body);
}

void Code::loop(Value from, Value to, int64_t step, function_ref<void(Value)> body) {
  loop(from, to, step, {}, [&](Value iv, const Values &) {
    body(iv);
    return Values();
  });
}

void Code::loop(int64_t from, int64_t to, int64_t step, function_ref<void(Value)> body) {
  loop(index(from), index(to), step, body);
}

void Code::ifTrue(Value condition, function_ref<void()> body) {
  auto branch = scf::IfOp::create(builder, location, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(branch.thenBlock()->getTerminator());
  body();
}

} // namespace sluice::cpu
