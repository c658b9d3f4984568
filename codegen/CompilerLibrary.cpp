// Where the compiler's library lies, and its build id.
#include "codegen/CompilerLibrary.h"

#include "runtime/Error.h"
#include "runtime/Files.h"

#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr const char *libraryName = "libSluiceCodegen.so";

/// The program or library that this code is a part of.
fs::path ownFolder() {
  Dl_info info;
  std::error_code error;
  fs::path self;
  // A program that was found through PATH names itself without a folder.
  if (dladdr(reinterpret_cast<void *>(&compilerLibraryPath), &info) && info.dli_fname &&
      std::strchr(info.dli_fname, '/'))
    self = fs::canonical(info.dli_fname, error);
  if (self.empty())
    self = fs::canonical("/proc/self/exe", error);
  return self.parent_path();
}

std::string findLibrary() {
  fs::path own = ownFolder();
  for (fs::path folder : {own, own.parent_path() / "lib", own.parent_path().parent_path() / "lib"}) {
    std::error_code error;
    if (fs::exists(folder / libraryName, error))
      return (folder / libraryName).string();
  }
  return "";
}

/// Searches the notes of a segment for the one that the linker calls GNU build id.
std::string buildIdIn(std::string_view notes) {
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data(), sizeof note);
    size_t nameBytes = (note.n_namesz + 3) / 4 * 4, idBytes = (note.n_descsz + 3) / 4 * 4;
    if (notes.size() < sizeof note + nameBytes + idBytes)
      return "";
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4) {
      std::string id;
      for (unsigned char byte : notes.substr(sizeof note + nameBytes, note.n_descsz))
        id += toHex(byte).substr(14);
      return id;
    }
    notes.remove_prefix(sizeof note + nameBytes + idBytes);
  }
  return "";
}

std::string readBuildId(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  Elf64_Ehdr header;
  if (!file.read(reinterpret_cast<char *>(&header), sizeof header))
    return "";
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    file.seekg(static_cast<std::streamoff>(header.e_phoff + i * sizeof segment));
    if (!file.read(reinterpret_cast<char *>(&segment), sizeof segment))
      return "";
    if (segment.p_type != PT_NOTE)
      continue;
    std::string notes(segment.p_filesz, '\0');
    file.seekg(static_cast<std::streamoff>(segment.p_offset));
    if (file.read(notes.data(), static_cast<std::streamsize>(notes.size())))
      if (std::string id = buildIdIn(notes); !id.empty())
        return id;
  }
  return "";
}

/// Size and time of the file stand in for a build id that the linker did not write.
std::string versionOf(const std::string &path) {
  if (path.empty())
    return "";
  if (std::string id = readBuildId(path); !id.empty())
    return id;
  std::error_code error;
  auto time = fs::last_write_time(path, error).time_since_epoch().count();
  return std::to_string(fs::file_size(path, error)) + "-" + std::to_string(time);
}

} // namespace

std::string compilerLibraryPath() {
  static const std::string path = findLibrary();
  return path;
}

std::string compilerVersion() {
  static const std::string version = versionOf(compilerLibraryPath());
  return version;
}

} // namespace sluice
