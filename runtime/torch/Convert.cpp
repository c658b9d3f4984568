// Tensors that share memory across the two libraries.
#include "runtime/torch/Convert.h"

#include "runtime/Error.h"

#include <ATen/ops/from_blob.h>

namespace sluice {

DType typeOf(const at::Tensor &tensor) {
  switch (tensor.scalar_type()) {
  case at::kFloat:
    return DType::f32;
  case at::kHalf:
    return DType::f16;
  case at::kBFloat16:
    return DType::bf16;
  case at::kLong:
    return DType::i64;
  case at::kDouble:
    return DType::f64;
  default:
    throw UserError(std::string("expected a tensor of float, half, bfloat16, double or int64, got ") +
                    c10::toString(tensor.scalar_type()));
  }
}

at::ScalarType torchType(DType dtype) {
  switch (dtype) {
  case DType::f32:
    return at::kFloat;
  case DType::f16:
    return at::kHalf;
  case DType::bf16:
    return at::kBFloat16;
  case DType::i64:
    return at::kLong;
  case DType::f64:
    return at::kDouble;
  case DType::i32:
    return at::kInt;
  case DType::u32:
    return at::kUInt32;
  }
  __builtin_unreachable();
}

TensorView viewOf(const at::Tensor &tensor) {
  if (!tensor.defined())
    return {};
  return {typeOf(tensor), tensor.sizes().vec(), tensor.data_ptr()};
}

Tensor fromTorch(const at::Tensor &tensor) {
  TensorView view = viewOf(tensor);
  // The deleter owns a reference to PyTorch's tensor.
  return {view.dtype, view.shape, std::shared_ptr<void>(view.data, [tensor](void *) {})};
}

at::Tensor toTorch(const Tensor &tensor) {
  return at::from_blob(
      tensor.data(), tensor.shape, [storage = tensor.storage](void *) {},
      at::TensorOptions().dtype(torchType(tensor.dtype)));
}

} // namespace sluice
