// sluice check: both forms against the float64 interpreter, values and gradients.
#include "tools/sluice/Commands.h"

#include "codegen/Jit.h"
#include "runtime/Error.h"
#include "runtime/Files.h"
#include "runtime/Launch.h"
#include "tools/sluice/Cases.h"
#include "tools/sluice/Compare.h"
#include "tools/sluice/Table.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

namespace sluice {

namespace {

struct CheckCommand {
  ProblemOptions options;

  CheckCommand() { options.problem = {2, 100, 2, 2, 64, 64}; }

  int run() {
    Program program = loadProgram(options.spec);
    CompileOptions compile = options.resolve(program);
    auto kernels = loadKernels(program, compile);
    Table table({"case", "chunk: values", "gradients", "recurrent: values", "gradients", ""});
    nlohmann::json cases = nlohmann::json::array();
    bool passed = true;
    for (const Case &test : casesFor(program.info, options.problem)) {
      CaseResult result = runCase(program, *kernels, compile.dtype, test);
      passed &= result.passed();
      table.add(result.row());
      for (const nlohmann::json &entry : result.json())
        cases.push_back(entry);
    }
    std::fputs(table.text().c_str(), stdout);
    if (!program.info.chunkable)
      std::printf("no chunk form: %s\n", program.info.notChunkable.c_str());
    if (!options.json.empty())
      writeFile(options.json, nlohmann::json({{"recurrence", program.info.name},
                                              {"dtype", nameOf(compile.dtype)},
                                              {"chunk", compile.chunk},
                                              {"key_dim", compile.keyDim},
                                              {"value_dim", compile.valueDim},
                                              {"passed", passed},
                                              {"cases", cases}})
                                      .dump(1) +
                                  "\n");
    return passed ? 0 : 1;
  }

  static Spec specOf(const Program &program) {
    // A package carries the text that it was compiled from.
    if (program.spec)
      return *program.spec;
    return {program.package->specText, "the package's recurrence", program.package->recurrence};
  }

  static CaseResult runCase(const Program &program, const LoadedPackage &kernels, DType dtype,
                            const Case &test) {
    CaseResult result{test.name, {}, ""};
    TensorMap inputs = drawInputs(program.info, test.problem, test.variation, dtype);
    TensorMap exact = compiler().interpret(specOf(program), inputs, true);
    if (std::string name = firstNotFinite(exact); !name.empty()) {
      result.reason = "the reference is not finite in " + name;
      return result;
    }
    for (Form form : {Form::chunk, Form::recurrent}) {
      if (form == Form::chunk && !program.info.chunkable)
        continue;
      TensorMap computed = sluice::run(kernels, inputs, true, {form, 0});
      for (const auto &[name, tensor] : exact) {
        Comparison comparison = expect(program.info, name, dtype, test.hard);
        comparison.form = form;
        result.comparisons.push_back(compare(comparison, computed.at(name), tensor));
      }
    }
    return result;
  }
};

} // namespace

void addCheck(CLI::App &app, int &status) {
  CLI::App *command = app.add_subcommand("check", "Compare both forms with the float64 interpreter");
  auto state = std::make_shared<CheckCommand>();
  addProblemOptions(*command, state->options);
  command->callback([state, &status] { status = state->run(); });
}

} // namespace sluice
