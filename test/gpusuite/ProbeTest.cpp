// The probes on the emulator: clean, repeatable, as computed here where that is independent, and complete.
#include "tools/gpu/Compare.h"

#include "codegen/cuda/DeviceCompiler.h"
#include "codegen/cuda/KernelRules.h"
#include "runtime/Files.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <cstring>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

using namespace sluice;
using namespace sluice::gpusuite;
namespace fs = std::filesystem;

namespace {

const Bundle bundle{SLUICE_GPU_BUNDLE};

std::vector<uint32_t> wordsOf(const Array &array) {
  std::vector<uint32_t> words(array.bytes.size() / 4);
  std::memcpy(words.data(), array.bytes.data(), words.size() * 4);
  return words;
}

/// A probe after a run, addressed by block, thread and word.
struct Ran {
  explicit Ran(const std::string &name) : one(probe(name).kernel) {
    Arrays before = one.makeArguments(one.small, 3);
    Outcome outcome = makeEmulator(bundle, {})->run(one, one.small, before);
    EXPECT_EQ(outcome.problem, "");
    input = wordsOf(before.at("input"));
    output = wordsOf(outcome.after.at("output"));
    threads = *one.record.threads.constant();
    blocks = one.small.at("blocks");
    reads = static_cast<int64_t>(input.size()) / (threads * blocks);
    writes = static_cast<int64_t>(output.size()) / (threads * blocks);
  }
  uint32_t in(int64_t block, int64_t thread, int64_t word) const {
    return input[(block * reads + word) * threads + thread];
  }
  uint32_t out(int64_t block, int64_t thread, int64_t word) const {
    return output[(block * writes + word) * threads + thread];
  }
  const KernelCase &one;
  std::vector<uint32_t> input, output;
  int64_t threads, blocks, reads, writes;
};

class EveryProbe : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryProbe, IsCleanAndTheSameInEveryOrder) {
  const Probe &one = probe(GetParam());
  Arrays before = one.kernel.makeArguments(one.kernel.small, 1);
  auto first = makeEmulator(bundle, {"hopper", true, 1}), second = makeEmulator(bundle, {"hopper", true, 2});
  Difference difference =
      compareOutcomes(one, before, first->run(one.kernel, one.kernel.small, before),
                      second->run(one.kernel, one.kernel.small, before));
  EXPECT_EQ(difference.different, 0u) << difference.first;
  EXPECT_GT(difference.elements, 0u);
}

std::vector<std::string> allNames() {
  std::vector<std::string> names;
  for (const Probe &one : probes())
    names.push_back(one.kernel.name);
  return names;
}
INSTANTIATE_TEST_SUITE_P(Probes, EveryProbe, ::testing::ValuesIn(allNames()),
                         [](const auto &info) { return info.param; });

TEST(Probes, Exchanges) {
  Ran ran("exchanges");
  for (int64_t block = 0; block < ran.blocks; ++block)
    for (int64_t thread = 0; thread < ran.threads; ++thread) {
      int64_t warp = thread / 32 * 32, lane = thread % 32;
      auto value = [&](int64_t from) { return ran.in(block, warp + from, 0); };
      uint32_t choice = ran.in(block, thread, 1), votes = 0;
      bool any = false, all = true;
      for (int64_t other = 0; other < 32; ++other) {
        uint32_t vote = ran.in(block, warp + other, 1);
        votes |= (vote & 1) << other;
        any |= (vote & 31) == 0;
        all &= (vote & 31) != 0;
      }
      int64_t delta = block % 32;
      std::vector<uint32_t> expected = {value(choice % 32), value((choice >> 5) % 32), value(delta)};
      for (int64_t mask = 1; mask < 32; mask *= 2)
        expected.push_back(value(lane ^ mask));
      expected.push_back(value(lane >= delta ? lane - delta : lane));
      expected.push_back(value(lane + delta < 32 ? lane + delta : lane));
      for (uint32_t word : {votes, uint32_t{any}, uint32_t{all}, value(0), expected.back()})
        expected.push_back(word);
      for (size_t i = 0; i < expected.size(); ++i)
        ASSERT_EQ(ran.out(block, thread, i), expected[i])
            << "block " << block << " thread " << thread << " word " << i;
    }
}

TEST(Probes, Matrices) {
  Ran ran("ldmatrices");
  for (int64_t block = 0; block < ran.blocks; ++block) {
    auto halfAt = [&](uint32_t byte) {
      uint32_t word = byte / 4;
      return ran.in(block, word % 32, word / 32) >> (byte % 4 * 8) & 0xffff;
    };
    // Register r of lane l holds row l / 4, columns 2 (l % 4) and the next, of matrix r; transposed: row and
    // column change places.
    auto expected = [&](int shift, bool transposed, int64_t matrix, int64_t lane) {
      uint32_t halves[2];
      for (int i = 0; i < 2; ++i) {
        int64_t row = lane / 4, column = lane % 4 * 2 + i;
        if (transposed)
          std::swap(row, column);
        uint32_t place = ran.in(block, matrix * 8 + row, 16) >> shift & 127;
        halves[i] = halfAt(place * 16 + static_cast<uint32_t>(column) * 2);
      }
      return halves[0] | halves[1] << 16;
    };
    for (int64_t lane = 0; lane < 32; ++lane) {
      int64_t word = 0;
      for (bool transposed : {false, true})
        for (auto [count, shift] : {std::pair{1, 0}, {2, 7}, {4, 14}})
          for (int64_t matrix = 0; matrix < count; ++matrix, ++word)
            ASSERT_EQ(ran.out(block, lane, word), expected(shift, transposed, matrix, lane))
                << lane << " " << word;
      for (int64_t matrix = 0; matrix < 4; ++matrix, ++word)
        ASSERT_EQ(ran.out(block, lane, word), expected(21, true, matrix, lane));
      for (int64_t matrix = 0; matrix < 2; ++matrix, ++word)
        ASSERT_EQ(ran.out(block, lane, word), expected(21, false, matrix, lane));
      for (int64_t matrix = 0; matrix < 4; ++matrix, ++word)
        ASSERT_EQ(ran.out(block, lane, word), expected(21, false, matrix, lane));
      for (int64_t matrix = 0; matrix < 2; ++matrix, ++word)
        ASSERT_EQ(ran.out(block, lane, word), expected(21, true, matrix, lane));
    }
  }
}

TEST(Probes, Widths) {
  Ran ran("widths");
  for (size_t i = 0; i < ran.output.size(); ++i)
    ASSERT_EQ(ran.output[i], ran.input[i ^ 4]) << i;
}

/// In a 128-byte swizzle the 16-byte pieces of row r are permuted by r % 8.
TEST(Probes, SwizzledBox) {
  const KernelCase &one = probe("tensorSwizzle128").kernel;
  Arrays before = one.makeArguments({}, 3);
  Arrays after = makeEmulator(bundle, {})->run(one, {}, before).after;
  // 128 columns of bf16, 256 bytes, in a row of the tensor; the box starts at column 0, row 1.
  for (uint32_t row = 0; row < 32; ++row)
    for (uint32_t byte = 0; byte < 128; ++byte)
      ASSERT_EQ(after.at("image").bytes[row * 128 + (byte ^ (row % 8 * 16))],
                before.at("from").bytes[(row + 1) * 256 + byte])
          << row << " " << byte;
}

/// What is measured on hardware is at least clean.
TEST(Latencies, AreClean) {
  for (const Latency &latency : latencies()) {
    const KernelCase &one = latency.kernel;
    auto side = makeEmulator(bundle, {});
    EXPECT_EQ(side->run(one, one.small, one.makeArguments(one.small, 1)).problem, "") << latency.name;
  }
}

/// The hardware side is the same source: it compiles, without spills and without what makes ptxas serialise
/// products.
TEST(Probes, CompileForHardware) {
  std::map<std::pair<std::string, std::string>, std::vector<const KernelCase *>> kernels;
  auto add = [&](const KernelCase &one) { kernels[{one.source, one.target}].push_back(&one); };
  for (const Probe &one : probes())
    add(one.kernel);
  for (const Latency &one : latencies())
    add(one.kernel);
  std::vector<DeviceJob> jobs;
  for (const auto &[compiled, cases] : kernels) {
    DeviceJob &job = jobs.emplace_back();
    job.source = {compiled.first, bundle.source(compiled.first), {}};
    job.architecture = compiled.second;
  }
  std::vector<DeviceCode> codes = compileForDevice(jobs);
  size_t i = 0;
  for (const auto &[compiled, cases] : kernels) {
    for (const KernelCase *one : cases) {
      EXPECT_NO_THROW(checkGates(codes[i], one->record)) << one->name;
      if (one->record.registersAtLaunch) // What setmaxnreg adds to and takes from.
        EXPECT_EQ(codes[i].kernels.at(one->record.kernel).registers, one->record.registersAtLaunch);
    }
    ++i;
  }
}

TEST(Probes, KeepTheRulesOfKernels) {
  std::set<std::string> sources = {"latencies.cu", "latencies_sm90.cu"};
  for (const Probe &one : probes())
    sources.insert(one.kernel.source);
  EXPECT_GT(sources.size(), 9u);
  for (const std::string &source : sources) {
    // Where a header of the suite was put in its place stands only that.
    std::string text = std::regex_replace(bundle.source(source), std::regex("(^|\n)#line [^\n]*"), "$1");
    for (const RuleViolation &violation : checkKernelRules({source, text, {}}))
      ADD_FAILURE() << violation.text();
  }
}

/// Every primitive of the table is called by a probe, and every probe's kernel is one.
TEST(Probes, EveryPrimitiveIsProbed) {
  std::string text, probed;
  for (const auto &entry : fs::directory_iterator(std::string(SLUICE_SOURCE_DIR) + "/tools/gpu/kernels")) {
    text += readFile(entry.path().string());
    if (!entry.path().stem().string().starts_with("latencies")) // Measured, not compared.
      probed += readFile(entry.path().string());
  }
  auto table = nlohmann::json::parse(
      readFile(std::string(SLUICE_BINARY_DIR) + "/codegen/cuda/device/Primitives.json"));
  size_t known = 0;
  for (const auto &entry : table.at("!instanceof").at("Primitive")) {
    std::string name = entry;
    // The table has an entry for each overload of some.
    if (name.starts_with("pin"))
      name = "pin";
    ++known;
    EXPECT_TRUE(std::regex_search(probed, std::regex("\\b" + name + "\\s*[<(]"))) << name;
  }
  EXPECT_GT(known, 80u);
  std::set<std::string> exported, launched;
  const std::regex pattern("SLUICE_EXPORT\\(([\\w#]+)\\)");
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
    if (std::string name = (*at)[1]; name != "name")
      exported.insert(name);
  for (const Probe &one : probes())
    launched.insert(one.kernel.record.kernel);
  for (const Latency &one : latencies())
    launched.insert(one.kernel.record.kernel);
  for (const std::string &name : exported)
    EXPECT_TRUE(launched.count(name) || name.find("##") != std::string::npos) << name;
}

} // namespace
