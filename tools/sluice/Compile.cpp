// sluice compile: writes a package, or the text of a stage on the way to one.
#include "tools/sluice/Commands.h"

#include "codegen/Jit.h"
#include "runtime/Error.h"
#include "runtime/Files.h"
#include "tools/sluice/Program.h"
#include "tools/sluice/Table.h"

#include <algorithm>
#include <cstdio>
#include <memory>

namespace sluice {

namespace {

/// What a port of a kernel becomes in the output of a run; empty if it is an input.
std::string outputName(const Port &port, bool forward) {
  switch (port.role) {
  case PortRole::result:
    return port.name;
  case PortRole::finalState:
    return "final_state";
  case PortRole::gradient:
    return "d" + port.name;
  case PortRole::stateGradient:
    return "dinitial_state";
  case PortRole::saved:
    return forward ? "(" + port.name + ")" : "";
  default:
    return "";
  }
}

std::string outputsOf(const EntryPoint &entry) {
  std::string text;
  for (const Port &port : entry.ports)
    if (std::string name = outputName(port, entry.name.ends_with(".forward")); !name.empty())
      text += (text.empty() ? "" : " ") + name;
  return text;
}

void printKernels(const KernelPackage &package) {
  Table table({"kernel", "tokens per step", "value columns", "scratch KiB", "computes (and saves)"});
  for (const EntryPoint &entry : package.entries)
    table.add({entry.name, std::to_string(entry.step), std::to_string(package.valueBlock),
               std::to_string(entry.scratchBytes / 1024), outputsOf(entry)});
  std::printf("%s for %s, K %lld, V %lld: %zu KiB\n%s", package.recurrence.c_str(), package.target.c_str(),
              static_cast<long long>(package.keyDim), static_cast<long long>(package.valueDim),
              package.code.size() / 1024, table.text(false).c_str());
}

struct CompileCommand {
  std::string spec, target = "cpu", dtype = "f32", stage = "package", output;
  CompileOptions options;

  void checkStage() const {
    for (const char *later : {"kernels", "tile", "cuda", "ptx", "cubin"})
      if (stage == later)
        throw UserError("the stage " + stage + " is not available yet");
    for (const char *known : {"package", "chunk", "adjoint", "llvm"})
      if (stage == known)
        return;
    throw UserError("--emit: expected chunk, adjoint, kernels, tile, llvm, cuda, ptx, cubin or package, got " +
                    stage);
  }

  int run() {
    checkStage();
    options.target = target;
    options.dtype = parseStorage(dtype);
    checkOptions(options);
    Program program = loadProgram(spec);
    const Spec &text = program.text("compile");
    bool wantsChunk = stage == "chunk" || stage == "adjoint";
    if (wantsChunk && !program.info.chunkable)
      throw UserError("'" + program.info.name + "' has no chunk form: " + program.info.notChunkable);
    if (stage == "package") {
      KernelPackage package = getPackage(text, options);
      savePackage(package, output);
      printKernels(package);
    } else {
      writeFile(output, compiler().emit(text, options, stage));
    }
    return 0;
  }
};

} // namespace

void addCompile(CLI::App &app, int &status) {
  CLI::App *command = app.add_subcommand("compile", "Compile a recurrence to a package or to a stage");
  auto state = std::make_shared<CompileCommand>();
  command->add_option("SPEC", state->spec, "File, FILE@name or built-in name")->required();
  command->add_option("--target", state->target, "cpu; sm_80 and sm_90a are not available yet");
  command->add_option("--key-dim", state->options.keyDim, "Key dimension, 16 to 256");
  command->add_option("--value-dim", state->options.valueDim, "Value dimension, 16 to 512");
  command->add_option("--chunk", state->options.chunk, "Tokens of a chunk: 16, 32, 64 or 128");
  command->add_option("--dtype", state->dtype, "Storage of keys, values and results: f32, f16 or bf16");
  command->add_option("--emit", state->stage,
                      "chunk, adjoint, llvm or package; kernels, tile, cuda, ptx and cubin are not available yet");
  command->add_option("-o,--output", state->output, "File to write")->required();
  command->callback([state, &status] { status = state->run(); });
}

} // namespace sluice
