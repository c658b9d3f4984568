// Shorthand for the emitters of this folder: arithmetic, loops and memory on f32 buffers.
#pragma once

#include "codegen/cpu/kernels/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SmallVector.h"

namespace sluice::cpu {

using Values = llvm::SmallVector<mlir::Value, 32>;

/// Gates and the structured ops work on 16 lanes, the granularity of all shapes; LLVM splits them where the
/// machine's registers are narrower.
constexpr int64_t lanes = 16;

class Code {
public:
  using Body = llvm::function_ref<Values(mlir::Value iv, const Values &carried)>;

  Code(mlir::OpBuilder &builder, mlir::Location location, const Tile &tile)
      : builder(builder), location(location), tile(tile) {}

  mlir::Value index(int64_t value);
  mlir::Value plus(mlir::Value a, mlir::Value b);
  mlir::Value plus(mlir::Value a, int64_t b);
  mlir::Value minus(mlir::Value a, mlir::Value b);
  mlir::Value times(mlir::Value a, int64_t b);
  mlir::Value dividedBy(mlir::Value a, int64_t b);
  mlir::Value remainder(mlir::Value a, int64_t b);

  mlir::VectorType vectorType(int64_t width = lanes);
  mlir::Value number(float value);
  mlir::Value splat(float value, int64_t width = lanes);
  mlir::Value constant(llvm::ArrayRef<float> values);
  mlir::Value broadcast(mlir::Value scalar, int64_t width = lanes);

  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value subtract(mlir::Value a, mlir::Value b);
  mlir::Value multiply(mlir::Value a, mlir::Value b);
  /// a b + c, rounded once if the machine can.
  mlir::Value multiplyAdd(mlir::Value a, mlir::Value b, mlir::Value c);
  mlir::Value select(mlir::Value condition, mlir::Value yes, mlir::Value no);
  /// Lanes [from, to) of a mask: a constant.
  mlir::Value laneMask(int64_t from, int64_t to);
  /// True in the lanes l with first + l < bound (index values).
  mlir::Value lanesBelow(mlir::Value first, mlir::Value bound, int64_t width = lanes);
  mlir::Value shuffle(mlir::Value a, mlir::Value b, llvm::ArrayRef<int64_t> mask);
  mlir::Value sumOfLanes(mlir::Value vector);
  /// Lane i is the sum of the lanes of vectors[i], for 16 vectors of 16 lanes.
  mlir::Value sumsOfLanes(Values vectors);

  mlir::Value load(mlir::Value buffer, mlir::ValueRange at);
  void store(mlir::Value scalar, mlir::Value buffer, mlir::ValueRange at);
  mlir::Value loadVector(mlir::Value buffer, mlir::ValueRange at, int64_t width = lanes);
  void storeVector(mlir::Value vector, mlir::Value buffer, mlir::ValueRange at);
  void prefetch(const Ahead &ahead, mlir::Value row, mlir::Value byte);

  /// for (iv = from; iv < to; iv += step) carried = body(iv, carried).
  Values loop(mlir::Value from, mlir::Value to, int64_t step, const Values &carried, Body body);
  Values loop(int64_t from, int64_t to, int64_t step, const Values &carried, Body body);
  void loop(int64_t from, int64_t to, int64_t step, llvm::function_ref<void(mlir::Value)> body);
  void loop(mlir::Value from, mlir::Value to, int64_t step, llvm::function_ref<void(mlir::Value)> body);
  void ifTrue(mlir::Value condition, llvm::function_ref<void()> body);
  mlir::Value equal(mlir::Value a, int64_t b);
  mlir::Value atLeast(mlir::Value a, int64_t b);
  mlir::Value atMost(mlir::Value a, int64_t b);

  int64_t rows(mlir::Value buffer) { return shape(buffer)[0]; }
  int64_t columns(mlir::Value buffer) { return shape(buffer).back(); }
  llvm::ArrayRef<int64_t> shape(mlir::Value buffer) {
    return llvm::cast<mlir::MemRefType>(buffer.getType()).getShape();
  }

  mlir::OpBuilder &builder;
  mlir::Location location;
  Tile tile;
};

} // namespace sluice::cpu
