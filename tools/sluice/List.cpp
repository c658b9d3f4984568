// sluice list: the built-in recurrences with their arguments.
#include "tools/sluice/Commands.h"

#include "codegen/Jit.h"
#include "tools/sluice/Table.h"

#include <cstdio>

namespace sluice {

namespace {

std::string describe(const TensorSpec &spec) {
  std::string kind = nameOf(spec.kind);
  if (spec.gate)
    kind += " gate";
  return spec.name + ": " + kind + (spec.perHead ? " per head" : "");
}

int list() {
  Table table({"name", "forms", "arguments"});
  for (const std::string &name : builtinNames()) {
    RecurrenceInfo info = getDescription(loadSpec(name));
    std::string arguments;
    for (const TensorSpec &spec : info.arguments)
      arguments += (arguments.empty() ? "" : ", ") + describe(spec);
    table.add({name, info.chunkable ? "chunk, recurrent" : "recurrent", arguments});
  }
  std::fputs(table.text(false).c_str(), stdout);
  return 0;
}

} // namespace

void addList(CLI::App &app, int &status) {
  CLI::App *command = app.add_subcommand("list", "Built-in recurrences with their arguments and kinds");
  command->callback([&status] { status = list(); });
}

} // namespace sluice
