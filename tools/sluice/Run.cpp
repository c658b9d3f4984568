// sluice run: tensors from a file through a recurrence into a file.
#include "tools/sluice/Commands.h"

#include "codegen/Jit.h"
#include "runtime/Error.h"
#include "runtime/Launch.h"
#include "runtime/Safetensors.h"
#include "tools/sluice/Program.h"

#include <memory>

namespace sluice {

namespace {

struct RunCommand {
  std::string spec, input, output, form, backend = "cpu";
  bool gradients = false;
  Choices choices;
  RunOptions options;

  /// Without any cotangent of a result all gradients would be zero: surely a mistake.
  void checkCotangents(const RecurrenceInfo &info, const TensorMap &tensors) const {
    std::string names;
    for (const TensorSpec &spec : info.results) {
      if (tensors.count("d" + spec.name))
        return;
      names += (names.empty() ? "'d" : " or 'd") + spec.name + "'";
    }
    if (gradients)
      throw UserError("expected a cotangent " + names + " for --grad, got none");
  }

  int run() {
    checkBackend(backend);
    Program program = loadProgram(spec);
    CompileOptions compileOptions = optionsFor(program, choices);
    options.form = formOf(program, form);
    TensorMap tensors = readSafetensors(input).tensors;
    // Before anything is compiled, which the sizes decide.
    Signature signature{program.info.arguments, program.info.results,
                        program.package ? compileOptions.keyDim : 0,
                        program.package ? compileOptions.valueDim : 0};
    Sizes sizes = checkTensors(signature, viewsOf(tensors), gradients);
    checkCotangents(program.info, tensors);
    compileOptions.keyDim = sizes.keyDim;
    compileOptions.valueDim = sizes.valueDim;
    compileOptions.entries = entriesOf(options.form, gradients);
    auto kernels = loadKernels(program, compileOptions);
    writeSafetensors(output, sluice::run(*kernels, tensors, gradients, options));
    return 0;
  }
};

} // namespace

void addRun(CLI::App &app, int &status) {
  CLI::App *command = app.add_subcommand("run", "Run a recurrence on the tensors of a file");
  auto state = std::make_shared<RunCommand>();
  command->add_option("SPEC", state->spec, "File, FILE@name, package or built-in name")->required();
  command->add_option("--in", state->input, "Arguments, in safetensors")->required();
  command->add_option("--out", state->output, "Results, in safetensors")->required();
  command->add_flag("--grad", state->gradients, "Gradients too; the input holds cotangents");
  command->add_option("--form", state->form, "chunk or recurrent; by default chunk where it exists");
  command->add_option("--backend", state->backend, "cpu; cuda and emulated are not available yet");
  command->add_option("--chunk", state->choices.chunk, "Tokens of a chunk: 16, 32, 64 or 128");
  command->add_option("--dtype", state->choices.dtype, "Storage of keys, values and results: f32, f16 or bf16");
  command->add_option("--threads", state->options.threads, "Threads; by default all that may be used")
      ->check(CLI::Range(1, 4096));
  command->callback([state, &status] { status = state->run(); });
}

} // namespace sluice
