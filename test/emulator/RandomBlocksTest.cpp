// Random programs of blocks that communicate through global memory: accesses from 1 to 16 bytes, barriers of
// a block, counters that one thread each advances (by release or relaxed additions, with fences, or by
// stores) and anybody waits for. Which accesses are ordered follows from the program alone; the checker must
// find a race exactly in those programs that have one, in every order of blocks and threads.
#include "test/emulator/RandomRaces.h"

#include <algorithm>
#include <array>
#include <bit>
#include <random>

namespace sluice::emulator {
namespace {

constexpr unsigned blocks = 3, threads = 2 * blocks, counters = 8;
enum Kind : uint32_t { store, load, release, relaxed, storeValue, fence, wait, barrier = 8 };

struct Operation {
  uint32_t kind = 0, block = 0, warp = 0, width = 1, address = 0, value = 0;
  uint32_t word() const {
    return kind | block << 4 | warp << 6 | static_cast<uint32_t>(std::countr_zero(width)) << 8 |
           address << 12 | value << 24;
  }
  unsigned thread() const { return block * 2 + warp; }
};
using Program = std::vector<Operation>;

/// Happens-before by the clocks of the threads, over the program as it is written: one of its possible
/// orders.
class Oracle {
public:
  bool hasRace(const Program &program) {
    for (unsigned i = 0; i < threads; ++i)
      known[i][i] = 1;
    return std::ranges::any_of(program, [&](const Operation &o) { return step(o); });
  }

private:
  using Clock = std::array<uint32_t, threads>;
  struct Access {
    unsigned thread;
    uint32_t epoch, begin, end;
    bool write;
  };
  std::array<Clock, threads> known{};
  std::array<Clock, threads> fenced{};                  ///< What a thread knew at its last fence.
  std::array<std::vector<Clock>, counters> carried{};   ///< By each value of a counter from 1 on.
  std::vector<Access> accesses;

  static void join(Clock &to, const Clock &from) {
    for (unsigned i = 0; i < threads; ++i)
      to[i] = std::max(to[i], from[i]);
  }
  bool access(const Operation &o) {
    unsigned t = o.thread();
    Access now{t, known[t][t], o.address, o.address + o.width, o.kind == store};
    bool race = std::ranges::any_of(accesses, [&](const Access &earlier) {
      return (now.write || earlier.write) && earlier.begin < now.end && now.begin < earlier.end &&
             known[t][earlier.thread] < earlier.epoch;
    });
    accesses.push_back(now);
    return race;
  }
  /// The next value of a counter. Additions carry on what the values before carried, stores do not.
  void advance(const Operation &o) {
    unsigned t = o.thread();
    std::vector<Clock> &values = carried[o.address];
    Clock clock = o.kind == storeValue || values.empty() ? Clock{} : values.back();
    join(clock, o.kind == relaxed ? fenced[t] : known[t]);
    values.push_back(clock);
    if (o.kind != relaxed)
      ++known[t][t];
  }
  bool step(const Operation &o) {
    unsigned t = o.thread();
    switch (o.kind) {
    case store:
    case load: return access(o);
    case fence:
      fenced[t] = known[t];
      ++known[t][t];
      break;
    case wait:
      if (o.value)
        join(known[t], carried[o.address][o.value - 1]);
      break;
    case barrier: {
      unsigned first = 2 * o.block;
      Clock both = known[first];
      join(both, known[first + 1]);
      known[first] = known[first + 1] = both;
      ++known[first][first];
      ++known[first + 1][first + 1];
      break;
    }
    default: advance(o);
    }
    return false;
  }
};

/// Counter i belongs to thread i % threads. `care`: how often threads communicate.
Program randomProgram(std::mt19937 &random, unsigned care) {
  auto below = [&](unsigned n) { return static_cast<uint32_t>(random() % n); };
  Program program;
  std::array<uint32_t, counters> value{};
  for (unsigned i = 0, count = 5 + below(30); i < count; ++i) {
    Operation o;
    o.block = below(blocks);
    o.warp = below(2);
    if (below(10) >= care) {
      o.kind = below(5) < 2 ? store : load;
      o.width = 1u << below(5);
      o.address = below(48 / o.width) * o.width;
    } else if (uint32_t what = below(8); what == 0) {
      o.kind = fence;
    } else if (what == 1) {
      o.kind = barrier;
    } else if (what < 5) {
      o.address = below(counters);
      o.block = o.address % threads / 2;
      o.warp = o.address % 2;
      o.kind = what == 2 ? storeValue : what == 3 ? release : below(2) ? relaxed : release;
      o.value = ++value[o.address];
    } else {
      o.kind = wait;
      o.address = below(counters);
      o.value = below(value[o.address] + 1);
    }
    program.push_back(o);
  }
  return program;
}

ParameterRecord parameter(const char *name, ParameterRecord::Kind kind) {
  ParameterRecord result;
  result.name = name;
  result.kind = kind;
  result.dtype = DType::u32;
  if (kind == ParameterRecord::Kind::workspace) {
    result.direction = Direction::readWrite;
    result.bytes = 256;
    result.initial = "0";
  }
  return result;
}

Result run(const Kernel &kernel, const Program &program, uint64_t seed) {
  std::vector<uint32_t> words;
  for (const Operation &o : program)
    words.push_back(o.word());
  Memory memory = wordsInMemory(words);
  using Kind = ParameterRecord::Kind;
  LaunchRecord record;
  record.kernel = "random_blocks";
  record.grid = {static_cast<int64_t>(blocks), 1, 1};
  record.threads = 64;
  record.residency = Residency::cooperative;
  record.parameters = {parameter("program", Kind::tensor), parameter("data", Kind::workspace),
                       parameter("counters", Kind::workspace), parameter("length", Kind::size)};
  record.parameters[0].shape = {words.size()};
  record.parameters[3].value = words.size();
  LaunchInputs inputs;
  inputs.tensors["program"] = memory.tensor();
  Options options;
  options.seed = seed;
  options.check = true;
  return launch(kernel, bindLaunch(record, inputs), options);
}

std::string textOf(const Program &program) {
  std::string text;
  for (const Operation &o : program)
    text += "\n  kind " + std::to_string(o.kind) + " block " + std::to_string(o.block) + " warp " +
            std::to_string(o.warp) + " at " + std::to_string(o.address) + " width " +
            std::to_string(o.width) + " value " + std::to_string(o.value);
  return text;
}

class RandomBlocks : public testing::TestWithParam<unsigned> {};

TEST_P(RandomBlocks, HaveARaceWhereTheOracleSaysSo) {
  Kernel kernel = Kernel::load(std::string(SLUICE_KERNELS) + "/randomBlocks.so", "random_blocks");
  std::mt19937 random(GetParam());
  expectRacesWhereTheOracleSaysSo(
      [&] { return randomProgram(random, GetParam()); },
      [](const Program &program) { return Oracle().hasRace(program); },
      [&](const Program &program, uint64_t seed) { return run(kernel, program, seed); }, textOf);
}

INSTANTIATE_TEST_SUITE_P(Care, RandomBlocks, testing::Values(3, 5, 7, 8));

} // namespace
} // namespace sluice::emulator
