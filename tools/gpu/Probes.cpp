// The probes on words, with how many each thread reads and writes.
#include "tools/gpu/Probes.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>

namespace sluice::gpusuite {

using namespace gpukernels;

namespace {

/// Zeros, subnormals, ones, halves between two numbers of a narrower format, the largest, infinities, NaNs.
constexpr uint32_t specials[] = {0x00000000, 0x00000001, 0x00000fff, 0x00400000, 0x007fffff, 0x00800000,
                                 0x33000000, 0x33800000, 0x38000000, 0x387fc000, 0x387fe000, 0x38800000,
                                 0x3f000000, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3f801000, 0x3f803000,
                                 0x3f808000, 0x3f818000, 0x3fc00000, 0x40000000, 0x40490fdb, 0x42fe0000,
                                 0x43000000, 0x43160000, 0x47003c00, 0x477fdfff, 0x477fe000, 0x477ff000,
                                 0x47800000, 0x4b000000, 0x4effffff, 0x4f000000, 0x5f000000, 0x7f7f8000,
                                 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fa00000, 0x7fc00000, 0x7fffffff};

uint32_t drawPattern(std::mt19937_64 &random) {
  uint64_t bits = random();
  uint32_t sign = static_cast<uint32_t>(bits >> 63) << 31;
  switch (bits & 3) {
  case 0:
    return static_cast<uint32_t>(bits >> 8);
  case 1:
    return sign | specials[(bits >> 8) % std::size(specials)];
  default: // Of moderate size, where conversions round rather than overflow.
    return sign | static_cast<uint32_t>(((bits >> 8) % 60 + 100) << 23 | ((bits >> 20) & 0x7fffff));
  }
}

float drawFloat(std::mt19937_64 &random) {
  uint64_t bits = random();
  float mantissa = static_cast<float>(bits & 0xffffff) / 0x1000000 + 0.5f;
  return std::ldexp((bits >> 63) ? -mantissa : mantissa, static_cast<int>((bits >> 32) % 24) - 12);
}

/// Two halves that are f16 and bf16 alike: moderate, with now and then anything at all.
uint32_t drawHalves(std::mt19937_64 &random) {
  auto half = [&] {
    uint64_t bits = random();
    if ((bits & 1023) == 0)
      return static_cast<uint32_t>((bits >> 16) & 0xffff);
    return static_cast<uint32_t>((bits >> 63) << 15 | (0x3800 + ((bits >> 16) & 0x0fff)));
  };
  uint32_t low = half();
  return low | half() << 16;
}

struct Shape {
  const char *source, *target, *name;
  int reads, writes;
  Inputs inputs = Inputs::patterns;
  Comparison comparison = Comparison::bits;
  int64_t threads = 128, blocks = 8, sharedBytes = 0, cluster = 1;
  int64_t extraWords = 0; ///< Of the output, zeros at first.
};

Arrays makeArguments(const Shape &shape, int64_t blocks, uint64_t seed) {
  int64_t threads = blocks * shape.threads;
  Array input(DType::u32, threads * shape.reads, true);
  std::vector<uint32_t> words = drawWords(shape.inputs, input.bytes.size() / 4, seed);
  std::memcpy(input.bytes.data(), words.data(), input.bytes.size());
  Array output(DType::u32, threads * shape.writes + shape.extraWords, shape.extraWords > 0);
  if (shape.extraWords > 0)
    std::fill(output.bytes.begin(), output.bytes.end(), uint8_t{0});
  return {{"input", input}, {"output", output}};
}

Probe makeProbe(const Shape &shape) {
  Probe probe;
  probe.comparison = shape.comparison;
  KernelCase &one = probe.kernel;
  one.name = shape.name;
  one.source = shape.source;
  one.target = shape.target;
  one.small = {{"blocks", shape.blocks}};
  LaunchRecord &record = one.record;
  record.kernel = shape.name;
  record.sizes = {"blocks"};
  record.grid = {"blocks", 1, 1};
  record.threads = shape.threads;
  record.cluster = {shape.cluster, 1, 1};
  record.sharedBytes = shape.sharedBytes;
  std::string threads = "blocks * " + std::to_string(shape.threads) + " * ";
  Direction direction = shape.extraWords > 0 ? Direction::readWrite : Direction::write;
  record.parameters = {
      tensorParameter("input", DType::u32, Direction::read, {threads + std::to_string(shape.reads)}),
      tensorParameter("output", DType::u32, direction,
                      {threads + std::to_string(shape.writes) + " + " + std::to_string(shape.extraWords)}),
      sizeParameter("reads", shape.reads), sizeParameter("writes", shape.writes)};
  one.makeArguments = [shape](const Sizes &sizes, uint64_t seed) {
    return gpusuite::makeArguments(shape, sizes.at("blocks"), seed);
  };
  return probe;
}

std::vector<Shape> plainShapes() {
  using enum Inputs;
  constexpr Comparison bits = Comparison::bits, bounds = Comparison::bounds;
  return {{"values.cu", "sm_80", "conversions", 2, 15, patterns, bits, 128, 64},
          {"values.cu", "sm_80", "widening", 1, 3, positions, bits, 128, 512},
          {"values.cu", "sm_80", "integers", 4, 17, random, bits, 128, 32},
          {"values.cu", "sm_80", "rounded", 3, 8, patterns, Comparison::floats, 128, 64},
          {"values.cu", "sm_80", "exponential", 1, 1, patterns, Comparison::floats, 128, 64},
          {"values.cu", "sm_80", "approximations", 1, 6, patterns, bounds, 128, 64},
          {"threads.cu", "sm_80", "exchanges", 2, 15, random, bits, 64, 33},
          {"threads.cu", "sm_80", "election", 1, 2, random, bits, 64, 2},
          {"threads.cu", "sm_80", "reductions", 1, 10, Inputs::floats, bits, 256, 4, 32},
          {"memory.cu", "sm_80", "widths", 44, 44, random, bits, 64, 4},
          {"memory.cu", "sm_80", "sharedWidths", 4, 4, random, bits, 256, 4, 8192},
          {"memory.cu", "sm_80", "predicates", 4, 8, random, bits, 128, 4, 2048},
          {"memory.cu", "sm_80", "predicatedWidths", 8, 16, random, bits, 128, 4, 2048},
          {"memory.cu", "sm_80", "atomics", 2, 3, random, bits, 128, 8, 64},
          {"memory.cu", "sm_80", "orderedAtomics", 2, 6, random, bits, 128, 4},
          {"memory.cu", "sm_80", "counters", 1, 2, random, bits, 64, 8, 0, 1, 16},
          {"memory.cu", "sm_80", "orders", 1, 2, random, bits, 32, 8, 0, 1, 128},
          {"memory.cu", "sm_80", "blockOrders", 1, 2, random, bits, 64, 1, 0, 1, 32},
          {"memory.cu", "sm_80", "barriers", 1, 3, random, bits, 128, 4, 1024},
          {"matrices.cu", "sm_80", "mmaBf16", 10, 4, halves, bits, 64, 32},
          {"matrices.cu", "sm_80", "mmaF16", 10, 4, halves, bits, 64, 32},
          {"matrices.cu", "sm_80", "mmaF16K8", 7, 4, halves, bits, 64, 32},
          {"matrices.cu", "sm_80", "mmaTf32K8", 10, 4, patterns, bits, 64, 32},
          {"matrices.cu", "sm_80", "ldmatrices", 17, 26, random, bits, 32, 16, 2048},
          {"matrices.cu", "sm_80", "cpAsyncs", 8, 8, random, bits, 128, 4, 4104},
          {"matrices.cu", "sm_80", "cpAsyncForms", 8, 8, random, bits, 128, 4, 4096},
          {"matrices.cu", "sm_80", "mbarriers", 1, 3, random, bits, 128, 4, 1024},
          {"hopper.cu", "sm_90a", "stmatrices", 14, 24, random, bits, 32, 16, 512},
          {"hopper.cu", "sm_90a", "bulkCopies", 4, 8, random, bits, 128, 4, 4104},
          {"hopper.cu", "sm_90a", "globalProxies", 1, 2, random, bits, 128, 4, 520},
          {"hopper.cu", "sm_90a", "arrivalCounts", 1, 2, random, bits, 64, 4, 512},
          {"hopper.cu", "sm_90a", "clusters", 4, 12, random, bits, 64, 8, 8192, 4},
          {"hopper.cu", "sm_90a", "multicasts", 4, 4, random, bits, 128, 4, 2056, 2}};
}

std::vector<Probe> wordProbes() {
  std::vector<Probe> list;
  for (const Shape &shape : plainShapes())
    list.push_back(makeProbe(shape));
  for (Probe &probe : list) {
    // Acquires synchronise with other blocks, whether there is something to learn or not.
    if (std::set<std::string>{"counters", "orders", "blockOrders", "atomics", "orderedAtomics"}.count(
            probe.kernel.name))
      probe.kernel.record.residency = Residency::cooperative;
  }
  // A grid of three dimensions.
  Probe places = makeProbe({"threads.cu", "sm_80", "places", 1, 8, Inputs::random, Comparison::bits, 96, 24});
  places.kernel.record.grid = {"blocks / 6", 3, 2};
  list.push_back(places);
  return list;
}

std::vector<Probe> productProbes() {
  std::vector<Probe> list;
  auto add = [&](const char *source, const std::string &name, int words) {
    Shape shape{source, "sm_90a", "", 80, words, Inputs::halves, Comparison::bits, 128, 2, 40960};
    Probe probe = makeProbe(shape);
    probe.kernel.name = probe.kernel.record.kernel = name;
    list.push_back(probe);
  };
  for (int n = 8; n <= 256; n += 8) {
    add("shared_products.cu", "wgmmaN" + std::to_string(n), n);
    add("register_products.cu", "wgmmaRegistersN" + std::to_string(n), n);
  }
  for (auto [name, n] : std::initializer_list<std::pair<const char *, int>>{
           {"wgmmaNegateA", 64},          {"wgmmaNegateB", 64},         {"wgmmaNegateBoth", 64},
           {"wgmmaMajorA", 128},          {"wgmmaMajorA8", 8},          {"wgmmaMajorB", 128},
           {"wgmmaMajorB8", 8},           {"wgmmaMajors64", 64},        {"wgmmaMajors", 256},
           {"wgmmaSwizzle0", 32},         {"wgmmaSwizzle32", 32},       {"wgmmaSwizzle64", 32},
           {"wgmmaMajorsSwizzle0", 64},   {"wgmmaMajorsSwizzle32", 64}, {"wgmmaMajorsSwizzle64", 64},
           {"wgmmaRegistersMajorB", 128}, {"wgmmaRegistersMajorB8", 8}, {"wgmmaRegistersMajorBNegated", 64},
           {"wgmmaRegistersNegateA", 64}, {"wgmmaRegistersNegated", 64}})
    add("products.cu", name, n / 2);
  add("products.cu", "wgmmaGroups", 44);
  Probe budgets =
      makeProbe({"products.cu", "sm_90a", "registerBudgets", 1, 1, Inputs::random, Comparison::bits, 384, 2});
  budgets.kernel.record.roles = {{"fewer", 128, 24}, {"more", 256, 232}};
  budgets.kernel.record.registersAtLaunch = 168;
  list.push_back(budgets);
  return list;
}

std::vector<Probe> allProbes() {
  std::vector<Probe> list = wordProbes();
  for (const std::vector<Probe> &more : {tensorProbes(), productProbes()})
    list.insert(list.end(), more.begin(), more.end());
  return list;
}

} // namespace

std::vector<uint32_t> drawWords(Inputs inputs, size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint32_t> words(count);
  for (size_t i = 0; i < count; ++i)
    switch (inputs) {
    case Inputs::patterns:
      words[i] = drawPattern(random);
      break;
    case Inputs::random:
      words[i] = static_cast<uint32_t>(random());
      break;
    case Inputs::floats:
      words[i] = std::bit_cast<uint32_t>(drawFloat(random));
      break;
    case Inputs::halves:
      words[i] = drawHalves(random);
      break;
    case Inputs::positions: // All patterns of 16 bits, under random upper halves.
      words[i] = static_cast<uint32_t>(random()) << 16 | static_cast<uint32_t>(i & 0xffff);
      break;
    }
  return words;
}

const std::vector<Probe> &probes() {
  static const std::vector<Probe> list = allProbes();
  return list;
}

const Probe &probe(const std::string &name) {
  for (const Probe &one : probes())
    if (one.kernel.name == name)
      return one;
  throw std::out_of_range("no probe " + name);
}

const std::vector<Approximation> &approximations() {
  // As codegen/cuda/device/gpu/Math.h states them.
  static const std::vector<Approximation> list = {
      {"exp2Approx", [](double x) { return std::exp2(x); }, std::exp2(-22), 0},
      {"log2Approx", [](double x) { return std::log2(x); }, std::exp2(-22), std::exp2(-22)},
      {"reciprocalApprox", [](double x) { return 1 / x; }, std::exp2(-23), 0},
      {"rsqrtApprox", [](double x) { return 1 / std::sqrt(x); }, std::exp2(-22.4), 0},
      {"sqrtApprox", [](double x) { return std::sqrt(x); }, std::exp2(-23), 0},
      {"tanhApprox", [](double x) { return std::tanh(x); }, std::exp2(-11), 0}};
  return list;
}

} // namespace sluice::gpusuite
