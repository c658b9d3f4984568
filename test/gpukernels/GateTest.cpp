// Every hand-written kernel keeps the rules of kernels and compiles with NVRTC for each architecture that has
// its primitives: no spills, no stack, no warning of ptxas that code was serialised or a register count
// ignored.
#include "codegen/cuda/DeviceCompiler.h"
#include "codegen/cuda/KernelRules.h"
#include "test/gpukernels/GpuKernels.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace sluice::gpukernels {

namespace {

std::string textOf(const std::string &source) {
  std::ifstream stream(std::string(SLUICE_SOURCE_DIR) + "/test/gpukernels/" + source);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<std::string> architecturesOf(const std::string &target) {
  if (target == "sm_80")
    return {"sm_80", "sm_90", "sm_90a"};
  if (target == "sm_90")
    return {"sm_90", "sm_90a"};
  return {"sm_90a"};
}

TEST(HandWrittenKernels, passTheGatesOfEveryArchitecture) {
  std::map<std::pair<std::string, std::string>, std::vector<const KernelCase *>> users;
  for (const KernelCase &one : kernelCases())
    for (const std::string &architecture : architecturesOf(one.target))
      users[{one.source, architecture}].push_back(&one);
  std::vector<DeviceJob> jobs;
  for (const auto &[job, cases] : users)
    jobs.push_back({{job.first, textOf(job.first), {}}, job.second});
  const std::vector<DeviceCode> codes = compileForDevice(jobs);
  ASSERT_EQ(codes.size(), jobs.size());
  for (size_t i = 0; i < codes.size(); ++i)
    for (const KernelCase *one : users.at({jobs[i].source.name, jobs[i].architecture})) {
      SCOPED_TRACE(one->name + " for " + jobs[i].architecture);
      EXPECT_NO_THROW(checkGates(codes[i], one->record)) << codes[i].log;
      ASSERT_TRUE(codes[i].kernels.count(one->name));
      if (one->record.registersAtLaunch) // what setmaxnreg adds to and takes from
        EXPECT_EQ(codes[i].kernels.at(one->name).registers, one->record.registersAtLaunch);
    }
}

TEST(HandWrittenKernels, keepTheRulesOfKernels) {
  std::set<std::string> sources;
  for (const KernelCase &one : kernelCases())
    sources.insert(one.source);
  for (const std::string &source : sources)
    for (const RuleViolation &violation : checkKernelRules({source, textOf(source), {}}))
      ADD_FAILURE() << violation.text();
}

} // namespace

} // namespace sluice::gpukernels
