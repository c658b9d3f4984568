// The driver's subcommands. Each function adds one to the program's command line; its callback returns through
// `status`, or throws UserError.
#pragma once

#include <CLI/CLI.hpp>

namespace sluice {

void addList(CLI::App &app, int &status);
void addCompile(CLI::App &app, int &status);
void addRun(CLI::App &app, int &status);
void addCheck(CLI::App &app, int &status);
void addBench(CLI::App &app, int &status);
/// Subcommands of a later version.
void addUnavailable(CLI::App &app);

/// train, eval and generate live in libSluiceModels.so, which brings PyTorch. argv[0] is the subcommand.
bool belongsToModels(const char *subcommand);
int runModels(int argc, char **argv);
/// So that the help lists them.
void addModels(CLI::App &app);

} // namespace sluice
