// Reads and splits a folder of text files.

#include "models/data/Documents.h"

#include "runtime/Error.h"
#include "runtime/Files.h"

#include <algorithm>
#include <dlfcn.h>
#include <filesystem>

namespace sluice::models {

namespace fs = std::filesystem;

bool isHeldOut(const std::string &name, double fraction) {
  // FNV's high bits hardly depend on the last letters; a multiplication and a shift mix them.
  uint64_t mixed = hash(name) * 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93u;
  mixed ^= mixed >> 32;
  return static_cast<double>(mixed >> 11) * 0x1p-53 < fraction;
}

std::string resolveDataPath(const std::string &path) {
  if (path != "sotu")
    return path;
  // build/lib/libSluiceModels.so -> build/data/sotu
  Dl_info info;
  if (dladdr(reinterpret_cast<void *>(&resolveDataPath), &info) == 0 || !info.dli_fname)
    return path;
  std::error_code ignored;
  fs::path library = fs::canonical(info.dli_fname, ignored);
  return (library.parent_path().parent_path() / "data" / "sotu").string();
}

Documents readDocuments(const std::string &folder, double heldOutFraction) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, error))
    if (entry.is_regular_file() && entry.path().extension() == ".txt")
      files.push_back(entry.path());
  if (error)
    throw UserError("expected data.path to be a folder of .txt files, cannot read '" + folder +
                    "': " + error.message());
  if (files.empty())
    throw UserError("expected data.path to be a folder of .txt files, found none in '" + folder + "'");
  std::sort(files.begin(), files.end());
  Documents documents;
  for (const fs::path &file : files) {
    Document document{file.filename().string(), readFile(file.string())};
    bool heldOut = isHeldOut(document.name, heldOutFraction);
    (heldOut ? documents.heldOut : documents.training).push_back(std::move(document));
  }
  if (documents.training.empty())
    throw UserError("expected documents to train on in '" + folder + "', all " +
                    std::to_string(files.size()) + " are held out");
  return documents;
}

} // namespace sluice::models
