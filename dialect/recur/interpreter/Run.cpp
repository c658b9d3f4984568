// The meaning of each step in float64: values.

#include "dialect/recur/interpreter/Program.h"
#include "dialect/recur/interpreter/Scalar.h"

#include <algorithm>

namespace sluice::recur::interpreter {

namespace {

/// The numbers that a step reads and writes.
struct Place {
  const Step &step;
  double *frame;
  double *r = frame + step.result.offset;
  const double *x = frame + step.x.offset, *y = frame + step.y.offset, *z = frame + step.z.offset;
  int64_t size = step.result.size();
};

template <typename F> void map(const Place &p, F f) {
  for (int64_t i = 0; i < p.size; ++i)
    p.r[i] = f(p.x[i]);
}
template <typename F> void zip(const Place &p, F f) {
  for (int64_t i = 0; i < p.size; ++i)
    p.r[i] = f(p.x[i], p.y[i]);
}

/// Spreads x, which extends along none, one or both dimensions of the result, through f.
template <typename F> void spread(const Place &p, const Slot &from, const double *x, F f) {
  int64_t rowStep = from.rows > 1 ? from.columns : 0, columnStep = from.columns > 1 ? 1 : 0;
  for (int64_t i = 0; i < p.step.result.rows; ++i)
    for (int64_t j = 0; j < p.step.result.columns; ++j)
      f(i * p.step.result.columns + j, x[i * rowStep + j * columnStep]);
}

/// S <- e^g * S, with g spread over S; one exponential for each g.
void decay(const Place &p) {
  if (p.step.y.columns > 1) {
    spread(p, p.step.y, p.y, [&](int64_t at, double g) { p.r[at] = std::exp(clampGate(g)) * p.x[at]; });
    return;
  }
  int64_t columns = p.step.result.columns;
  double factor = std::exp(clampGate(p.y[0]));
  for (int64_t i = 0; i < p.step.result.rows; ++i) {
    if (p.step.y.rows > 1)
      factor = std::exp(clampGate(p.y[i]));
    for (int64_t j = 0; j < columns; ++j)
      p.r[i * columns + j] = factor * p.x[i * columns + j];
  }
}

/// r = S^T x.
void read(const Place &p) {
  int64_t rows = p.step.x.rows, columns = p.step.x.columns;
  std::fill_n(p.r, columns, 0.0);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      p.r[j] += p.y[i] * p.x[i * columns + j];
}

/// S <- S + x u^T; operands are u, x, S.
void write(const Place &p) {
  int64_t rows = p.step.result.rows, columns = p.step.result.columns;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      p.r[i * columns + j] = p.z[i * columns + j] + p.y[i] * p.x[j];
}

void outer(const Place &p) {
  int64_t columns = p.step.result.columns;
  for (int64_t i = 0; i < p.step.result.rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      p.r[i * columns + j] = p.x[i] * p.y[j];
}

void normalize(const Place &p) {
  double factor = 1 / std::sqrt(dot(p.x, p.x, p.size) + p.step.number);
  map(p, [&](double x) { return factor * x; });
}

double total(const double *x, int64_t size) {
  double result = 0;
  for (int64_t i = 0; i < size; ++i)
    result += x[i];
  return result;
}

void runStep(const Place &p) {
  switch (p.step.code) {
  case Code::neg:
    return map(p, [](double x) { return -x; });
  case Code::abs:
    return map(p, [](double x) { return std::fabs(x); });
  case Code::exp:
    return map(p, [](double x) { return std::exp(x); });
  case Code::exp2:
    return map(p, [](double x) { return std::exp2(x); });
  case Code::expm1:
    return map(p, [](double x) { return std::expm1(x); });
  case Code::log:
    return map(p, [](double x) { return std::log(x); });
  case Code::log2:
    return map(p, [](double x) { return std::log2(x); });
  case Code::log1p:
    return map(p, [](double x) { return std::log1p(x); });
  case Code::sqrt:
    return map(p, [](double x) { return std::sqrt(x); });
  case Code::rsqrt:
    return map(p, [](double x) { return 1 / std::sqrt(x); });
  case Code::tanh:
    return map(p, [](double x) { return std::tanh(x); });
  case Code::sigmoid:
    return map(p, sigmoid);
  case Code::logSigmoid:
    return map(p, [](double x) { return -softplus(-x); });
  case Code::softplus:
    return map(p, softplus);
  case Code::silu:
    return map(p, [](double x) { return x * sigmoid(x); });
  case Code::clampGate:
    return map(p, clampGate);
  case Code::add:
    return zip(p, [](double x, double y) { return x + y; });
  case Code::sub:
    return zip(p, [](double x, double y) { return x - y; });
  case Code::mul:
    return zip(p, [](double x, double y) { return x * y; });
  case Code::div:
    return zip(p, [](double x, double y) { return x / y; });
  case Code::max:
    return zip(p, [](double x, double y) { return larger(x, y); });
  case Code::min:
    return zip(p, [](double x, double y) { return -larger(-x, -y); });
  case Code::step:
    return zip(p, heaviside);
  case Code::clampGateAdjoint:
    return zip(p, [](double x, double y) { return x > gateFloor ? y : 0; });
  case Code::fma:
    p.r[0] = p.x[0] * p.y[0] + p.z[0];
    return;
  case Code::decay:
    return decay(p);
  case Code::read:
    return read(p);
  case Code::write:
    return write(p);
  case Code::scale:
    return map(p, [&](double x) { return p.y[0] * x; });
  case Code::broadcast:
    return spread(p, p.step.x, p.x, [&](int64_t at, double x) { p.r[at] = x; });
  case Code::dot:
    p.r[0] = dot(p.x, p.y, p.step.x.size());
    return;
  case Code::sum:
    p.r[0] = total(p.x, p.step.x.size());
    return;
  case Code::normalize:
    return normalize(p);
  case Code::outer:
    return outer(p);
  }
}

} // namespace

void run(const Program &program, double *frame) {
  for (const Step &step : program.steps)
    runStep(Place{step, frame});
}

} // namespace sluice::recur::interpreter
