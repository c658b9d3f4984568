// Folders, environment variables and errors of tests.
#include "test/cuda/TestFolder.h"

#include "runtime/Error.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

namespace sluice::test {

std::string emptyFolder(const std::string &name) {
  std::string folder = SLUICE_BINARY_DIR "/test/cuda/" + name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

namespace {
void assign(const std::string &name, const std::string &value) {
  if (value.empty())
    unsetenv(name.c_str());
  else
    setenv(name.c_str(), value.c_str(), 1);
}
} // namespace

Environment::Environment(std::string variable, const std::string &value) : name(std::move(variable)) {
  if (const char *old = std::getenv(name.c_str()))
    before = old;
  assign(name, value);
}

Environment::~Environment() { assign(name, before.value_or("")); }

std::string errorOf(const std::function<void()> &action) {
  try {
    action();
  } catch (const UserError &error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "no error";
}

} // namespace sluice::test
