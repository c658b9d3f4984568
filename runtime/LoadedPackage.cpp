// Brings a package's shared object into the process without leaving a file behind.
#include "runtime/LoadedPackage.h"

#include "runtime/Error.h"

#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace sluice {

namespace {

/// A file in memory, where the system has them, else a temporary one; removed with the object. dlopen takes two
/// files of one path for the same library, so the descriptor stays open as long as the library is loaded.
class CodeFile {
public:
  explicit CodeFile(const std::string &code) {
    descriptor = memfd_create("sluice-kernels", MFD_CLOEXEC);
    path = "/proc/self/fd/" + std::to_string(descriptor);
    if (descriptor < 0 || access(path.c_str(), R_OK) != 0)
      makeTemporary();
    for (size_t done = 0; done < code.size();) {
      ssize_t written = write(descriptor, code.data() + done, code.size() - done);
      if (written < 0)
        throw UserError("cannot write the kernels' code to memory or to a temporary file");
      done += static_cast<size_t>(written);
    }
  }
  ~CodeFile() {
    if (descriptor >= 0)
      close(descriptor);
    if (temporary)
      unlink(path.c_str());
  }
  const char *name() const { return path.c_str(); }

private:
  void makeTemporary() {
    if (descriptor >= 0)
      close(descriptor);
    const char *folder = std::getenv("TMPDIR");
    path = std::string(folder ? folder : "/tmp") + "/sluice-kernels-XXXXXX";
    descriptor = mkostemp(path.data(), O_CLOEXEC);
    temporary = descriptor >= 0;
  }

  int descriptor = -1;
  std::string path;
  bool temporary = false;
};

std::string entryName(Form form, bool backward) {
  return std::string(form == Form::chunk ? "chunk" : "recurrent") +
         (backward ? ".backward" : ".forward");
}

} // namespace

LoadedPackage::LoadedPackage(KernelPackage package) : description(std::move(package)) {
  auto file = std::make_shared<CodeFile>(description.code);
  void *handle = dlopen(file->name(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    throw UserError("cannot load the kernels of '" + description.recurrence + "': " + dlerror());
  library = std::shared_ptr<void>(handle, [file](void *loaded) { dlclose(loaded); });
  for (const EntryPoint &entry : description.entries) {
    void *symbol = dlsym(handle, entry.symbol.c_str());
    if (!symbol)
      throw UserError("the package of '" + description.recurrence + "' lacks the function '" +
                      entry.symbol + "'");
    functions[entry.name] = reinterpret_cast<KernelFunction>(symbol);
  }
  // The code is mapped now; there is no need to keep a second copy.
  description.code.clear();
  description.code.shrink_to_fit();
}

Form LoadedPackage::defaultForm() const {
  return description.find("chunk.forward") ? Form::chunk : Form::recurrent;
}

LoadedPackage::Entry LoadedPackage::entry(Form form, bool backward) const {
  std::string name = entryName(form, backward);
  if (const EntryPoint *point = description.find(name))
    return {point, functions.at(name)};
  if (form == Form::chunk && !description.chunkable)
    throw UserError("'" + description.recurrence +
                    "' has no chunk form: " + description.notChunkable);
  throw UserError("expected a package with the entry point " + name + ", got one without it");
}

} // namespace sluice
