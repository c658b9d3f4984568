// Subcommands that need PyTorch, from a library of their own, and those of a later version.
#include "tools/sluice/Commands.h"

#include "runtime/Error.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>

namespace sluice {

namespace {

constexpr const char *modelCommands[][2] = {
    {"train", "Train a model: CONFIG.toml --out RUN [--resume] [--set section.key=value]..."},
    {"eval", "Held-out perplexity and bits per byte: RUN [--json F]"},
    {"generate", "Text from a trained model: RUN --prompt TEXT [--tokens --temperature --seed]"}};

constexpr const char *laterCommands[][2] = {
    {"explain", "Derivation and kernels as a report (not available yet)"},
    {"serve", "A server for a trained model (not available yet)"}};

std::string libraryPath() {
  std::error_code error;
  std::filesystem::path program = std::filesystem::canonical("/proc/self/exe", error);
  return (program.parent_path().parent_path() / "lib" / "libSluiceModels.so").string();
}

} // namespace

bool belongsToModels(const char *subcommand) {
  for (auto &command : modelCommands)
    if (std::strcmp(subcommand, command[0]) == 0)
      return true;
  return false;
}

int runModels(int argc, char **argv) {
  // libgomp reads this when it is loaded. Threads that spin between PyTorch's loops would take the processors from
  // the kernels' own threads and, on a busy machine, from the thread that they wait for.
  setenv("OMP_WAIT_POLICY", "passive", /*replace=*/0);
  void *library = dlopen(libraryPath().c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (!library)
    throw UserError(std::string("cannot load the library of models: ") + dlerror());
  void *entry = dlsym(library, "sluiceModelsMain");
  if (!entry)
    throw UserError(std::string("cannot load the library of models: ") + dlerror());
  return reinterpret_cast<int (*)(int, char **)>(entry)(argc, argv);
}

void addModels(CLI::App &app) {
  for (auto &command : modelCommands)
    app.add_subcommand(command[0], command[1]);
}

void addUnavailable(CLI::App &app) {
  for (auto &command : laterCommands) {
    std::string name = command[0];
    CLI::App *subcommand = app.add_subcommand(name, command[1]);
    subcommand->prefix_command();
    subcommand->callback([name] { throw UserError("'sluice " + name + "' is not available yet"); });
  }
}

} // namespace sluice
