// Finds, loads and calls NVRTC. Its interface is stable, so the few declarations it takes are repeated here.
#include "codegen/cuda/Nvrtc.h"

#include "runtime/Error.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <link.h>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

namespace sluice {

namespace fs = std::filesystem;

namespace {

using Program = struct NvrtcProgram *;
using Status = int;

/// The oldest that is known to compile the headers; 12.1 lacks __builtin_bit_cast.
constexpr std::pair<int, int> oldest{12, 4};
constexpr Status success = 0, compilationFailed = 6;
/// Newest first.
constexpr const char *libraryNames[] = {"libnvrtc.so.13", "libnvrtc.so.12"};

std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

class Candidates {
public:
  std::vector<std::string> list() {
    if (std::string chosen = environment("SLUICE_CUDA"); !chosen.empty()) {
      std::error_code ignored;
      if (fs::is_regular_file(chosen, ignored))
        add(chosen);
      addToolkit(chosen);
      addFolder(chosen);
      return paths;
    }
    for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
      if (std::string folder = environment(variable); !folder.empty())
        addToolkit(folder);
    addToolkit("/usr/local/cuda");
    for (const char *name : libraryNames)
      paths.push_back(name);
    addAboveProgram();
    if (std::string folder = environment("VIRTUAL_ENV"); !folder.empty())
      addPythons(folder);
    addLoadedPackages();
    addPythonOnPath();
    return paths;
  }

private:
  std::vector<std::string> paths;

  void add(const fs::path &path) {
    std::error_code ignored;
    fs::path real = fs::canonical(path, ignored);
    if (!ignored && std::find(paths.begin(), paths.end(), real.string()) == paths.end())
      paths.push_back(real.string());
  }

  void addFolder(const fs::path &folder) {
    for (const char *name : libraryNames)
      add(folder / name);
  }

  void addToolkit(const fs::path &folder) {
    for (const char *libraries : {"lib64", "lib", "targets/x86_64-linux/lib"})
      addFolder(folder / libraries);
  }

  void addSitePackages(const fs::path &folder) {
    for (const char *package : {"nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib"})
      addFolder(folder / package);
  }

  /// All of lib/python3.* below a virtual environment, the newest first.
  void addPythons(const fs::path &environment) {
    std::error_code ignored;
    std::set<fs::path, std::greater<>> folders;
    for (const fs::directory_entry &entry : fs::directory_iterator(environment / "lib", ignored))
      if (entry.path().filename().string().starts_with("python3"))
        folders.insert(entry.path());
    for (const fs::path &folder : folders)
      for (const char *packages : {"site-packages", "dist-packages"})
        addSitePackages(folder / packages);
  }

  /// The Python that the user would start, and what the user installed for it.
  void addPythonOnPath() {
    std::istringstream folders(environment("PATH"));
    for (std::string folder; std::getline(folders, folder, ':');) {
      std::error_code ignored;
      fs::path python = fs::path(folder) / "python3";
      if (folder.empty() || !fs::exists(python, ignored))
        continue;
      addPythons(fs::path(folder).parent_path());
      addPythons(fs::canonical(python, ignored).parent_path().parent_path());
    }
    if (std::string home = environment("HOME"); !home.empty())
      addPythons(home + "/.local");
  }

  /// A build folder above the program holds the environment that the set-up made.
  void addAboveProgram() {
    std::error_code ignored;
    fs::path folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
    for (int level = 0; level < 5 && folder.has_relative_path(); ++level, folder = folder.parent_path())
      addPythons(folder / "gpu-venv");
  }

  /// The site-packages that libraries of this process come from, PyTorch's for example.
  void addLoadedPackages() {
    std::set<std::string> folders;
    auto visit = [](dl_phdr_info *info, size_t, void *data) {
      std::string path = info->dlpi_name ? info->dlpi_name : "";
      constexpr std::string_view marker = "/site-packages/";
      if (size_t at = path.rfind(marker); at != std::string::npos)
        static_cast<std::set<std::string> *>(data)->insert(path.substr(0, at + marker.size()));
      return 0;
    };
    dl_iterate_phdr(visit, &folders);
    for (const std::string &folder : folders)
      addSitePackages(folder);
  }
};

Elf64_Ehdr headerOf(std::istream &file) {
  Elf64_Ehdr header{};
  file.read(reinterpret_cast<char *>(&header), sizeof header);
  return header;
}

/// What the loader says badly or not at all: it calls a file for another processor missing, and dies of one
/// that is cut short. Throws UserError.
void checkFile(const std::string &library) {
  std::ifstream file(library, std::ios::binary), program("/proc/self/exe", std::ios::binary);
  Elf64_Ehdr header = headerOf(file), own = headerOf(program);
  if (!file || !program || std::memcmp(header.e_ident, own.e_ident, EI_DATA) != 0)
    return;
  if (header.e_machine != own.e_machine)
    throw UserError("NVRTC cannot be loaded: expected a library for this processor, got " + library);
  std::error_code ignored;
  uintmax_t size = fs::file_size(library, ignored);
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    file.seekg(static_cast<std::streamoff>(header.e_phoff + uint64_t(i) * header.e_phentsize));
    file.read(reinterpret_cast<char *>(&segment), sizeof segment);
    if (!file || (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > size))
      throw UserError("NVRTC cannot be loaded: expected a whole library, got one cut to " +
                      std::to_string(size) + " bytes: " + library);
  }
}

std::string numbered(const std::string &prefix, int number) { return prefix + std::to_string(number); }

} // namespace

struct Nvrtc::Functions {
  const char *(*getErrorString)(Status);
  Status (*version)(int *, int *);
  Status (*getNumSupportedArchs)(int *);
  Status (*getSupportedArchs)(int *);
  Status (*createProgram)(Program *, const char *, const char *, int, const char *const *,
                          const char *const *);
  Status (*destroyProgram)(Program *);
  Status (*compileProgram)(Program, int, const char *const *);
  Status (*getProgramLogSize)(Program, size_t *);
  Status (*getProgramLog)(Program, char *);
  Status (*getCUBINSize)(Program, size_t *);
  Status (*getCUBIN)(Program, char *);
  Status (*getPTXSize)(Program, size_t *);
  Status (*getPTX)(Program, char *);

  void check(Status status, const char *call) const {
    if (status != success)
      throw UserError(std::string("NVRTC: ") + call + ": " + getErrorString(status));
  }

  using Size = Status (*)(Program, size_t *);
  using Get = Status (*)(Program, char *);
  /// The bytes of one result.
  std::string fetch(Program program, Size size, Get get, const char *call) const {
    size_t bytes = 0;
    check(size(program, &bytes), call);
    std::string text(bytes, '\0');
    if (bytes > 0)
      check(get(program, text.data()), call);
    return text;
  }

  /// The same for text, without the zeros at its end and, in a log, between what each tool says.
  std::string fetchText(Program program, Size size, Get get, const char *call) const {
    std::string text = fetch(program, size, get, call);
    std::erase(text, '\0');
    return text;
  }
};

std::vector<std::string> Nvrtc::candidates() { return Candidates().list(); }

std::shared_ptr<const Nvrtc> Nvrtc::find() {
  static std::mutex mutex;
  // Never unloaded: the library's own threads and destructors may outlive ours.
  static std::shared_ptr<const Nvrtc> &found = *new std::shared_ptr<const Nvrtc>;
  std::lock_guard lock(mutex);
  if (found)
    return found;
  std::string unusable;
  for (const std::string &candidate : candidates()) {
    try {
      return found = load(candidate);
    } catch (const UserError &error) {
      // A name that the loader does not know is no news; a file that cannot be used is.
      if (candidate.find('/') != std::string::npos)
        unusable = error.what();
    }
  }
  if (!unusable.empty())
    throw UserError(unusable);
  std::string chosen = environment("SLUICE_CUDA");
  throw UserError(chosen.empty()
                      ? "NVRTC not found: expected libnvrtc.so.13 or .12 of a CUDA toolkit in $SLUICE_CUDA, "
                        "$CUDA_HOME or /usr/local/cuda, on the loader's path, or in a Python package"
                      : "NVRTC not found: expected libnvrtc.so.13 or .12 in SLUICE_CUDA, got " + chosen);
}

std::shared_ptr<const Nvrtc> Nvrtc::load(const std::string &library) {
  std::shared_ptr<Nvrtc> nvrtc(new Nvrtc);
  nvrtc->library = library;
  if (library.find('/') != std::string::npos)
    checkFile(library);
  nvrtc->handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!nvrtc->handle)
    throw UserError("NVRTC cannot be loaded: " + std::string(dlerror()));
  auto functions = std::make_unique<Functions>();
  auto resolve = [&](auto &function, const char *name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(nvrtc->handle, name));
    if (!function)
      throw UserError("expected NVRTC, got a library without " + std::string(name) + ": " + library);
  };
  resolve(functions->getErrorString, "nvrtcGetErrorString");
  resolve(functions->version, "nvrtcVersion");
  resolve(functions->getNumSupportedArchs, "nvrtcGetNumSupportedArchs");
  resolve(functions->getSupportedArchs, "nvrtcGetSupportedArchs");
  resolve(functions->createProgram, "nvrtcCreateProgram");
  resolve(functions->destroyProgram, "nvrtcDestroyProgram");
  resolve(functions->compileProgram, "nvrtcCompileProgram");
  resolve(functions->getProgramLogSize, "nvrtcGetProgramLogSize");
  resolve(functions->getProgramLog, "nvrtcGetProgramLog");
  resolve(functions->getCUBINSize, "nvrtcGetCUBINSize");
  resolve(functions->getCUBIN, "nvrtcGetCUBIN");
  resolve(functions->getPTXSize, "nvrtcGetPTXSize");
  resolve(functions->getPTX, "nvrtcGetPTX");
  functions->check(functions->version(&nvrtc->major, &nvrtc->minor), "nvrtcVersion");
  nvrtc->functions = std::move(functions);
  if (std::pair(nvrtc->major, nvrtc->minor) < oldest)
    throw UserError("expected NVRTC 12.4 or newer, got " + nvrtc->version() + ": " + library);
  return nvrtc;
}

Nvrtc::~Nvrtc() {
  if (handle)
    dlclose(handle);
}

std::string Nvrtc::identity() const {
  Dl_info info{};
  dladdr(reinterpret_cast<const void *>(functions->version), &info);
  std::error_code ignored;
  fs::path file = fs::canonical(info.dli_fname ? info.dli_fname : library, ignored);
  auto time = fs::last_write_time(file, ignored).time_since_epoch().count();
  return version() + " " + std::to_string(fs::file_size(file, ignored)) + " " + std::to_string(time);
}

std::string Nvrtc::version() const { return numbered(numbered("", major) + ".", minor); }

bool Nvrtc::supports(const std::string &architecture) const {
  int count = 0;
  functions->check(functions->getNumSupportedArchs(&count), "nvrtcGetNumSupportedArchs");
  std::vector<int> known(count);
  functions->check(functions->getSupportedArchs(known.data()), "nvrtcGetSupportedArchs");
  // The list names no variants: 90 stands for sm_90a too, which exists from 9.0 on.
  return std::any_of(known.begin(), known.end(), [&](int number) {
    std::string name = numbered("sm_", number);
    return architecture == name || (number >= 90 && architecture == name + "a");
  });
}

NvrtcOutput Nvrtc::compile(const std::string &source, const std::string &fileName,
                           const std::map<std::string, std::string> &headers,
                           const std::vector<std::string> &options) const {
  std::vector<const char *> names, texts, flags;
  for (const auto &[name, text] : headers) {
    names.push_back(name.c_str());
    texts.push_back(text.c_str());
  }
  for (const std::string &option : options)
    flags.push_back(option.c_str());
  const Functions &call = *functions;
  Program program = nullptr;
  call.check(call.createProgram(&program, source.c_str(), fileName.c_str(), static_cast<int>(names.size()),
                                texts.data(), names.data()),
             "nvrtcCreateProgram");
  auto destroy = [&](Program created) { call.destroyProgram(&created); };
  std::unique_ptr<struct NvrtcProgram, decltype(destroy)> owner(program, destroy);
  Status status = call.compileProgram(program, static_cast<int>(flags.size()), flags.data());
  if (status != compilationFailed)
    call.check(status, "nvrtcCompileProgram");
  NvrtcOutput output;
  output.succeeded = status == success;
  output.log = call.fetchText(program, call.getProgramLogSize, call.getProgramLog, "nvrtcGetProgramLog");
  if (output.succeeded) {
    output.cubin = call.fetch(program, call.getCUBINSize, call.getCUBIN, "nvrtcGetCUBIN");
    output.ptx = call.fetchText(program, call.getPTXSize, call.getPTX, "nvrtcGetPTX");
  }
  return output;
}

} // namespace sluice
