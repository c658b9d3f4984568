// Between PyTorch's tensors and the runtime's, without copying.
#pragma once

#include "runtime/Tensor.h"

#include <ATen/core/Tensor.h>

namespace sluice {

/// Throws UserError for a type that the runtime does not have.
DType typeOf(const at::Tensor &tensor);
at::ScalarType torchType(DType dtype);

/// A view of a dense tensor on the CPU; null data if it is undefined.
TensorView viewOf(const at::Tensor &tensor);

/// Share the memory and keep it alive. `tensor` must be dense.
Tensor fromTorch(const at::Tensor &tensor);
at::Tensor toTorch(const Tensor &tensor);

} // namespace sluice
