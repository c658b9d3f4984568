// The disk cache.
#include "runtime/PackageCache.h"

#include "runtime/Error.h"
#include "runtime/Files.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace sluice {

namespace fs = std::filesystem;

namespace {

std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

void warnOnce(const std::string &folder, const std::string &reason) {
  static std::atomic<bool> warned = false;
  if (!warned.exchange(true))
    std::fprintf(stderr, "warning: the cache '%s' is not used: %s\n", folder.c_str(),
                 reason.c_str());
}

} // namespace

PackageCache PackageCache::standard() {
  if (std::string folder = environment("SLUICE_CACHE"); !folder.empty())
    return PackageCache(folder);
  if (std::string folder = environment("XDG_CACHE_HOME"); !folder.empty())
    return PackageCache(folder + "/sluice");
  // Without a home, a folder that others cannot have prepared does not exist.
  if (std::string home = environment("HOME"); !home.empty())
    return PackageCache(home + "/.cache/sluice");
  return PackageCache("");
}

std::string PackageCache::fileOf(const std::string &key, const char *suffix) const {
  // Two hashes: 128 bits, so that keys do not collide.
  return folder + "/" + toHex(hash(key)) + toHex(hash(key, 0x9e3779b97f4a7c15u)) + suffix;
}

template <typename Write> void PackageCache::attempt(Write write) const {
  if (folder.empty())
    return warnOnce(folder, "none of SLUICE_CACHE, XDG_CACHE_HOME and HOME is set");
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return warnOnce(folder, error.message());
  try {
    write();
  } catch (const UserError &failure) {
    warnOnce(folder, failure.what());
  }
}

std::optional<KernelPackage> PackageCache::find(const std::string &key) const {
  std::string path = fileOf(key, ".sluice");
  if (folder.empty() || !isPackageFile(path))
    return std::nullopt;
  try {
    return loadPackage(path);
  } catch (const UserError &) {
    return std::nullopt;
  }
}

void PackageCache::store(const std::string &key, const KernelPackage &package) const {
  attempt([&] { savePackage(package, fileOf(key, ".sluice")); });
}

std::optional<std::string> PackageCache::findText(const std::string &key) const {
  if (folder.empty())
    return std::nullopt;
  try {
    std::string text = readFile(fileOf(key, ".json"));
    // The first line is the checksum of the rest.
    std::string rest = text.size() > 17 ? text.substr(17) : "";
    if (text.substr(0, 16) == toHex(hash(rest)))
      return rest;
  } catch (const UserError &) {
  }
  return std::nullopt;
}

void PackageCache::storeText(const std::string &key, const std::string &text) const {
  attempt([&] { writeFile(fileOf(key, ".json"), toHex(hash(text)) + "\n" + text); });
}

std::optional<std::string> PackageCache::findFile(const std::string &key, const char *suffix) const {
  std::optional<std::string> checksum = findText(key + suffix);
  if (!checksum)
    return std::nullopt;
  try {
    std::string path = fileOf(key, suffix);
    if (toHex(hash(readFile(path))) == *checksum)
      return path;
  } catch (const UserError &) {
  }
  return std::nullopt;
}

std::optional<std::string> PackageCache::storeFile(const std::string &key, const char *suffix,
                                                   const std::string &bytes) const {
  std::optional<std::string> stored;
  attempt([&] {
    writeFile(fileOf(key, suffix), bytes);
    stored = fileOf(key, suffix);
  });
  // The checksum is written last: what is found has been there in whole.
  if (stored)
    storeText(key + suffix, toHex(hash(bytes)));
  return stored;
}

} // namespace sluice
