// Random programs of accesses to one line after another of shared memory, in widths from 1 to 16 bytes, with
// barriers, mbarriers, atomics and cp.async between them. Which accesses are ordered follows from the program
// alone; the checker must find a race exactly in those programs that have one, in every order of threads.
#include "test/emulator/RandomRaces.h"

#include <algorithm>
#include <array>
#include <bit>
#include <random>

namespace sluice::emulator {
namespace {

constexpr unsigned threads = 8, actors = 2 * threads;
enum Kind : uint32_t { store, load, copy, copyWait, arrive, wait, atomic, sync = 8, barrier = 9 };

struct Operation {
  uint32_t kind = 0, warp = 0, lane = 0, width = 0, address = 0, arrives = 0, waits = 0, id = 0;
  uint32_t word() const {
    uint32_t widthBits = std::countr_zero(width | 16u);
    return kind | warp << 4 | lane << 6 | widthBits << 8 | address << 12 | arrives << 20 | waits << 24 |
           id << 28;
  }
  unsigned thread() const { return warp * 2 + lane; }
};

struct Program {
  std::array<uint32_t, 16> counts;
  std::vector<Operation> operations;
};

/// Happens-before by clocks of the four warps' two threads and of their asynchronous copies, over the program
/// as it is written: one of its possible orders.
class Oracle {
public:
  bool hasRace(const Program &program) {
    for (unsigned i = 0; i < threads; ++i)
      known[i][i] = 1;
    return std::ranges::any_of(program.operations, [&](const Operation &o) { return step(o); });
  }

private:
  using Clock = std::array<uint32_t, actors>;
  struct Access {
    unsigned actor;
    uint32_t epoch, begin, end;
    Kind kind;
  };
  std::array<Clock, threads> known{};
  std::array<uint32_t, threads> copies{};
  std::array<Clock, 16> arrived{};
  std::vector<Access> accesses;

  static void join(Clock &to, const Clock &from) {
    for (unsigned i = 0; i < actors; ++i)
      to[i] = std::max(to[i], from[i]);
  }
  void meet(uint32_t arriving, uint32_t waiting, unsigned threadsOfOne) {
    Clock all{};
    for (unsigned i = 0; i < threads; ++i)
      if ((arriving | waiting) >> i / threadsOfOne & 1)
        join(all, known[i]);
    for (unsigned i = 0; i < threads; ++i) {
      if (waiting >> i / threadsOfOne & 1)
        join(known[i], all);
      if ((arriving | waiting) >> i / threadsOfOne & 1)
        ++known[i][i];
    }
  }
  bool access(const Access &now, const Clock &clock) {
    bool race = std::ranges::any_of(accesses, [&](const Access &earlier) {
      bool conflict =
          (now.kind != load || earlier.kind != load) && !(now.kind == atomic && earlier.kind == atomic);
      return conflict && earlier.begin < now.end && now.begin < earlier.end &&
             clock[earlier.actor] < earlier.epoch;
    });
    accesses.push_back(now);
    return race;
  }
  bool step(const Operation &o) {
    unsigned t = o.thread();
    switch (o.kind) {
    case store:
    case load: return access({t, known[t][t], o.address, o.address + o.width, Kind(o.kind)}, known[t]);
    case atomic: return access({t, known[t][t], o.address, o.address + 4, atomic}, known[t]);
    case copy: return access({threads + t, ++copies[t], o.address, o.address + 16, store}, known[t]);
    case copyWait: known[t][threads + t] = copies[t]; break;
    case arrive:
      join(arrived[o.id], known[t]);
      ++known[t][t];
      break;
    case wait: join(known[t], arrived[o.id]); break;
    case sync: meet(0, 1u << o.warp, 2); break;
    default: meet(o.arrives, o.waits, 2);
    }
    return false;
  }
};

/// `care`: how often threads meet; low values give races, high ones mostly none.
Program randomProgram(std::mt19937 &random, unsigned care) {
  auto below = [&](unsigned n) { return static_cast<uint32_t>(random() % n); };
  Program program;
  program.counts.fill(1);
  uint32_t nextBarrier = 1, nextMbarrier = 0;
  for (unsigned i = 0, count = 4 + below(24); i < count; ++i) {
    Operation o;
    o.warp = below(4);
    o.lane = below(2);
    if (below(10) < care) {
      switch (below(4)) {
      case 0: o.kind = sync; break;
      case 1: o.kind = copyWait; break;
      case 2:
        if (nextBarrier > 15)
          continue;
        o.kind = barrier;
        o.id = nextBarrier++;
        o.waits = 1 + below(15);
        o.arrives = below(16) & ~o.waits;
        break;
      default:
        // A few threads arrive, and some time later others wait.
        if (nextMbarrier > 15)
          continue;
        o.kind = arrive;
        o.id = nextMbarrier++;
        for (uint32_t more = program.counts[o.id] = 1 + below(3); more; --more) {
          program.operations.push_back(o);
          o.warp = below(4);
          o.lane = below(2);
        }
        o.kind = wait;
      }
    } else {
      constexpr Kind kinds[] = {store, store, load, load, load, copy, atomic};
      o.kind = kinds[below(7)];
      o.width = o.kind == copy ? 16 : o.kind == atomic ? 4 : 1u << below(5);
      o.address = below(48 / o.width) * o.width;
    }
    program.operations.push_back(o);
  }
  return program;
}

Result run(const Kernel &kernel, const Program &program, uint64_t seed) {
  std::vector<uint32_t> words(program.counts.begin(), program.counts.end());
  for (const Operation &o : program.operations)
    words.push_back(o.word());
  Memory memory = wordsInMemory(words);
  ParameterRecord tensor, length;
  tensor.name = "program";
  tensor.dtype = DType::u32;
  tensor.shape = {words.size()};
  length.name = "length";
  length.kind = ParameterRecord::Kind::size;
  length.dtype = DType::u32;
  length.value = words.size();
  LaunchRecord record;
  record.kernel = "random_program";
  record.grid = {1, 1, 1};
  record.sharedBytes = 4096 + 128;
  record.parameters = {tensor, length};
  LaunchInputs inputs;
  inputs.tensors["program"] = memory.tensor();
  Options options;
  options.seed = seed;
  options.check = true;
  return launch(kernel, bindLaunch(record, inputs), options);
}

std::string textOf(const Program &program) {
  std::string text;
  for (const Operation &o : program.operations)
    text += "\n  kind " + std::to_string(o.kind) + " thread " + std::to_string(o.thread()) + " bytes " +
            std::to_string(o.address) + " + " + std::to_string(o.width) + " id " + std::to_string(o.id) +
            " arrive " + std::to_string(o.arrives) + " wait " + std::to_string(o.waits);
  return text;
}

class RandomPrograms : public testing::TestWithParam<unsigned> {};

TEST_P(RandomPrograms, HaveARaceWhereTheOracleSaysSo) {
  Kernel kernel = Kernel::load(std::string(SLUICE_KERNELS) + "/randomProgram.so", "random_program");
  std::mt19937 random(GetParam());
  expectRacesWhereTheOracleSaysSo(
      [&] { return randomProgram(random, GetParam()); },
      [](const Program &program) { return Oracle().hasRace(program); },
      [&](const Program &program, uint64_t seed) { return run(kernel, program, seed); }, textOf);
}

INSTANTIATE_TEST_SUITE_P(Care, RandomPrograms, testing::Values(3, 5, 7, 8));

} // namespace
} // namespace sluice::emulator
