// Compiles chunk ops through KernelEmitter and runs them on arrays.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace sluice::test {

/// A dense matrix, or a vector with one row.
struct Matrix {
  int64_t rows = 0, columns = 0;
  std::vector<float> values;

  Matrix(int64_t rows, int64_t columns, float value = 0)
      : rows(rows), columns(columns), values(rows * columns, value) {}
  float &operator()(int64_t i, int64_t j) { return values[i * columns + j]; }
  float operator()(int64_t i, int64_t j) const { return values[i * columns + j]; }
  float &operator[](int64_t i) { return values[i]; }
  float operator[](int64_t i) const { return values[i]; }
};

/// Normal entries, the same for the same seed.
Matrix random(int64_t rows, int64_t columns, unsigned seed);
/// "tensor<64x128xf32>", or "tensor<64xf32>" for a single row.
std::string tensorType(int64_t rows, int64_t columns);

/// rms(x - y) / rms(y); NaN and inf count as infinite.
double errorRatio(const Matrix &x, const std::vector<double> &y);

class KernelRunner {
public:
  /// `function` is one func.func on tensors whose body are the ops to run, in order, and an empty return.
  /// Buffers are the function's arguments and then the results of all ops. `features` choose the register
  /// tile; empty: this machine's.
  explicit KernelRunner(const std::string &function, bool accumulate = false,
                        const std::string &features = "");
  ~KernelRunner();
  KernelRunner(const KernelRunner &) = delete;

  void run(const std::vector<Matrix *> &buffers);
  /// Seconds of the fastest of several runs.
  double seconds(const std::vector<Matrix *> &buffers);

private:
  void *library = nullptr;
  void (*entry)(void *const *) = nullptr;
};

} // namespace sluice::test
