// A token program flattened to steps on one array of numbers, for the interpreter.
#pragma once

#include "dialect/recur/Recur.h"

#include <cstdint>
#include <vector>

namespace sluice::recur::interpreter {

enum class Code {
  // One number in, one out, element by element.
  neg,
  abs,
  exp,
  exp2,
  expm1,
  log,
  log2,
  log1p,
  sqrt,
  rsqrt,
  tanh,
  sigmoid,
  logSigmoid,
  softplus,
  silu,
  clampGate,
  // Two numbers in, one out.
  add,
  sub,
  mul,
  div,
  max,
  min,
  step,
  clampGateAdjoint,
  fma,
  // The state.
  decay,
  read,
  write,
  // What changes kinds.
  scale,
  broadcast,
  dot,
  sum,
  normalize,
  outer,
};

/// Where a value lies: rows x columns numbers. A key is a column of K, a value a row of V; either is 1 where
/// the value does not extend along it.
struct Slot {
  int64_t offset = 0, rows = 1, columns = 1;
  int64_t size() const { return rows * columns; }
};

struct Step {
  Code code;
  Slot result, x, y, z; ///< Operands in their order; absent ones are not read.
  double number = 0;    ///< The epsilon of normalize.
};

struct Constant {
  Slot slot;
  double number;
};

struct Program {
  int64_t frameSize = 0; ///< Numbers of one token.
  std::vector<Slot> arguments;
  Slot state, nextState;
  std::vector<Slot> results;
  std::vector<Constant> constants;
  std::vector<Step> steps;
};

Program flatten(RecurrenceOp recurrence, int64_t keyDim, int64_t valueDim);

/// Computes every value of a token; arguments, constants and the state lie in the frame.
void run(const Program &program, double *frame);
/// Adds to the cotangents of all values, given those of the results and of the next state.
void runAdjoint(const Program &program, const double *frame, double *cotangents);

} // namespace sluice::recur::interpreter
