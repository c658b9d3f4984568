// The adjoint of each step in float64. Cotangents of operands are added to, so that a value may be used
// often.

#include "dialect/recur/interpreter/Program.h"
#include "dialect/recur/interpreter/Scalar.h"

namespace sluice::recur::interpreter {

namespace {

/// The numbers of a step and their cotangents.
struct Place {
  const Step &step;
  const double *frame;
  double *cotangents;
  const double *r = frame + step.result.offset, *dr = cotangents + step.result.offset;
  const double *x = frame + step.x.offset, *y = frame + step.y.offset, *z = frame + step.z.offset;
  double *dx = cotangents + step.x.offset, *dy = cotangents + step.y.offset, *dz = cotangents + step.z.offset;
  int64_t size = step.result.size();
};

/// dx += f(x, r, dr).
template <typename F> void map(const Place &p, F f) {
  for (int64_t i = 0; i < p.size; ++i)
    p.dx[i] += f(p.x[i], p.r[i], p.dr[i]);
}
/// dx += f(x, y, dr), then dy += g(x, y, dr): x and y may be one value.
template <typename F, typename G> void zip(const Place &p, F f, G g) {
  for (int64_t i = 0; i < p.size; ++i)
    p.dx[i] += f(p.x[i], p.y[i], p.dr[i]);
  for (int64_t i = 0; i < p.size; ++i)
    p.dy[i] += g(p.x[i], p.y[i], p.dr[i]);
}

/// Adds f(i, j), summed over the dimensions that `to` lacks, to dx.
template <typename F> void gather(const Slot &result, const Slot &to, double *dx, F f) {
  int64_t rowStep = to.rows > 1 ? to.columns : 0, columnStep = to.columns > 1 ? 1 : 0;
  for (int64_t i = 0; i < result.rows; ++i)
    for (int64_t j = 0; j < result.columns; ++j)
      dx[i * rowStep + j * columnStep] += f(i * result.columns + j);
}

/// S' = e^g S: dS += e^g dS', dg += sum of S' dS', and 0 for a clamped gate.
void decayAdjoint(const Place &p) {
  int64_t rows = p.step.result.rows, columns = p.step.result.columns;
  int64_t rowStep = p.step.y.rows > 1 ? p.step.y.columns : 0, columnStep = p.step.y.columns > 1 ? 1 : 0;
  for (int64_t i = 0; i < rows; ++i) {
    const double *g = p.y + i * rowStep, *next = p.r + i * columns, *dNext = p.dr + i * columns;
    double *dg = p.dy + i * rowStep, *dState = p.dx + i * columns;
    if (columnStep) {
      for (int64_t j = 0; j < columns; ++j) {
        dState[j] += std::exp(clampGate(g[j])) * dNext[j];
        dg[j] += g[j] <= gateFloor ? 0 : next[j] * dNext[j];
      }
      continue;
    }
    double factor = std::exp(clampGate(*g));
    for (int64_t j = 0; j < columns; ++j)
      dState[j] += factor * dNext[j];
    *dg += *g <= gateFloor ? 0 : dot(next, dNext, columns);
  }
}

/// r = S^T x: dS += x dr^T, dx += S dr.
void readAdjoint(const Place &p) {
  int64_t columns = p.step.x.columns;
  for (int64_t i = 0; i < p.step.x.rows; ++i) {
    for (int64_t j = 0; j < columns; ++j)
      p.dx[i * columns + j] += p.y[i] * p.dr[j];
    p.dy[i] += dot(p.x + i * columns, p.dr, columns);
  }
}

/// S' = S + x u^T, operands u, x, S: du += dS'^T x, dx += dS' u, dS += dS'.
void writeAdjoint(const Place &p) {
  int64_t columns = p.step.result.columns;
  for (int64_t i = 0; i < p.step.result.rows; ++i) {
    const double *dNext = p.dr + i * columns;
    for (int64_t j = 0; j < columns; ++j)
      p.dx[j] += p.y[i] * dNext[j];
    p.dy[i] += dot(dNext, p.x, columns);
    for (int64_t j = 0; j < columns; ++j)
      p.dz[i * columns + j] += dNext[j];
  }
}

void outerAdjoint(const Place &p) {
  int64_t columns = p.step.result.columns;
  for (int64_t i = 0; i < p.step.result.rows; ++i) {
    p.dx[i] += dot(p.dr + i * columns, p.y, columns);
    for (int64_t j = 0; j < columns; ++j)
      p.dy[j] += p.x[i] * p.dr[i * columns + j];
  }
}

void dotAdjoint(const Place &p) {
  int64_t size = p.step.x.size();
  for (int64_t i = 0; i < size; ++i)
    p.dx[i] += p.dr[0] * p.y[i];
  for (int64_t i = 0; i < size; ++i)
    p.dy[i] += p.dr[0] * p.x[i];
}

/// r = f x with f = (sum x^2 + epsilon)^(-1/2): dx += f (dr - r (r . dr)).
void normalizeAdjoint(const Place &p) {
  double factor = 1 / std::sqrt(dot(p.x, p.x, p.size) + p.step.number);
  double along = dot(p.r, p.dr, p.size);
  map(p, [&](double, double r, double dr) { return factor * (dr - r * along); });
}

void scaleAdjoint(const Place &p) {
  p.dy[0] += dot(p.x, p.dr, p.size);
  map(p, [&](double, double, double dr) { return p.y[0] * dr; });
}

void fmaAdjoint(const Place &p) {
  p.dx[0] += p.y[0] * p.dr[0];
  p.dy[0] += p.x[0] * p.dr[0];
  p.dz[0] += p.dr[0];
}

const double ln2 = std::log(2.0);

/// Steps of one operand, element by element. False for other steps.
bool runMapAdjoint(const Place &p) {
  switch (p.step.code) {
  case Code::neg:
    map(p, [](double, double, double d) { return -d; });
    return true;
  case Code::abs:
    map(p, [](double x, double, double d) { return x > 0 ? d : x < 0 ? -d : 0 * d; });
    return true;
  case Code::exp:
    map(p, [](double, double r, double d) { return r * d; });
    return true;
  case Code::exp2:
    map(p, [](double, double r, double d) { return ln2 * r * d; });
    return true;
  case Code::expm1:
    map(p, [](double x, double, double d) { return std::exp(x) * d; });
    return true;
  case Code::log:
    map(p, [](double x, double, double d) { return d / x; });
    return true;
  case Code::log2:
    map(p, [](double x, double, double d) { return d / (x * ln2); });
    return true;
  case Code::log1p:
    map(p, [](double x, double, double d) { return d / (1 + x); });
    return true;
  case Code::sqrt:
    map(p, [](double, double r, double d) { return d / (2 * r); });
    return true;
  case Code::rsqrt:
    map(p, [](double x, double r, double d) { return -d * r / (2 * x); });
    return true;
  case Code::tanh:
    map(p, [](double, double r, double d) { return d * (1 - r * r); });
    return true;
  case Code::sigmoid:
    map(p, [](double x, double r, double d) { return d * r * sigmoid(-x); });
    return true;
  case Code::logSigmoid:
    map(p, [](double x, double, double d) { return d * sigmoid(-x); });
    return true;
  case Code::softplus:
    map(p, [](double x, double, double d) { return d * sigmoid(x); });
    return true;
  case Code::silu:
    map(p, [](double x, double r, double d) { return d * (sigmoid(x) + r * sigmoid(-x)); });
    return true;
  case Code::clampGate:
    map(p, [](double x, double, double d) { return x <= gateFloor ? 0 : d; });
    return true;
  default:
    return false;
  }
}

/// Steps of two operands, element by element. False for other steps.
bool runZipAdjoint(const Place &p) {
  auto first = [](double, double, double d) { return d; };
  auto none = [](double, double, double) { return 0.0; };
  switch (p.step.code) {
  case Code::add:
    zip(p, first, first);
    return true;
  case Code::sub:
    zip(p, first, [](double, double, double d) { return -d; });
    return true;
  case Code::mul:
    zip(
        p, [](double, double y, double d) { return y * d; },
        [](double x, double, double d) { return x * d; });
    return true;
  case Code::div:
    zip(
        p, [](double, double y, double d) { return d / y; },
        [](double x, double y, double d) { return -d * x / (y * y); });
    return true;
  case Code::max:
    zip(
        p, [](double x, double y, double d) { return heaviside(x, y) * d; },
        [](double x, double y, double d) { return heaviside(y, x) * d; });
    return true;
  case Code::min:
    zip(
        p, [](double x, double y, double d) { return heaviside(y, x) * d; },
        [](double x, double y, double d) { return heaviside(x, y) * d; });
    return true;
  case Code::clampGateAdjoint:
    zip(p, none, [](double x, double, double d) { return x > gateFloor ? d : 0; });
    return true;
  case Code::step:
    return true;
  default:
    return false;
  }
}

void runStepAdjoint(const Place &p) {
  if (runMapAdjoint(p) || runZipAdjoint(p))
    return;
  switch (p.step.code) {
  case Code::fma:
    return fmaAdjoint(p);
  case Code::decay:
    return decayAdjoint(p);
  case Code::read:
    return readAdjoint(p);
  case Code::write:
    return writeAdjoint(p);
  case Code::scale:
    return scaleAdjoint(p);
  case Code::dot:
    return dotAdjoint(p);
  case Code::normalize:
    return normalizeAdjoint(p);
  case Code::outer:
    return outerAdjoint(p);
  case Code::broadcast:
    return gather(p.step.result, p.step.x, p.dx, [&](int64_t at) { return p.dr[at]; });
  case Code::sum:
    return gather(p.step.x, p.step.x, p.dx, [&](int64_t) { return p.dr[0]; });
  default:
    return;
  }
}

} // namespace

void runAdjoint(const Program &program, const double *frame, double *cotangents) {
  for (auto step = program.steps.rbegin(); step != program.steps.rend(); ++step)
    runStepAdjoint(Place{*step, frame, cotangents});
}

} // namespace sluice::recur::interpreter
