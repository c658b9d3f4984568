// Small kernels that together use every primitive on every lane, shape, swizzle and register, with all that
// they compute written to memory. What one side writes is compared with what the other side writes.
#pragma once

#include "test/gpukernels/GpuKernels.h"

#include <string>
#include <vector>

namespace sluice::gpusuite {

using gpukernels::Array;
using gpukernels::Arrays;
using gpukernels::KernelCase;
using gpukernels::Sizes;

enum class Comparison {
  bits,   ///< Every bit.
  floats, ///< Every bit, but any NaN equals any other: the payload of a NaN from plain arithmetic is no
          ///< promise.
  bounds  ///< Approximations: each side within the stated bound of the exact result.
};

/// `small` of the case are the sizes it runs at; there is no reference.
struct Probe {
  KernelCase kernel;
  Comparison comparison = Comparison::bits;
};

/// In the order of the table of primitives: values, threads, memory, matrices, sm_90, tensor maps, wgmma.
const std::vector<Probe> &probes();
/// Throws std::out_of_range.
const Probe &probe(const std::string &name);

/// How the words of an input are drawn.
enum class Inputs { patterns, random, floats, halves, positions };
std::vector<uint32_t> drawWords(Inputs inputs, size_t count, uint64_t seed);

/// Something whose cost per step is measured; `large` has the rounds to measure with.
struct Latency {
  std::string name;
  KernelCase kernel;
};
const std::vector<Latency> &latencies();

// For the files of probes.
std::vector<Probe> tensorProbes();

/// The values, as functions of the argument, that the probe `approximations` computes, and their bounds.
struct Approximation {
  const char *name;
  double (*exact)(double);
  double relative, absolute; ///< Either suffices.
};
const std::vector<Approximation> &approximations();

} // namespace sluice::gpusuite
