// Element types, owned tensors and borrowed views: what crosses between files, kernels and PyTorch.
// All tensors are dense and row-major; sizes and indices are 64-bit.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// i32 and u32 occur in launches only.
enum class DType { f32, f16, bf16, i64, f64, i32, u32 };

int64_t sizeOf(DType dtype);
/// "f32", "bf16", ...: the spelling of the command line.
const char *nameOf(DType dtype);
/// The inverse of nameOf; nothing for an unknown name.
std::optional<DType> parseDType(std::string_view name);
/// f32, f16 or bf16: what arguments may be stored as.
bool isArgumentType(DType dtype);

using Shape = std::vector<int64_t>;

/// "[2, 70, 4]".
std::string toString(const Shape &shape);
/// The product of the dimensions; 1 for a scalar.
int64_t elementsOf(const Shape &shape);

/// A tensor that somebody else keeps alive.
struct TensorView {
  DType dtype = DType::f32;
  Shape shape;
  void *data = nullptr;

  int64_t elements() const { return elementsOf(shape); }
  int64_t bytes() const { return elements() * sizeOf(dtype); }
};
using ViewMap = std::map<std::string, TensorView>;

/// A tensor that keeps its bytes alive: heap memory, or a part of a mapped file (then copied on write).
struct Tensor {
  DType dtype = DType::f32;
  Shape shape;
  std::shared_ptr<void> storage;

  /// Bytes are not initialised.
  static Tensor empty(DType dtype, Shape shape);
  static Tensor zeros(DType dtype, Shape shape);

  int64_t elements() const { return elementsOf(shape); }
  int64_t bytes() const { return elements() * sizeOf(dtype); }
  template <typename T = void> T *data() const { return static_cast<T *>(storage.get()); }
  TensorView view() const { return {dtype, shape, storage.get()}; }
};
using TensorMap = std::map<std::string, Tensor>;

ViewMap viewsOf(const TensorMap &tensors);

/// Memory for `bytes`, aligned to 64 bytes, in huge pages where it is large; not initialised. Up to 256 MiB of freed
/// large blocks are kept for the next allocations of about their size.
std::shared_ptr<void> allocate(int64_t bytes);

/// Converts `count` elements between f32, f16, bf16 and f64, to the nearest, ties to even.
void convert(DType fromType, const void *from, DType toType, void *to, int64_t count);
/// A copy of `view` as `dtype`.
Tensor converted(const TensorView &view, DType dtype);

} // namespace sluice
