// The kernels of latencies.cu and latencies_sm90.cu with their launch records.
#include "tools/gpu/Probes.h"

namespace sluice::gpusuite {

using namespace gpukernels;

namespace {

/// 32 KiB of output, of which some kernels load what lies behind the first 4 KiB.
constexpr int64_t outputWords = 8192;

KernelCase makeCase(const char *name, const char *target, int64_t threads, int64_t sharedBytes) {
  KernelCase one{.name = name, .source = "latencies.cu", .target = target};
  if (one.target == "sm_90a")
    one.source = "latencies_sm90.cu";
  LaunchRecord &record = one.record;
  record.kernel = name;
  record.sizes = {"rounds"};
  record.threads = threads;
  record.sharedBytes = sharedBytes;
  record.parameters = {tensorParameter("output", DType::u32, Direction::readWrite, {outputWords})};
  if (record.kernel == "latencyTensorLoad")
    record.parameters.push_back(
        mapParameter("map", DType::bf16, Direction::read, {64, 64}, {64}, {64, 64}, TileSwizzle::bytes128));
  record.parameters.push_back(sizeParameter("rounds", "rounds"));
  one.small = {{"rounds", 3}};
  one.large = {{"rounds", 4096}};
  bool map = record.kernel == "latencyTensorLoad";
  one.makeArguments = [map](const Sizes &, uint64_t) {
    Arrays arrays{{"output", Array(DType::u32, outputWords, true)}};
    if (map)
      arrays["map"] = Array(DType::bf16, 64 * 64, true);
    return arrays;
  };
  return one;
}

} // namespace

const std::vector<Latency> &latencies() {
  static const std::vector<Latency> list = {
      {"barrier, 128 threads", makeCase("latencyBarrier", "sm_80", 128, 0)},
      {"barrier, 512 threads", makeCase("latencyBarrier512", "sm_80", 512, 0)},
      {"mbarrier, there and back", makeCase("latencyMbarrier", "sm_80", 64, 16)},
      {"ldmatrix x4, dependent", makeCase("latencyLdmatrix", "sm_80", 32, 512)},
      {"bulk load of 4 KiB from L2", makeCase("latencyBulkLoad", "sm_90a", 32, 4104)},
      {"TMA load of 8 KiB from L2", makeCase("latencyTensorLoad", "sm_90a", 32, 8200)},
      {"wgmma m64n8k16", makeCase("latencyWgmma8", "sm_90a", 128, 40960)},
      {"wgmma m64n16k16", makeCase("latencyWgmma16", "sm_90a", 128, 40960)},
      {"wgmma m64n32k16", makeCase("latencyWgmma32", "sm_90a", 128, 40960)},
      {"wgmma m64n64k16", makeCase("latencyWgmma64", "sm_90a", 128, 40960)},
      {"wgmma m64n128k16", makeCase("latencyWgmma128", "sm_90a", 128, 40960)},
      {"wgmma m64n256k16", makeCase("latencyWgmma256", "sm_90a", 128, 40960)},
      {"launch of an empty kernel", makeCase("latencyNothing", "sm_80", 128, 0)}};
  return list;
}

} // namespace sluice::gpusuite
