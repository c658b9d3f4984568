// Which instruction set extensions this machine has, and which of a package's it lacks.
#include "runtime/KernelPackage.h"

#include <sstream>

namespace sluice {

#if defined(__x86_64__)
#define SLUICE_FEATURES(X)                                                                         \
  X("sse4.2") X("popcnt") X("avx") X("avx2") X("fma") X("bmi") X("bmi2") X("avx512f")              \
  X("avx512dq") X("avx512cd") X("avx512bw") X("avx512vl") X("avx512ifma") X("avx512vbmi")          \
  X("avx512vbmi2") X("avx512vnni") X("avx512bitalg") X("avx512vpopcntdq") X("avx512bf16")          \
  X("avx512fp16") X("avx512vp2intersect") X("avxvnni") X("gfni") X("vaes") X("vpclmulqdq")         \
  X("amx-tile") X("amx-int8") X("amx-bf16")

std::string hostCpuFeatures() {
  __builtin_cpu_init();
  std::string features = "x86_64";
#define SLUICE_FEATURE(name)                                                                       \
  if (__builtin_cpu_supports(name))                                                                \
    features += " " name;
  SLUICE_FEATURES(SLUICE_FEATURE)
#undef SLUICE_FEATURE
  return features;
}
#elif defined(__aarch64__)
std::string hostCpuFeatures() { return "aarch64"; }
#else
std::string hostCpuFeatures() { return "unknown"; }
#endif

std::string missingCpuFeature(const std::string &features) {
  std::string host = " " + hostCpuFeatures() + " ";
  std::istringstream words(features);
  std::string word;
  while (words >> word)
    if (host.find(" " + word + " ") == std::string::npos)
      return word;
  return "";
}

} // namespace sluice
