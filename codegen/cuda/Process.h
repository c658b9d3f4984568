// Runs a program and keeps what it says; folders for what it reads and writes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sluice {

struct ProcessResult {
  int status = 0;      ///< Exit status; 128 + signal if one ended it; 127 if it could not be started.
  std::string output;  ///< Standard output and standard error together.
};

/// Runs `arguments[0]`, a path, with the rest as its arguments, and waits. No shell is involved.
ProcessResult runProcess(const std::vector<std::string> &arguments);

/// A new folder among the system's temporary ones, removed with the object; a signal that ends the process leaves
/// it. Throws UserError.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  std::filesystem::path path;
};

} // namespace sluice
