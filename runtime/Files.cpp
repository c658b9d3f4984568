// Atomic writes, mapped reads.
#include "runtime/Files.h"

#include "runtime/Error.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void failWith(const char *what, const std::string &path, int error) {
  throw UserError(std::string("cannot ") + what + " '" + path + "': " + std::strerror(error));
}

/// Closes the descriptor at the end of the scope.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0)
      close(value);
  }
};

size_t openForReading(const std::string &path, Descriptor &file) {
  file.value = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (file.value < 0 || fstat(file.value, &status) != 0)
    failWith("read", path, errno);
  if (S_ISDIR(status.st_mode))
    failWith("read", path, EISDIR);
  return static_cast<size_t>(status.st_size);
}

} // namespace

AtomicFile::AtomicFile(const std::string &requested) : path(requested) {
  std::error_code ignored;
  fs::file_status status = fs::status(path, ignored);
  if (fs::is_directory(status))
    failWith("write", requested, EISDIR);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
      failWith("write", requested, errno);
    return;
  }
  // A link keeps pointing to the file that is replaced.
  if (fs::exists(status))
    path = fs::canonical(path, ignored).string();
  if (openUnnamed())
    return;
  temporary = path + ".tmpXXXXXX";
  descriptor = mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) {
    int error = errno;
    temporary.clear();
    failWith("write", requested, error);
  }
  mode_t mask = umask(0);
  umask(mask);
  fchmod(descriptor, 0666 & ~mask);
}

/// Not every file system has files without a name; where it has, a process that is killed leaves nothing
/// behind.
bool AtomicFile::openUnnamed() {
  if (access("/proc/self/fd", X_OK) != 0)
    return false;
  fs::path folder = fs::path(path).parent_path();
  descriptor = open(folder.empty() ? "." : folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  return unnamed = descriptor >= 0;
}

/// What is complete gets a name that it can be renamed from, since a link does not replace a file.
void AtomicFile::nameIt() {
  static std::atomic<unsigned> counter = 0;
  std::string file = "/proc/self/fd/" + std::to_string(descriptor), name;
  int error = 0;
  do {
    name = path + ".tmp" + std::to_string(getpid()) + "." + std::to_string(counter++);
    error = linkat(AT_FDCWD, file.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
  } while (error == EEXIST);
  if (error)
    fail(error);
  temporary = name;
}

AtomicFile::~AtomicFile() {
  if (descriptor >= 0)
    close(descriptor);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

void AtomicFile::fail(int error) { failWith("write", path, error); }

void AtomicFile::write(const void *data, size_t bytes) {
  const char *next = static_cast<const char *>(data);
  while (bytes > 0) {
    ssize_t written = ::write(descriptor, next, std::min<size_t>(bytes, size_t(1) << 30));
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      fail(errno);
    next += written;
    bytes -= static_cast<size_t>(written);
  }
}

void AtomicFile::commit(Durability durability) {
  if (durability == Durability::synced && (unnamed || !temporary.empty()) && fsync(descriptor) != 0)
    fail(errno);
  if (unnamed)
    nameIt();
  // Some file systems report a full disk only here.
  int closed = close(descriptor);
  descriptor = -1;
  if (closed != 0)
    fail(errno);
  if (temporary.empty())
    return;
  if (rename(temporary.c_str(), path.c_str()) != 0)
    fail(errno);
  temporary.clear();
}

void writeFile(const std::string &path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

std::string readFile(const std::string &path) {
  Descriptor file{-1};
  std::string text;
  text.reserve(openForReading(path, file));
  char buffer[1 << 16];
  while (true) {
    ssize_t got = read(file.value, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      failWith("read", path, errno);
    if (got == 0)
      return text;
    text.append(buffer, static_cast<size_t>(got));
  }
}

MappedFile mapFile(const std::string &path) {
  Descriptor file{-1};
  size_t size = openForReading(path, file);
  if (size == 0)
    return {nullptr, 0};
  void *bytes = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file.value, 0);
  if (bytes == MAP_FAILED)
    failWith("read", path, errno);
  return {std::shared_ptr<void>(bytes, [size](void *mapped) { munmap(mapped, size); }), size};
}

uint64_t hash(std::string_view text, uint64_t seed) {
  for (unsigned char byte : text)
    seed = (seed ^ byte) * 0x100000001b3u;
  return seed;
}

std::string toHex(uint64_t value) {
  std::string text(16, '0');
  for (int digit = 15; digit >= 0; --digit, value >>= 4)
    text[digit] = "0123456789abcdef"[value & 15];
  return text;
}

} // namespace sluice
