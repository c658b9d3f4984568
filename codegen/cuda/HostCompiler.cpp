// Finds the compiler, compiles beside the cache, stores what is complete.
#include "codegen/cuda/HostCompiler.h"

#include "codegen/cuda/CompilerLog.h"
#include "codegen/cuda/DeviceHeaders.h"
#include "codegen/cuda/Process.h"
#include "runtime/Error.h"
#include "runtime/Files.h"
#include "runtime/PackageCache.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <unistd.h>

namespace sluice {

namespace fs = std::filesystem;

namespace {

constexpr const char *candidates[] = {"clang++-22", "clang++", "g++"};

bool isProgram(const fs::path &path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

/// As a shell finds it: a name with a slash is a path.
std::optional<std::string> findProgram(const std::string &name) {
  if (name.find('/') != std::string::npos)
    return isProgram(name) ? std::optional(fs::absolute(name).string()) : std::nullopt;
  const char *search = std::getenv("PATH");
  std::istringstream folders(search ? search : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (fs::path path = fs::path(folder) / name; !folder.empty() && isProgram(path))
      return path.string();
  return std::nullopt;
}

const char *whyNoProgram(const std::string &name) {
  std::error_code error;
  fs::file_status status = fs::status(name, error);
  if (name.find('/') == std::string::npos || !fs::exists(status))
    return "is not there";
  return fs::is_directory(status) ? "is a folder" : "is not executable";
}

std::string firstLine(const std::string &text) { return text.substr(0, text.find('\n')); }

/// A changed compiler has another size or time, which spares running it to learn its version.
std::string identityOf(const std::string &path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  auto time = fs::last_write_time(real, error).time_since_epoch().count();
  return real.string() + " " + std::to_string(fs::file_size(real, error)) + " " + std::to_string(time);
}

HostCompiler describe(const std::string &path) {
  PackageCache cache = PackageCache::standard();
  std::string key = "host compiler " + path + " " + identityOf(path);
  std::optional<std::string> version = cache.findText(key);
  if (!version) {
    ProcessResult result = runProcess({path, "--version"});
    if (result.status != 0 || result.output.empty())
      throw UserError("expected a C++ compiler, got '" + path + "', which does not answer to --version");
    version = firstLine(result.output);
    cache.storeText(key, *version);
  }
  return {path, *version, version->find("clang") != std::string::npos};
}

/// For what the cache could not take: until the program ends.
const fs::path &folderOfProcess() {
  static TemporaryFolder folder;
  return folder.path;
}

/// Writes the headers that are missing or damaged.
void writeHeaders(const fs::path &root) {
  for (const auto &[name, text] : deviceHeaders()) {
    fs::path file = root / name;
    std::error_code error;
    if (fs::file_size(file, error) == text.size() && !error && readFile(file.string()) == text)
      continue;
    fs::create_directories(file.parent_path(), error);
    writeFile(file.string(), text);
  }
}

std::vector<std::string> listFlags(const char *text) {
  std::vector<std::string> flags;
  std::istringstream words(text);
  for (std::string word; words >> word;)
    flags.push_back(word);
  return flags;
}

/// g++ spells some flags differently.
std::string asGcc(const std::string &flag) {
  if (flag == "-fno-vectorize")
    return "-fno-tree-vectorize";
  if (flag == "-fno-slp-vectorize")
    return "-fno-tree-slp-vectorize";
  return flag;
}

std::string keyOf(const HostCompiler &compiler, const KernelSource &source) {
  std::string key = "emulated kernel\n" + compiler.text() + "\n" + identityOf(compiler.path) + "\n";
  for (const std::string &flag : emulatorFlags(compiler))
    key += flag + " ";
  for (const std::string &define : source.defines)
    key += "-D" + define + " ";
  static const std::string headers = hashOfHeaders("codegen/cuda/device/");
  return key + "\n" + headers + "\n" + source.name + "\n" + source.text;
}

[[noreturn]] void failWith(const ProcessResult &result, const std::string &name, const std::string &key,
                           const HostCompiler &compiler) {
  if (result.output.empty())
    throw UserError("expected a C++ compiler, got '" + compiler.path + "', which ended with status " +
                    std::to_string(result.status) + " and said nothing");
  std::string log = "# " + compiler.text() + "\n" + result.output;
  std::optional<std::string> file = PackageCache::standard().storeFile(key, ".log", log);
  if (!file) {
    file = (folderOfProcess() / "compile.log").string();
    writeFile(*file, log);
  }
  throw UserError(firstHostError(result.output, name) + ", log in " + *file);
}

} // namespace

HostCompiler findHostCompiler() {
  if (const char *chosen = std::getenv("SLUICE_HOST_CXX"); chosen && *chosen) {
    if (std::optional<std::string> path = findProgram(chosen))
      return describe(*path);
    throw UserError(std::string("SLUICE_HOST_CXX: expected a C++ compiler, got '") + chosen + "', which " +
                    whyNoProgram(chosen));
  }
  for (const char *name : candidates)
    if (std::optional<std::string> path = findProgram(name))
      return describe(*path);
  throw UserError("expected a C++ compiler for the emulated backend (clang++-22, clang++ or g++ on PATH, or "
                  "SLUICE_HOST_CXX), got none");
}

std::vector<std::string> emulatorFlags(const HostCompiler &compiler) {
  std::vector<std::string> flags = listFlags(SLUICE_EMULATOR_FLAGS);
  if (compiler.clang)
    return flags;
  for (std::string &flag : flags)
    flag = asGcc(flag);
  // An object's memory holds the pattern also where its constructor begins: accumulators have one.
  flags.push_back("-flifetime-dse=1");
  return flags;
}

std::string deviceHeaderFolder() {
  static const std::string hash = hashOfHeaders("codegen/cuda/device/");
  PackageCache cache = PackageCache::standard();
  fs::path root = cache.path().empty() ? folderOfProcess() : fs::path(cache.path()) / ("headers-" + hash);
  try {
    writeHeaders(root);
  } catch (const UserError &) {
    // A cache that cannot be written: storing the object will warn.
    root = folderOfProcess();
    writeHeaders(root);
  }
  return root.string();
}

EmulatedObject compileForEmulator(const KernelSource &source) {
  HostCompiler compiler = findHostCompiler();
  PackageCache cache = PackageCache::standard();
  std::string key = keyOf(compiler, source);
  if (std::optional<std::string> found = cache.findFile(key, ".so"))
    return {*found, true};

  TemporaryFolder work;
  fs::path text = work.path / "kernel.cpp", object = work.path / "kernel.so";
  writeFile(text.string(), "#line 1 \"" + source.name + "\"\n" + source.text);
  fs::path headers = fs::path(deviceHeaderFolder()) / "codegen/cuda/device";
  std::vector<std::string> command = {compiler.path, "-shared", "-o", object.string(), text.string()};
  for (const std::string &flag : emulatorFlags(compiler))
    command.push_back(flag);
  for (const std::string &define : source.defines)
    command.push_back("-D" + define);
  for (const fs::path &folder : {headers / "emu", headers, headers.parent_path().parent_path().parent_path()})
    command.push_back("-I" + folder.string());
  ProcessResult result = runProcess(command);
  if (result.status != 0)
    failWith(result, source.name, key, compiler);
  if (std::error_code error; !fs::exists(object, error))
    throw UserError("expected a C++ compiler, got '" + compiler.path + "', which wrote no object");

  std::string bytes = readFile(object.string());
  if (std::optional<std::string> stored = cache.storeFile(key, ".so", bytes))
    return {*stored, false};
  fs::path kept = folderOfProcess() / (toHex(hash(key)) + ".so");
  writeFile(kept.string(), bytes);
  return {kept.string(), false};
}

} // namespace sluice
