// Launch records, arguments and references of counter_chain.cu and counter_chain_bulk.cu.
#include "test/gpukernels/GpuKernels.h"

#include <cmath>

namespace sluice::gpukernels {

namespace {

Sizes chainSizes(int64_t stages, int64_t chains, int64_t count) {
  return {{"stages", stages}, {"chains", chains}, {"count", count}};
}

Arrays arguments(const Sizes &s, uint64_t seed) {
  Arrays arrays;
  int64_t elements = s.at("chains") * s.at("count");
  arrays["source"] = Array(DType::f32, elements, true);
  arrays["scale"] = Array(DType::f32, s.at("stages"), true);
  arrays["shift"] = Array(DType::f32, s.at("stages"), true);
  arrays["target"] = Array(DType::f32, elements, false);
  fillUniform(arrays["source"], seed);
  fillUniform(arrays["scale"], seed + 1);
  fillUniform(arrays["shift"], seed + 2);
  return arrays;
}

/// The kernel's own operations: one fma for each block.
Expectations reference(const Sizes &s, const Arrays &arrays) {
  Expected expected;
  for (int64_t i = 0; i < s.at("chains") * s.at("count"); ++i) {
    float x = static_cast<float>(arrays.at("source").at(i));
    for (int64_t stage = 0; stage < s.at("stages"); ++stage)
      x = std::fma(static_cast<float>(arrays.at("scale").at(stage)), x,
                   static_cast<float>(arrays.at("shift").at(stage)));
    expected.value.push_back(x);
  }
  return {{"target", expected}};
}

KernelCase chainCase(const std::string &name, const std::string &source, const std::string &target,
                     int64_t sharedBytes) {
  KernelCase one{.name = name, .source = source, .target = target};
  one.record.kernel = name;
  one.record.sizes = {"stages", "chains", "count"};
  one.record.grid = {"stages * min(count, 1)", "chains", 1};
  one.record.sharedBytes = sharedBytes;
  one.record.residency = Residency::cooperative;
  one.record.parameters = {
      tensorParameter("source", DType::f32, Direction::read, {"chains", "count"}),
      tensorParameter("scale", DType::f32, Direction::read, {"stages"}),
      tensorParameter("shift", DType::f32, Direction::read, {"stages"}),
      tensorParameter("target", DType::f32, Direction::write, {"chains", "count"}),
      workspaceParameter("rings", DType::f32, "(stages - 1) * chains * 3 * 512 * 4", "undefined"),
      workspaceParameter("counters", DType::u32, "(stages - 1) * chains * 2 * 8 * 4", "0"),
      sizeParameter("length", "count")};
  one.sizes = {chainSizes(3, 2, 0),    chainSizes(1, 1, 1),    chainSizes(1, 3, 1000),
               chainSizes(2, 1, 5000), chainSizes(5, 2, 2049), chainSizes(9, 1, 3333)};
  one.small = chainSizes(3, 1, 2500);
  one.large = chainSizes(4, 32, 1 << 20);
  one.makeArguments = arguments;
  one.reference = reference;
  return one;
}

} // namespace

std::vector<KernelCase> chainCases() {
  return {chainCase("chain", "counter_chain.cu", "sm_80", 0),
          chainCase("chain_bulk_read", "counter_chain_bulk.cu", "sm_90", 512 * 4 + 8),
          chainCase("chain_bulk_write", "counter_chain_bulk.cu", "sm_90", 512 * 4)};
}

} // namespace sluice::gpukernels
