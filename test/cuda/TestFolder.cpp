// Folders, environment variables and errors of tests.
#include "test/cuda/TestFolder.h"

#include "runtime/Error.h"

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <system_error>
#include <unistd.h>

namespace sluice::test {

namespace {
/// Of this process and of those that it starts, death tests among them; removed by the one that made it.
struct OwnFolder {
  OwnFolder() {
    constexpr const char *variable = "SLUICE_TEST_FOLDER";
    if (const char *inherited = std::getenv(variable)) {
      path = inherited;
      return;
    }
    maker = getpid();
    path = SLUICE_BINARY_DIR "/test/cuda/" + std::to_string(maker);
    setenv(variable, path.c_str(), 1);
  }
  ~OwnFolder() {
    std::error_code ignored;
    if (getpid() == maker)
      std::filesystem::remove_all(path, ignored);
  }
  std::string path;
  pid_t maker = 0;
};
} // namespace

std::string emptyFolder(const std::string &name) {
  static const OwnFolder own;
  std::string folder = own.path + "/" + name;
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
