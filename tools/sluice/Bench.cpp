// sluice bench: times of both forms against what moving their tensors alone would take.
#include "tools/sluice/Commands.h"

#include "runtime/Files.h"
#include "runtime/Launch.h"
#include "runtime/ThreadPool.h"
#include "tools/sluice/Draw.h"
#include "tools/sluice/Table.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

namespace sluice {

namespace {

constexpr int fewestRuns = 5, mostRuns = 50;
constexpr double enoughSeconds = 1;

double secondsOf(const std::function<void()> &body) {
  auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The median of several runs, after one that is not counted.
double medianSeconds(const std::function<void()> &body) {
  body();
  std::vector<double> times;
  double sum = 0;
  while (times.size() < fewestRuns || (sum < enoughSeconds && times.size() < mostRuns)) {
    times.push_back(secondsOf(body));
    sum += times.back();
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

/// Bytes read and written per second by threads that copy memory.
double copyRate(int threads) {
  constexpr int64_t bytes = int64_t(1) << 26;
  Tensor from = Tensor::zeros(DType::f32, {bytes / 4}), to = Tensor::zeros(DType::f32, {bytes / 4});
  double best = 1e9;
  for (int repeat = 0; repeat < 5; ++repeat)
    best = std::min(best, secondsOf([&] {
      ThreadPool::shared().forEach(threads, threads, [&](int64_t part, int) {
        int64_t share = bytes / threads;
        std::memcpy(to.data<char>() + part * share, from.data<char>() + part * share, share);
      });
    }));
  return 2.0 * bytes / best;
}

int64_t bytesOf(const ViewMap &tensors) {
  int64_t bytes = 0;
  for (const auto &[name, tensor] : tensors)
    bytes += tensor.bytes();
  return bytes;
}

/// One form, forward, or forward and backward.
struct Measurement {
  Form form;
  bool gradients;
  double seconds;
  double flops;  // 0: not known.
  double bytes;  // Arguments, results and gradients, once each.
};

struct BenchCommand {
  ProblemOptions options;
  int threads = ThreadPool::availableThreads();

  BenchCommand() { options.problem = {1, 4096, 4, 4, 128, 128}; }

  /// Multiply-adds of the recurrence counted twice. In the chunk form masked products count half, recomputation and
  /// the inverse not at all; the backward run of a product is two products.
  double flopsOf(const RecurrenceInfo &info, Form form, bool gradients, int64_t chunk) const {
    const Problem &p = options.problem;
    double steps = double(p.batch) * double(p.tokens) * double(p.valueHeads);
    double ops = double(info.reads + info.writes), pairs = double(info.reads * info.writes);
    double perStep = 2 * ops * double(p.keyDim * p.valueDim);
    if (form == Form::chunk)
      perStep += pairs * double(chunk * (p.keyDim + p.valueDim));
    return steps * perStep * (gradients ? 3 : 1);
  }

  Measurement measure(const Program &program, const LoadedPackage &kernels, const TensorMap &inputs,
                      Form form, bool gradients) const {
    ViewMap views = viewsOf(inputs);
    RunOptions runOptions{form, threads};
    double seconds =
        medianSeconds([&] { sluice::run(kernels, inputs, gradients, runOptions); });
    Signature signature = signatureOf(kernels.package());
    Sizes sizes = checkTensors(signature, views, gradients);
    int64_t bytes = bytesOf(forwardOutputs(signature, sizes, kernels.package().dtype));
    for (const TensorSpec &spec : program.info.arguments)
      bytes += views.at(spec.name).bytes() * (gradients ? 2 : 1);
    return {form, gradients, seconds,
            flopsOf(program.info, form, gradients, kernels.package().chunk), double(bytes)};
  }

  std::vector<std::string> row(const Measurement &measured, double rate) const {
    const Problem &p = options.problem;
    double tokenHeads = double(p.batch) * double(p.tokens) * double(p.valueHeads);
    return {measured.form == Form::chunk ? "chunk" : "recurrent",
            measured.gradients ? "forward and backward" : "forward",
            fixed(measured.seconds * 1e3, 2),
            fixed(measured.seconds * 1e9 / std::max(tokenHeads, 1.0), 1),
            measured.flops > 0 ? fixed(measured.flops / measured.seconds * 1e-9, 1) : "n/a",
            fixed(measured.bytes / rate * 1e3, 2)};
  }

  nlohmann::json json(const Measurement &measured, double rate) const {
    return {{"form", measured.form == Form::chunk ? "chunk" : "recurrent"},
            {"gradients", measured.gradients},
            {"seconds", measured.seconds},
            {"flops", measured.flops},
            {"bytes", measured.bytes},
            {"copy_floor_seconds", measured.bytes / rate}};
  }

  int run() {
    Program program = loadProgram(options.spec);
    CompileOptions compile = options.resolve(program);
    auto kernels = loadKernels(program, compile);
    TensorMap inputs = drawInputs(program.info, options.problem, {}, compile.dtype);
    double rate = copyRate(threads);
    Table table({"form", "run", "ms", "ns/token-head", "GFLOP/s", "copy floor ms"});
    nlohmann::json rows = nlohmann::json::array();
    for (Form form : {Form::chunk, Form::recurrent})
      for (bool gradients : {false, true}) {
        if (form == Form::chunk && !program.info.chunkable)
          continue;
        Measurement measured = measure(program, *kernels, inputs, form, gradients);
        table.add(row(measured, rate));
        rows.push_back(json(measured, rate));
      }
    const Problem &p = options.problem;
    std::printf("%s, %s, batch %lld, tokens %lld, heads %lld/%lld, dimensions %lld/%lld, chunk %lld, "
                "threads %d\n",
                program.info.name.c_str(), nameOf(compile.dtype), (long long)p.batch,
                (long long)p.tokens, (long long)p.keyHeads, (long long)p.valueHeads,
                (long long)p.keyDim, (long long)p.valueDim, (long long)compile.chunk, threads);
    std::fputs(table.text().c_str(), stdout);
    if (!options.json.empty())
      writeFile(options.json, nlohmann::json({{"recurrence", program.info.name},
                                              {"dtype", nameOf(compile.dtype)},
                                              {"chunk", compile.chunk},
                                              {"threads", threads},
                                              {"copy_bytes_per_second", rate},
                                              {"rows", rows}})
                                      .dump(1) +
                                  "\n");
    return 0;
  }
};

} // namespace

void addBench(CLI::App &app, int &status) {
  CLI::App *command = app.add_subcommand("bench", "Time both forms");
  auto state = std::make_shared<BenchCommand>();
  addProblemOptions(*command, state->options);
  command->add_option("--threads", state->threads, "Threads; by default all that may be used")
      ->check(CLI::Range(1, 4096));
  command->callback([state, &status] { status = state->run(); });
}

} // namespace sluice
