// The driver's entry: one subcommand, one exit code. 0: done; 1: a check failed; 2: the user's input is at fault.
#include "tools/sluice/Commands.h"

#include "runtime/Error.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

using namespace sluice;

namespace {

/// Standard error gets exactly one line.
int fail(std::string message, int status) {
  while (!message.empty() && message.back() == '\n')
    message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  std::fprintf(stderr, "sluice: %s\n", message.c_str());
  return status;
}

/// CLI11 would only miss a subcommand.
void checkSubcommand(const CLI::App &app, const char *name) {
  if (name[0] == '-')
    return;
  std::string known;
  for (const CLI::App *command : app.get_subcommands({})) {
    if (command->get_name() == name)
      return;
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  throw UserError("expected a subcommand (" + known + "), got '" + name + "'");
}

int runCommand(int argc, char **argv) {
  CLI::App app("Compiles linear recurrences into chunked kernels with gradients, and trains models with them.",
               "sluice");
  app.require_subcommand(1);
  int status = 0;
  addList(app, status);
  addCompile(app, status);
  addRun(app, status);
  addCheck(app, status);
  addBench(app, status);
  addModels(app);
  addUnavailable(app);
  if (argc > 1)
    checkSubcommand(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    // Help is no error.
    if (error.get_exit_code() == 0)
      return app.exit(error);
    return fail(error.what(), 2);
  }
  return status;
}

} // namespace

int main(int argc, char **argv) {
  try {
    if (argc > 1 && belongsToModels(argv[1]))
      return runModels(argc - 1, argv + 1);
    int status = runCommand(argc, argv);
    if (std::fflush(stdout) != 0)
      return fail("cannot write to standard output", 2);
    return status;
  } catch (const UserError &error) {
    return fail(error.what(), 2);
  } catch (const std::bad_alloc &) {
    return fail("there is not enough memory for tensors of this size", 2);
  } catch (const std::length_error &) {
    return fail("there is not enough memory for tensors of this size", 2);
  } catch (const std::exception &error) {
    return fail(std::string("internal error: ") + error.what(), 3);
  }
}
