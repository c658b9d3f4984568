// e^x by range reduction and a polynomial.
#include "codegen/cpu/kernels/Kernels.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>

using namespace mlir;

namespace sluice::cpu {

namespace {

/// Arithmetic on scalars or vectors alike.
class Like {
public:
  Like(OpBuilder &builder, Location location, Type type) : builder(builder), location(location), type(type) {
    integer = builder.getI32Type();
    if (auto vector = dyn_cast<VectorType>(type))
      integer = vector.clone(integer);
  }

  Value number(float value) { return constant(type, builder.getF32FloatAttr(value)); }
  Value whole(int32_t value) { return constant(integer, builder.getI32IntegerAttr(value)); }
  Value fma(Value a, Value b, Value c) { return math::FmaOp::create(builder, location, a, b, c); }
  template <typename Op> Value apply(Value a, Value b) { return Op::create(builder, location, a, b); }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(builder, location, predicate, a, b);
  }
  Value select(Value condition, Value yes, Value no) {
    return arith::SelectOp::create(builder, location, condition, yes, no);
  }
  Value toBits(Value x) { return arith::BitcastOp::create(builder, location, integer, x); }
  Value fromBits(Value x) { return arith::BitcastOp::create(builder, location, type, x); }

  /// 2^n for n in [-126, 127], given as an integer.
  Value powerOfTwo(Value n) {
    Value biased = apply<arith::AddIOp>(n, whole(127));
    return fromBits(apply<arith::ShLIOp>(biased, whole(23)));
  }

private:
  Value constant(Type of, TypedAttr value) {
    if (auto vector = dyn_cast<VectorType>(of))
      return arith::ConstantOp::create(builder, location, DenseElementsAttr::get(vector, Attribute(value)));
    return arith::ConstantOp::create(builder, location, value);
  }

  OpBuilder &builder;
  Location location;
  Type type, integer;
};

} // namespace

Value emitExp(OpBuilder &builder, Location location, Value x) {
  Like like(builder, location, x.getType());
  // Beyond these bounds the result is 0 or inf. A comparison with NaN is false, which keeps it.
  constexpr float lowest = -87.33654f, highest = 88.72283f;
  Value tooLow = like.compare(arith::CmpFPredicate::OLT, x, like.number(lowest));
  Value tooHigh = like.compare(arith::CmpFPredicate::OGT, x, like.number(highest));
  Value bounded = like.select(tooLow, like.number(lowest), x);
  bounded = like.select(tooHigh, like.number(highest), bounded);

  // x = n ln 2 + r. Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  constexpr float shift = 12582912.0f;
  Value shifted = like.apply<arith::AddFOp>(
      like.apply<arith::MulFOp>(bounded, like.number(1.44269504088896341f)), like.number(shift));
  Value n = like.apply<arith::SubFOp>(shifted, like.number(shift));
  Value r = like.fma(n, like.number(-0.693359375f), bounded);
  r = like.fma(n, like.number(2.12194440e-4f), r);

  // Cephes' minimax polynomial for (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2.
  constexpr float coefficients[] = {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f,
                                    5.0000001201e-1f};
  Value sum = like.number(1.9875691500e-4f);
  for (float coefficient : coefficients)
    sum = like.fma(sum, r, like.number(coefficient));
  Value square = like.apply<arith::MulFOp>(r, r);
  sum = like.apply<arith::AddFOp>(like.fma(sum, square, r), like.number(1));

  // 2^n in two factors: n may be 128.
  Value exponent = like.apply<arith::SubIOp>(like.toBits(shifted), like.toBits(like.number(shift)));
  Value half = like.apply<arith::ShRSIOp>(exponent, like.whole(1));
  Value rest = like.apply<arith::SubIOp>(exponent, half);
  Value result =
      like.apply<arith::MulFOp>(like.apply<arith::MulFOp>(sum, like.powerOfTwo(half)), like.powerOfTwo(rest));
  result = like.select(tooLow, like.number(0), result);
  return like.select(tooHigh, like.number(INFINITY), result);
}

} // namespace sluice::cpu
