// Launch records, arguments and references of handovers.cu and handovers_sm90.cu. They have one size: what
// counts is the order of events.
#include "test/gpukernels/GpuKernels.h"

namespace sluice::gpukernels {

namespace {

constexpr int64_t threads = 128;

/// What thread `thread` of block `block` ends with, from the numbers handed on.
using Formula = std::function<float(int64_t block, int64_t thread, const std::vector<float> &source)>;

float times(int count, float value) {
  float sum = 0;
  for (int i = 0; i < count; ++i)
    sum += value;
  return sum;
}

KernelCase handoverCase(const std::string &name, int64_t blocks, const Formula &formula) {
  KernelCase one{.name = name, .source = "handovers.cu", .target = "sm_80"};
  one.record.kernel = name;
  one.record.grid = {blocks, 1, 1};
  one.record.threads = threads;
  one.record.sharedBytes = 4096 + 8;
  one.record.parameters = {tensorParameter("source", DType::f32, Direction::read, {threads}),
                           tensorParameter("target", DType::f32, Direction::write, {blocks * threads})};
  one.sizes = {{}};
  one.makeArguments = [blocks](const Sizes &, uint64_t seed) {
    Arrays arrays;
    arrays["source"] = Array(DType::f32, threads, true);
    arrays["target"] = Array(DType::f32, blocks * threads, false);
    fillUniform(arrays["source"], seed);
    return arrays;
  };
  one.reference = [=](const Sizes &, const Arrays &arrays) {
    std::vector<float> source;
    for (int64_t i = 0; i < threads; ++i)
      source.push_back(static_cast<float>(arrays.at("source").at(i)));
    Expected expected;
    for (int64_t i = 0; i < blocks * threads; ++i)
      expected.value.push_back(formula(i / threads, i % threads, source));
    return Expectations{{"target", expected}};
  };
  return one;
}

void addWorkspace(KernelCase &one, const std::string &name, DType dtype, const std::string &initial) {
  one.record.parameters.push_back(workspaceParameter(name, dtype, 4 * threads * 4, initial));
}

KernelCase namedBarriers() {
  return handoverCase("hand_by_named_barriers", 1,
                      [](int64_t, int64_t thread, const std::vector<float> &source) {
                        return thread < 64 ? 0 : times(3, source[thread - 64]);
                      });
}

KernelCase copies() {
  return handoverCase("hand_by_copies", 1, [](int64_t, int64_t thread, const std::vector<float> &source) {
    return source[thread ^ 127];
  });
}

KernelCase blockFences() {
  KernelCase one =
      handoverCase("hand_by_block_fences", 1, [](int64_t, int64_t thread, const std::vector<float> &source) {
        return thread < 64 ? source[thread % 32] : 0;
      });
  addWorkspace(one, "counter", DType::u32, "0");
  return one;
}

KernelCase betweenBlocks(const std::string &name, int ways) {
  KernelCase one =
      handoverCase(name, 2, [=](int64_t block, int64_t thread, const std::vector<float> &source) {
        return block == 0 ? 0 : times(ways, source[thread]);
      });
  one.record.residency = Residency::cooperative;
  addWorkspace(one, "mail", DType::f32, "undefined");
  addWorkspace(one, "counter", DType::u32, "0");
  return one;
}

KernelCase multicast() {
  KernelCase one =
      handoverCase("hand_by_multicast", 2, [](int64_t, int64_t thread, const std::vector<float> &source) {
        return source[thread] + source[thread];
      });
  one.source = "handovers_sm90.cu";
  one.target = "sm_90";
  one.record.cluster = {2, 1, 1};
  ParameterRecord more = one.record.parameters.front();
  one.record.parameters.front() =
      mapParameter("source", DType::f32, Direction::read, {threads}, {}, {threads}, TileSwizzle::none);
  one.record.parameters.front().name = "tiles";
  one.record.parameters.insert(one.record.parameters.begin() + 1, more);
  return one;
}

KernelCase asyncProxy() {
  KernelCase one = handoverCase("hand_to_the_async_proxy", 1,
                                [](int64_t, int64_t thread, const std::vector<float> &source) {
                                  return source[thread] + source[thread];
                                });
  one.source = "handovers_sm90.cu";
  one.target = "sm_90";
  addWorkspace(one, "mail", DType::f32, "undefined");
  return one;
}

} // namespace

std::vector<KernelCase> handoverCases() {
  return {namedBarriers(),
          copies(),
          blockFences(),
          betweenBlocks("hand_by_counters", 4),
          betweenBlocks("hand_by_atomics", 4),
          multicast(),
          asyncProxy()};
}

} // namespace sluice::gpukernels
