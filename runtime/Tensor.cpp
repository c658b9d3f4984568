// Names and sizes of element types, owned tensors.
#include "runtime/Tensor.h"

#include <cstring>
#include <new>

namespace sluice {

namespace {
struct TypeName {
  DType dtype;
  const char *name;
  int64_t size;
};
constexpr TypeName typeNames[] = {{DType::f32, "f32", 4},
                                  {DType::f16, "f16", 2},
                                  {DType::bf16, "bf16", 2},
                                  {DType::i64, "i64", 8},
                                  {DType::f64, "f64", 8},
                                  {DType::i32, "i32", 4},
                                  {DType::u32, "u32", 4}};
} // namespace

int64_t sizeOf(DType dtype) { return typeNames[static_cast<int>(dtype)].size; }

const char *nameOf(DType dtype) { return typeNames[static_cast<int>(dtype)].name; }

std::optional<DType> parseDType(std::string_view name) {
  for (const TypeName &entry : typeNames)
    if (name == entry.name)
      return entry.dtype;
  return std::nullopt;
}

bool isArgumentType(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16;
}

std::string toString(const Shape &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

int64_t elementsOf(const Shape &shape) {
  int64_t product = 1;
  for (int64_t size : shape)
    product *= size;
  return product;
}

Tensor Tensor::empty(DType dtype, Shape shape) {
  int64_t bytes = sizeOf(dtype);
  for (int64_t size : shape)
    if (__builtin_mul_overflow(bytes, size, &bytes))
      throw std::bad_alloc();
  Tensor tensor{dtype, std::move(shape), nullptr};
  tensor.storage = allocate(bytes);
  return tensor;
}

Tensor Tensor::zeros(DType dtype, Shape shape) {
  Tensor tensor = empty(dtype, std::move(shape));
  std::memset(tensor.data(), 0, tensor.bytes());
  return tensor;
}

ViewMap viewsOf(const TensorMap &tensors) {
  ViewMap views;
  for (const auto &[name, tensor] : tensors)
    views[name] = tensor.view();
  return views;
}

} // namespace sluice
