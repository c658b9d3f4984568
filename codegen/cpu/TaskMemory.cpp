// Loads and stores of the caller's tensors, and buffers in scratch.
//
// Rows of caller's memory are only touched where they exist: partial vectors are masked, so that a kernel may
// end at the last byte of a mapping.

#include "codegen/cpu/TaskMemory.h"
#include "codegen/cpu/GenericLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace sluice::cpu {
namespace {

Value indexConstant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value toI64(OpBuilder &builder, Location loc, Value index) {
  return arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
}

using Body = llvm::function_ref<void(OpBuilder &, Value)>;

void forEach(OpBuilder &builder, Location loc, Value from, Value to, int64_t step, Body body) {
  auto loop = scf::ForOp::create(builder, loc, from, to, indexConstant(builder, loc, step));
  OpBuilder inner = OpBuilder::atBlockTerminator(loop.getBody());
  body(inner, loop.getInductionVar());
}

/// bf16 travels as its bits: arithmetic on it is by hand below.
Type memoryType(Type storage) {
  return storage.isBF16() ? IntegerType::get(storage.getContext(), 16) : storage;
}

VectorType vectorOf(Type type) { return VectorType::get({lanes}, type); }

/// One row of a view: a pointer to its first element.
struct Row {
  OpBuilder &builder;
  Location loc;
  const RowsView &view;
  Value pointer;

  Row(OpBuilder &builder, Location loc, const RowsView &view, Value row)
      : builder(builder), loc(loc), view(view) {
    Value offset = arith::MulIOp::create(builder, loc, toI64(builder, loc, row), view.stride);
    pointer = element(view.pointer, offset);
  }

  Value element(Value base, Value offset) {
    return LLVM::GEPOp::create(builder, loc, base.getType(), memoryType(view.storage), base,
                               ValueRange(offset));
  }
  Value at(Value column) { return element(pointer, toI64(builder, loc, column)); }
  /// The rows of the next step arrive while this one is computed; the hardware would not guess their stride.
  void prefetch(Value column, bool write) {
    if (!view.ahead)
      return;
    Value offset = arith::AddIOp::create(builder, loc, toI64(builder, loc, column), view.ahead);
    LLVM::Prefetch::create(builder, loc, element(pointer, offset), builder.getI32IntegerAttr(write),
                           builder.getI32IntegerAttr(2), builder.getI32IntegerAttr(1));
  }
  unsigned alignment() const { return view.storage.getIntOrFloatBitWidth() / 8; }

  Value load(Value column, Value mask) {
    VectorType type = vectorOf(memoryType(view.storage));
    Value loaded;
    if (mask) {
      Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
      loaded = LLVM::MaskedLoadOp::create(builder, loc, type, at(column), mask, zero,
                                          builder.getI32IntegerAttr(alignment()), UnitAttr());
    } else {
      loaded = LLVM::LoadOp::create(builder, loc, type, at(column), alignment());
    }
    return fromStorage(builder, loc, loaded, view.storage);
  }
  void store(Value value, Value column, Value mask) {
    Value stored = toStorage(builder, loc, value, view.storage);
    if (mask)
      LLVM::MaskedStoreOp::create(builder, loc, stored, at(column), mask,
                                  builder.getI32IntegerAttr(alignment()));
    else
      LLVM::StoreOp::create(builder, loc, stored, at(column), alignment());
  }
};

Value maskOf(OpBuilder &builder, Location loc, Value valid) {
  return vector::CreateMaskOp::create(builder, loc, vectorOf(builder.getI1Type()), ValueRange(valid));
}

using VectorBody = llvm::function_ref<void(OpBuilder &, Value column, Value mask)>;

/// Calls `body` for each vector of a row with existing columns; the mask is null for whole vectors.
void forEachVector(OpBuilder &builder, Location loc, const RowsView &view, VectorBody body) {
  Value zero = indexConstant(builder, loc, 0);
  if (view.dynamicColumns) {
    forEach(builder, loc, zero, view.dynamicColumns, lanes, [&](OpBuilder &inner, Value column) {
      Value valid = arith::SubIOp::create(inner, loc, view.dynamicColumns, column);
      body(inner, column, maskOf(inner, loc, valid));
    });
    return;
  }
  int64_t whole = view.columns / lanes * lanes;
  if (whole > 0)
    forEach(builder, loc, zero, indexConstant(builder, loc, whole), lanes,
            [&](OpBuilder &inner, Value column) { body(inner, column, Value()); });
  if (whole < view.columns)
    body(builder, indexConstant(builder, loc, whole),
         maskOf(builder, loc, indexConstant(builder, loc, view.columns - whole)));
}

Value zeroVector(OpBuilder &builder, Location loc) {
  VectorType type = vectorOf(builder.getF32Type());
  return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, 0.0f));
}

/// Columns from the last partial vector on, up to `width`, become zero.
void clearTail(OpBuilder &builder, Location loc, const RowsView &from, Value buffer, Value row) {
  int64_t width = cast<MemRefType>(buffer.getType()).getDimSize(1);
  Value start;
  if (from.dynamicColumns) {
    start = arith::AddIOp::create(builder, loc, from.dynamicColumns, indexConstant(builder, loc, lanes - 1));
    start = arith::AndIOp::create(builder, loc, start, indexConstant(builder, loc, -lanes));
  } else {
    if (int64_t(llvm::alignTo(from.columns, lanes)) >= width)
      return;
    start = indexConstant(builder, loc, llvm::alignTo(from.columns, lanes));
  }
  forEach(builder, loc, start, indexConstant(builder, loc, width), lanes,
          [&](OpBuilder &inner, Value column) {
            vector::StoreOp::create(inner, loc, zeroVector(inner, loc), buffer, ValueRange{row, column});
          });
}

/// A contiguous memref as one row of vectors.
Value flattened(OpBuilder &builder, Location loc, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.getRank() == 1)
    return buffer;
  int64_t elements = type.getNumElements();
  auto flat = MemRefType::get({elements}, type.getElementType());
  return memref::ReinterpretCastOp::create(builder, loc, flat, buffer, 0, ArrayRef<int64_t>{elements},
                                           ArrayRef<int64_t>{1});
}

/// Calls `body` with a vector of each part of the buffer, or with each element where vectors do not fit.
void forEachPart(OpBuilder &builder, Location loc, Value flat, llvm::function_ref<void(OpBuilder &, Value, bool)> body) {
  int64_t elements = cast<MemRefType>(flat.getType()).getNumElements();
  bool vector = elements % lanes == 0;
  forEach(builder, loc, indexConstant(builder, loc, 0), indexConstant(builder, loc, elements), vector ? lanes : 1,
          [&](OpBuilder &inner, Value index) { body(inner, index, vector); });
}

} // namespace

//===--------------------------------------------------------------------===//
// Storage types
//===--------------------------------------------------------------------===//

static Type withShapeOf(Type like, Type element) {
  if (auto vector = dyn_cast<VectorType>(like))
    return VectorType::get(vector.getShape(), element);
  return element;
}

static Value integerConstant(OpBuilder &builder, Location loc, Type type, int64_t number) {
  TypedAttr attr = builder.getIntegerAttr(getElementTypeOrSelf(type), number);
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, cast<Attribute>(attr));
  return arith::ConstantOp::create(builder, loc, attr);
}

Value fromStorage(OpBuilder &builder, Location loc, Value stored, Type storage) {
  if (storage.isF32())
    return stored;
  Type f32 = withShapeOf(stored.getType(), builder.getF32Type());
  if (storage.isF16())
    return arith::ExtFOp::create(builder, loc, f32, stored);
  Type i32 = withShapeOf(stored.getType(), builder.getI32Type());
  Value bits = arith::ExtUIOp::create(builder, loc, i32, stored);
  bits = arith::ShLIOp::create(builder, loc, bits, integerConstant(builder, loc, i32, 16));
  return arith::BitcastOp::create(builder, loc, f32, bits);
}

Value toStorage(OpBuilder &builder, Location loc, Value value, Type storage) {
  if (storage.isF32())
    return value;
  if (storage.isF16())
    return arith::TruncFOp::create(builder, loc, withShapeOf(value.getType(), storage), value);
  // bits + 0x7fff + (lowest kept bit) rounds to nearest even; a NaN keeps its upper half and becomes quiet.
  Type i32 = withShapeOf(value.getType(), builder.getI32Type());
  auto constant = [&](int64_t number) { return integerConstant(builder, loc, i32, number); };
  Value bits = arith::BitcastOp::create(builder, loc, i32, value);
  Value upper = arith::ShRUIOp::create(builder, loc, bits, constant(16));
  Value odd = arith::AndIOp::create(builder, loc, upper, constant(1));
  Value rounded = arith::AddIOp::create(builder, loc, bits, arith::AddIOp::create(builder, loc, odd, constant(0x7fff)));
  rounded = arith::ShRUIOp::create(builder, loc, rounded, constant(16));
  Value quiet = arith::OrIOp::create(builder, loc, upper, constant(0x40));
  Value isNan = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNO, value, value);
  Value chosen = arith::SelectOp::create(builder, loc, isNan, quiet, rounded);
  return arith::TruncIOp::create(builder, loc, withShapeOf(value.getType(), builder.getI16Type()), chosen);
}

//===--------------------------------------------------------------------===//
// Rows
//===--------------------------------------------------------------------===//

void loadRows(OpBuilder &builder, Location loc, const RowsView &from, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  forEach(builder, loc, indexConstant(builder, loc, 0), from.rows, 1, [&](OpBuilder &inner, Value index) {
    Row row(inner, loc, from, index);
    forEachVector(inner, loc, from, [&](OpBuilder &in, Value column, Value mask) {
      Row here(in, loc, from, index);
      here.pointer = row.pointer;
      here.prefetch(column, /*write=*/false);
      vector::StoreOp::create(in, loc, here.load(column, mask), buffer, ValueRange{index, column});
    });
    clearTail(inner, loc, from, buffer, index);
  });
  Value width = indexConstant(builder, loc, type.getDimSize(1));
  forEach(builder, loc, from.rows, indexConstant(builder, loc, type.getDimSize(0)), 1,
          [&](OpBuilder &inner, Value index) {
            forEach(inner, loc, indexConstant(inner, loc, 0), width, lanes, [&](OpBuilder &in, Value column) {
              vector::StoreOp::create(in, loc, zeroVector(in, loc), buffer, ValueRange{index, column});
            });
          });
}

void storeRows(OpBuilder &builder, Location loc, Value buffer, const RowsView &to) {
  forEach(builder, loc, indexConstant(builder, loc, 0), to.rows, 1, [&](OpBuilder &inner, Value index) {
    Row row(inner, loc, to, index);
    forEachVector(inner, loc, to, [&](OpBuilder &in, Value column, Value mask) {
      Row here(in, loc, to, index);
      here.pointer = row.pointer;
      Value value = vector::LoadOp::create(in, loc, vectorOf(in.getF32Type()), buffer, ValueRange{index, column});
      here.prefetch(column, /*write=*/true);
      here.store(value, column, mask);
    });
  });
}

void loadScalars(OpBuilder &builder, Location loc, const RowsView &from, Value buffer) {
  int64_t extent = cast<MemRefType>(buffer.getType()).getDimSize(0);
  forEach(builder, loc, indexConstant(builder, loc, 0), from.rows, 1, [&](OpBuilder &inner, Value index) {
    Row row(inner, loc, from, index);
    Value loaded = LLVM::LoadOp::create(inner, loc, memoryType(from.storage), row.pointer, row.alignment());
    memref::StoreOp::create(inner, loc, fromStorage(inner, loc, loaded, from.storage), buffer, ValueRange(index));
  });
  forEach(builder, loc, from.rows, indexConstant(builder, loc, extent), 1, [&](OpBuilder &inner, Value index) {
    Value zero = arith::ConstantOp::create(inner, loc, inner.getF32FloatAttr(0));
    memref::StoreOp::create(inner, loc, zero, buffer, ValueRange(index));
  });
}

void storeScalars(OpBuilder &builder, Location loc, Value buffer, const RowsView &to) {
  forEach(builder, loc, indexConstant(builder, loc, 0), to.rows, 1, [&](OpBuilder &inner, Value index) {
    Row row(inner, loc, to, index);
    Value value = memref::LoadOp::create(inner, loc, buffer, ValueRange(index));
    LLVM::StoreOp::create(inner, loc, toStorage(inner, loc, value, to.storage), row.pointer, row.alignment());
  });
}

void fillWith(OpBuilder &builder, Location loc, Value scalar, Value buffer) {
  Value flat = flattened(builder, loc, buffer);
  Value vector = vector::BroadcastOp::create(builder, loc, vectorOf(scalar.getType()), scalar);
  forEachPart(builder, loc, flat, [&](OpBuilder &inner, Value index, bool whole) {
    if (whole)
      vector::StoreOp::create(inner, loc, vector, flat, ValueRange(index));
    else
      memref::StoreOp::create(inner, loc, scalar, flat, ValueRange(index));
  });
}

void fillZero(OpBuilder &builder, Location loc, Value buffer) {
  fillWith(builder, loc, arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0)), buffer);
}

void copyBuffer(OpBuilder &builder, Location loc, Value from, Value to) {
  Value source = flattened(builder, loc, from), target = flattened(builder, loc, to);
  forEachPart(builder, loc, source, [&](OpBuilder &inner, Value index, bool whole) {
    if (whole) {
      Value part = vector::LoadOp::create(inner, loc, vectorOf(inner.getF32Type()), source, ValueRange(index));
      vector::StoreOp::create(inner, loc, part, target, ValueRange(index));
    } else {
      Value part = memref::LoadOp::create(inner, loc, source, ValueRange(index));
      memref::StoreOp::create(inner, loc, part, target, ValueRange(index));
    }
  });
}

//===--------------------------------------------------------------------===//
// Scratch
//===--------------------------------------------------------------------===//

static MemRefType memrefOf(ShapedType type) { return MemRefType::get(type.getShape(), type.getElementType()); }

Arena::Arena(OpBuilder &builder, Location loc, Value pointer) : entryBuilder(builder), loc(loc) {
  // The descriptor of memref<?xi8>, by hand: upstream has no cast from a pointer to a memref.
  auto i64 = builder.getI64Type();
  auto array = LLVM::LLVMArrayType::get(i64, 1);
  Type descriptor = LLVM::LLVMStructType::getLiteral(
      builder.getContext(), {pointer.getType(), pointer.getType(), i64, array, array});
  Value filled = LLVM::UndefOp::create(builder, loc, descriptor);
  auto insert = [&](Value value, ArrayRef<int64_t> position) {
    filled = LLVM::InsertValueOp::create(builder, loc, filled, value, position);
  };
  auto constant = [&](int64_t number) -> Value {
    return LLVM::ConstantOp::create(builder, loc, i64, builder.getI64IntegerAttr(number));
  };
  insert(pointer, {0});
  insert(pointer, {1});
  insert(constant(0), {2});
  insert(constant(0), {3, 0});
  insert(constant(1), {4, 0});
  auto type = MemRefType::get({ShapedType::kDynamic}, builder.getI8Type());
  bytes = UnrealizedConversionCastOp::create(builder, loc, TypeRange(type), ValueRange(filled)).getResult(0);
}

Value Arena::at(int64_t offset, ShapedType type) {
  MemRefType memref = memrefOf(type);
  Value &view = views[{offset, const_cast<void *>(memref.getAsOpaquePointer())}];
  if (!view) {
    entryBuilder.setInsertionPointAfter(bytes.getDefiningOp());
    view = at(entryBuilder, indexConstant(entryBuilder, loc, offset), type);
  }
  return view;
}

Value Arena::at(OpBuilder &builder, Value offset, ShapedType type) {
  return memref::ViewOp::create(builder, loc, memrefOf(type), bytes, offset, ValueRange());
}

} // namespace sluice::cpu
