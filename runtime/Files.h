// Files that are either complete or absent, files mapped into memory, and the hash that names cache entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

/// Whether a written file must survive a power failure: costs a wait for the disk.
enum class Durability { cached, synced };

/// Writes to a temporary file beside `path` and renames it at commit(), so that a reader sees the old file or
/// the whole new one; what is not committed leaves nothing behind. A path that is no regular file (a pipe, a
/// device) is written directly. Throws UserError with the system's reason.
class AtomicFile {
public:
  explicit AtomicFile(const std::string &path);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  void write(const void *data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit(Durability durability = Durability::cached);

private:
  [[noreturn]] void fail(int error);
  bool openUnnamed();
  void nameIt();
  std::string path, temporary;
  int descriptor = -1;
  bool unnamed = false;
};

/// Replaces the file by `text`, as AtomicFile does.
void writeFile(const std::string &path, std::string_view text);
/// The whole file. Throws UserError.
std::string readFile(const std::string &path);

struct MappedFile {
  std::shared_ptr<void> bytes;  ///< Private: writing to it does not change the file.
  size_t size = 0;
};
/// Throws UserError.
MappedFile mapFile(const std::string &path);

/// FNV-1a, 64 bits. Not for anything that an adversary may choose.
uint64_t hash(std::string_view text, uint64_t seed = 0xcbf29ce484222325u);
std::string toHex(uint64_t value);

} // namespace sluice
