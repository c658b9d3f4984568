// Files on disk that spare a compilation: $SLUICE_CACHE, else $XDG_CACHE_HOME/sluice, else ~/.cache/sluice.
// Entries are complete or absent, so that any number of processes may use the folder at once. What is damaged
// counts as absent. Where the folder cannot be written, one warning goes to standard error, and work goes on.
#pragma once

#include "runtime/KernelPackage.h"

#include <optional>
#include <string>

namespace sluice {

class PackageCache {
public:
  explicit PackageCache(std::string folder) : folder(std::move(folder)) {}
  /// The folder of the environment.
  static PackageCache standard();

  const std::string &path() const { return folder; }

  /// `key` names all that the package depends on; it is hashed to a file name.
  std::optional<KernelPackage> find(const std::string &key) const;
  void store(const std::string &key, const KernelPackage &package) const;

  std::optional<std::string> findText(const std::string &key) const;
  void storeText(const std::string &key, const std::string &text) const;

  /// Files that must have a path of their own, such as shared objects: the path of a complete entry.
  std::optional<std::string> findFile(const std::string &key, const char *suffix) const;
  /// The path of the new entry; nothing where the folder cannot be written.
  std::optional<std::string> storeFile(const std::string &key, const char *suffix, const std::string &bytes) const;

private:
  std::string fileOf(const std::string &key, const char *suffix) const;
  template <typename Write> void attempt(Write write) const;
  std::string folder;
};

} // namespace sluice
