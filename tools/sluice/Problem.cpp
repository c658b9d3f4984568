// Command-line options of check and bench.
#include "tools/sluice/Problem.h"

#include "codegen/Jit.h"
#include "runtime/Error.h"

#include <limits>

namespace sluice {

void addProblemOptions(CLI::App &command, ProblemOptions &options) {
  Problem &problem = options.problem;
  auto addSize = [&](const char *name, int64_t &size, int64_t minimum, const char *help) {
    command.add_option(name, size, help)
        ->check(CLI::Range(minimum, std::numeric_limits<int64_t>::max() / 2))
        ->capture_default_str();
  };
  command.add_option("SPEC", options.spec, "File, FILE@name, package or built-in name")->required();
  addSize("--batch", problem.batch, 0, "Batches");
  addSize("--tokens", problem.tokens, 0, "Tokens of each");
  addSize("--key-heads", problem.keyHeads, 1, "Heads of keys");
  addSize("--value-heads", problem.valueHeads, 1, "Heads of values, a multiple of those of keys");
  command.add_option("--key-dim", options.keyDim, "Key dimension, 16 to 256");
  command.add_option("--value-dim", options.valueDim, "Value dimension, 16 to 512");
  command.add_option("--chunk", options.choices.chunk, "Tokens of a chunk: 16, 32, 64 or 128");
  command.add_option("--dtype", options.choices.dtype, "Storage: f32, f16 or bf16");
  command.add_option("--seed", problem.seed, "Seed of the inputs")->capture_default_str();
  command.add_option("--backend", options.backend, "cpu; cuda and emulated are not available yet");
  command.add_option("--json", options.json, "File for the figures");
}

CompileOptions ProblemOptions::resolve(const Program &program) {
  checkBackend(backend);
  if (problem.valueHeads % problem.keyHeads != 0)
    throw UserError("--value-heads: expected a multiple of the " + std::to_string(problem.keyHeads) +
                    " key heads, got " + std::to_string(problem.valueHeads));
  CompileOptions compile = optionsFor(program, choices);
  auto fix = [&](const char *name, const std::optional<int64_t> &wish, int64_t &size,
                 int64_t compiled) {
    if (program.package && wish && *wish != compiled)
      throw UserError(std::string(name) + ": expected " + std::to_string(compiled) +
                      ", which the package was compiled for, got " + std::to_string(*wish));
    size = program.package ? compiled : wish.value_or(size);
  };
  fix("--key-dim", keyDim, problem.keyDim, compile.keyDim);
  fix("--value-dim", valueDim, problem.valueDim, compile.valueDim);
  compile.keyDim = problem.keyDim;
  compile.valueDim = problem.valueDim;
  compile.entries = program.info.chunkable ? allEntries : recurrentForward | recurrentBackward;
  checkOptions(compile);
  return compile;
}

} // namespace sluice
