// Measures the emulator: GEMM with each kind of arithmetic, blocks without work, blocks that wait for each
// other, and the compilation of a kernel. Prints a table of the times beside their limits, which hold for two
// cores.
//
// usage: emulator-benchmark [--only meeting|sm80|sm90|empty|compile] [--repeats N] [--threads N]
//                           [--json FILE]
// The time of a row is the median of its repeats; the exit status is 1 if one is over its limit. Processor
// time, of all threads together, tells a slow emulator from a busy machine. The record that is kept is
// tools/benchmarks/emulator.json.
#include "codegen/cuda/HostCompiler.h"
#include "runtime/Error.h"
#include "runtime/emulator/Emulator.h"
#include "test/gpukernels/GpuKernels.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace sluice;
using emulator::Chip;

namespace {

struct Settings {
  std::string only, json, command;
  int repeats = 7, threads = 0;
  double load = 0; ///< Of the machine in the minute before.
};

struct Row {
  std::string name;
  double limit = 0, seconds = 0, best = 0;
  double processor = 0;             ///< Seconds of a repeat, all threads and children together.
  double limitMiB = 0, peakMiB = 0; ///< 0: not measured.
  bool kept() const { return seconds <= limit && peakMiB <= limitMiB; }
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double processorSeconds() {
  double seconds = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    for (const timeval &part : {usage.ru_utime, usage.ru_stime})
      seconds += static_cast<double>(part.tv_sec) + 1e-6 * static_cast<double>(part.tv_usec);
  }
  return seconds;
}

template <class Work> Row measure(const std::string &name, double limit, int repeats, Work &&work) {
  std::vector<double> times;
  double processor = processorSeconds();
  for (int i = 0; i < repeats; ++i) {
    double start = now();
    work();
    times.push_back(now() - start);
  }
  std::sort(times.begin(), times.end());
  return {name, limit, times[times.size() / 2], times.front(), (processorSeconds() - processor) / repeats};
}

std::string objectOf(const std::string &target) {
  return std::string(SLUICE_EMULATED_DIR) + "/" + target + ".so";
}

void expectClean(const emulator::Result &result) {
  if (!result.clean())
    throw UserError("expected no reports, got: " + result.reports.front().text());
}

//===--- GEMM -------------------------------------------------------------------------------------------===//

/// A kernel of test/gpukernels with its arguments in the emulator's memory.
class Gemm {
public:
  Gemm(const std::string &name, const std::string &target)
      : one(gpukernels::kernelCase(name)), kernel(emulator::Kernel::load(objectOf(target), name)),
        sizes{{"m", 512}, {"n", 512}, {"k", 512}}, before(one.makeArguments(sizes, 1)) {
    inputs.sizes = sizes;
    for (const auto &[argument, array] : before) {
      auto &memory = memories.emplace(argument, emulator::Memory(array.bytes.size(), argument)).first->second;
      std::memcpy(memory.data(), array.bytes.data(), array.bytes.size());
      if (array.input)
        memory.markWritten();
      inputs.tensors[argument] = memory.tensor();
    }
  }

  void run(const emulator::Options &options) {
    expectClean(emulator::launch(kernel, bindLaunch(one.record, inputs), options));
  }

  void expectResult() {
    gpukernels::Arrays after = before;
    for (auto &[argument, array] : after)
      std::memcpy(array.bytes.data(), memories.at(argument).data(), array.bytes.size());
    std::string difference = gpukernels::compare(one.reference(sizes, before), before, after);
    if (!difference.empty())
      throw UserError(one.name + ": " + difference);
  }

private:
  const gpukernels::KernelCase &one;
  emulator::Kernel kernel;
  gpukernels::Sizes sizes;
  gpukernels::Arrays before;
  std::map<std::string, emulator::Memory> memories;
  LaunchInputs inputs;
};

struct GemmLimits {
  double exact, hardware, checked;
};

void measureGemm(std::vector<Row> &rows, const Settings &settings, const std::string &architecture, Chip chip,
                 GemmLimits limits) {
  bool hopper = architecture == "sm_90a";
  Gemm gemm(hopper ? "gemm_sm90_bf16_nk" : "gemm_sm80_bf16",
            hopper ? "gemm_sm90" : "gemm_sm80");
  emulator::Options options;
  options.threads = settings.threads;
  gemm.run(options);
  gemm.expectResult();
  std::string name = "gemm " + architecture + " 512^3";
  auto add = [&](const std::string &suffix, double limit) {
    rows.push_back(measure(name + suffix, limit, settings.repeats, [&] { gemm.run(options); }));
  };
  add("", limits.exact);
  options.chip = chip;
  add(", hardware numerics", limits.hardware);
  gemm.expectResult();
  options.chip = Chip::exact;
  options.check = options.count = true;
  add(", checked and counted", limits.checked);
}

//===--- Threads and blocks -----------------------------------------------------------------------------===//

void measureEmptyBlocks(std::vector<Row> &rows, const Settings &settings) {
  auto kernel = emulator::Kernel::load(objectOf("emulator-benchmark-kernels"), "nothing");
  LaunchRecord record;
  record.kernel = "nothing";
  record.grid = {1000, 1, 1};
  record.threads = 1024;
  ParameterRecord unused;
  unused.name = "unused";
  unused.kind = ParameterRecord::Kind::size;
  unused.dtype = DType::u32;
  record.parameters = {unused};
  BoundLaunch bound = bindLaunch(record, {});
  emulator::Options options;
  options.threads = settings.threads;
  auto run = [&] { expectClean(emulator::launch(kernel, bound, options)); };
  rows.push_back(measure("1000 empty blocks of 1024 threads", 0.15, settings.repeats, run));
  options.check = true;
  rows.push_back(measure("1000 empty blocks of 1024 threads, checked", 1, settings.repeats, run));
}

void runMeeting(bool check) {
  auto kernel = emulator::Kernel::load(objectOf("emulator-benchmark-kernels"), "meeting");
  LaunchRecord record;
  record.kernel = "meeting";
  record.grid = {132, 1, 1};
  record.threads = 512;
  record.residency = Residency::cooperative;
  ParameterRecord counter;
  counter.name = "counter";
  counter.kind = ParameterRecord::Kind::workspace;
  counter.dtype = DType::u32;
  counter.direction = Direction::readWrite;
  counter.bytes = 4;
  counter.initial = "0";
  record.parameters = {counter};
  emulator::Options options;
  options.check = options.count = check;
  expectClean(emulator::launch(kernel, bindLaunch(record, {}), options));
}

/// In a process of its own, so that its memory can be told from what came before.
void measureMeeting(std::vector<Row> &rows, const Settings &settings, bool check) {
  double peak = 0;
  std::string name = std::string("132 blocks of 512 threads at one counter") +
                     (check ? ", checked and counted" : "");
  Row row = measure(name, 1, settings.repeats, [&] {
    pid_t child = fork();
    if (child == 0) {
      try {
        runMeeting(check);
      } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        _exit(1);
      }
      _exit(0);
    }
    int status = 0;
    rusage usage{};
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
      throw UserError("expected the blocks to meet, got a failure");
    peak = std::max(peak, usage.ru_maxrss / 1024.0);
  });
  row.peakMiB = peak;
  row.limitMiB = 2048;
  rows.push_back(row);
}

//===--- Compilation ------------------------------------------------------------------------------------===//

void measureCompiler(std::vector<Row> &rows, const Settings &settings) {
  std::string folder = "emulator-benchmark-" + std::to_string(getpid());
  std::string cache = std::filesystem::temp_directory_path() / folder;
  setenv("SLUICE_CACHE", cache.c_str(), 1);
  std::ifstream file(std::string(SLUICE_SOURCE_DIR) + "/test/gpukernels/gemm_sm90.cu");
  KernelSource source{"gemm_sm90.cu", {std::istreambuf_iterator<char>(file), {}}, {}};
  rows.push_back(measure("compiling gemm_sm90.cu", 1, settings.repeats, [&] {
    std::filesystem::remove_all(cache);
    compileForEmulator(source);
  }));
  rows.push_back(measure("compiling gemm_sm90.cu, cached", 0.02, settings.repeats, [&] {
    if (!compileForEmulator(source).cached)
      throw UserError("expected a cached kernel, got a compilation");
  }));
  std::filesystem::remove_all(cache);
}

//===--- Output -----------------------------------------------------------------------------------------===//

void print(const std::vector<Row> &rows) {
  std::printf("%-58s %10s %10s %10s %10s\n", "", "median ms", "best ms", "limit ms", "cpu ms");
  for (const Row &row : rows) {
    std::printf("%-58s %10.1f %10.1f %10.0f %10.1f%s", row.name.c_str(), row.seconds * 1e3, row.best * 1e3,
                row.limit * 1e3, row.processor * 1e3, row.seconds <= row.limit ? "" : "  OVER");
    if (row.limitMiB > 0)
      std::printf("  %.0f MiB of %.0f", row.peakMiB, row.limitMiB);
    std::printf("\n");
  }
}

std::string cpuName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name"))
      return line.substr(std::min(line.size(), line.find(':') + 2));
  return "unknown";
}

std::string today() {
  std::time_t time = std::time(nullptr);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&time));
  return text;
}

/// Times in milliseconds, `load` of the machine in the minute before.
void writeJson(const std::vector<Row> &rows, const Settings &settings) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Row &row : rows) {
    nlohmann::ordered_json one = {{"name", row.name},
                                  {"median_ms", row.seconds * 1e3},
                                  {"best_ms", row.best * 1e3},
                                  {"limit_ms", row.limit * 1e3},
                                  {"processor_ms", row.processor * 1e3}};
    if (row.limitMiB > 0) {
      one["peak_mib"] = row.peakMiB;
      one["limit_mib"] = row.limitMiB;
    }
    one["kept"] = row.kept();
    all.push_back(one);
  }
  nlohmann::ordered_json record = {{"date", today()},
                                   {"command", settings.command},
                                   {"cpu", cpuName()},
                                   {"cores", std::thread::hardware_concurrency()},
                                   {"load_before", settings.load},
                                   {"repeats", settings.repeats},
                                   {"rows", all}};
  std::ofstream file(settings.json);
  file << record.dump(2) << "\n";
  if (!file.flush())
    throw UserError("cannot write '" + settings.json + "'");
}

constexpr std::array<std::string_view, 5> parts{"meeting", "sm80", "sm90", "empty", "compile"};

Settings parse(int count, char **arguments) {
  Settings settings;
  getloadavg(&settings.load, 1);
  settings.command = arguments[0];
  for (int i = 1; i < count; ++i)
    settings.command += std::string(" ") + arguments[i];
  for (int i = 1; i < count; i += 2) {
    const std::string option = arguments[i], value = i + 1 < count ? arguments[i + 1] : "";
    if (option == "--only")
      settings.only = value;
    else if (option == "--repeats")
      settings.repeats = std::max(1, std::atoi(value.c_str()));
    else if (option == "--threads")
      settings.threads = std::atoi(value.c_str());
    else if (option == "--json")
      settings.json = value;
    else
      throw UserError("expected --only, --repeats, --threads or --json, got " + option);
    if (i + 1 == count)
      throw UserError("expected a value after " + option);
    if (option == "--only" && std::ranges::find(parts, value) == parts.end())
      throw UserError("expected --only meeting, sm80, sm90, empty or compile, got " + value);
  }
  return settings;
}

std::vector<Row> measureAll(const Settings &settings) {
  std::vector<Row> rows;
  auto wanted = [&](const char *word) { return settings.only.empty() || settings.only == word; };
  // First the one that counts memory: a forked process starts with all that its parent has touched.
  if (wanted("meeting")) {
    measureMeeting(rows, settings, false);
    measureMeeting(rows, settings, true);
  }
  if (wanted("sm80"))
    measureGemm(rows, settings, "sm_80", Chip::ampere, {0.15, 0.45, 0.35});
  if (wanted("sm90"))
    measureGemm(rows, settings, "sm_90a", Chip::hopper, {0.06, 0.15, 0.25});
  if (wanted("empty"))
    measureEmptyBlocks(rows, settings);
  if (wanted("compile"))
    measureCompiler(rows, settings);
  return rows;
}

} // namespace

int main(int count, char **arguments) {
  try {
    Settings settings = parse(count, arguments);
    std::vector<Row> rows = measureAll(settings);
    print(rows);
    if (!settings.json.empty())
      writeJson(rows, settings);
    return std::all_of(rows.begin(), rows.end(), [](const Row &row) { return row.kept(); }) ? 0 : 1;
  } catch (const std::exception &error) {
    std::cerr << "emulator-benchmark: " << error.what() << "\n";
    return 2;
  }
}
