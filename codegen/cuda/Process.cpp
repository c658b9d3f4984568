// posix_spawn with one pipe, and mkdtemp.
#include "codegen/cuda/Process.h"

#include "runtime/Error.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace sluice {

namespace {

std::string drain(int descriptor) {
  std::string text;
  char buffer[4096];
  for (;;) {
    ssize_t got = read(descriptor, buffer, sizeof buffer);
    if (got > 0)
      text.append(buffer, static_cast<size_t>(got));
    else if (got == 0 || errno != EINTR)
      return text;
  }
}

int waitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

ProcessResult runProcess(const std::vector<std::string> &arguments) {
  std::vector<char *> argv;
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return {127, std::strerror(errno)};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  pid_t child;
  int error = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  ProcessResult result;
  if (error == 0) {
    result.output = drain(ends[0]);
    result.status = waitFor(child);
  } else {
    result = {127, std::strerror(error)};
  }
  close(ends[0]);
  return result;
}

TemporaryFolder::TemporaryFolder() {
  const char *chosen = std::getenv("TMPDIR");
  std::filesystem::path parent = chosen && *chosen ? chosen : "/tmp";
  std::string pattern = (parent / "sluice-XXXXXX").string();
  if (!mkdtemp(pattern.data()))
    throw UserError("cannot create a folder in '" + parent.string() + "': " + std::strerror(errno));
  path = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

} // namespace sluice
