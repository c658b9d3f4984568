// NVRTC, NVIDIA's compiler from CUDA C++ to machine code as a library: found and loaded at run time, never
// linked.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sluice {

/// What one compilation left; the code is empty if it failed.
struct NvrtcOutput {
  bool succeeded = false;
  std::string cubin, ptx, log;
};

/// A loaded NVRTC. May be used by several threads at once.
class Nvrtc {
public:
  /// Looks, in this order, at $SLUICE_CUDA (a toolkit's folder, one of libraries, or the library itself; if
  /// set, nowhere else), $CUDA_HOME, $CUDA_PATH, /usr/local/cuda, the loader's path, and Python packages:
  /// build/gpu-venv above the program, $VIRTUAL_ENV, the site-packages of a Python that this process runs in,
  /// every python3 on $PATH and ~/.local. The first one found is kept for the process. Throws UserError in
  /// one line where there is none or it is older than 12.4.
  static std::shared_ptr<const Nvrtc> find();
  /// Throws UserError if the library cannot be loaded or is no NVRTC of 12.4 or newer.
  static std::shared_ptr<const Nvrtc> load(const std::string &library);
  /// The candidates of find() in their order: paths, or names for the loader.
  static std::vector<std::string> candidates();

  ~Nvrtc();
  Nvrtc(const Nvrtc &) = delete;
  Nvrtc &operator=(const Nvrtc &) = delete;

  const std::string &path() const { return library; }
  /// "13.0".
  std::string version() const;
  /// The version and what tells releases of one version apart: the file's size and time.
  std::string identity() const;
  /// Whether it generates code for "sm_90", "sm_90a", ...
  bool supports(const std::string &architecture) const;

  /// `headers` are found by #include of exactly their names. Throws UserError only if NVRTC itself fails;
  /// mistakes of the source are in the log.
  NvrtcOutput compile(const std::string &source, const std::string &fileName,
                      const std::map<std::string, std::string> &headers,
                      const std::vector<std::string> &options) const;

private:
  struct Functions;
  Nvrtc() = default;
  std::string library;
  void *handle = nullptr;
  std::unique_ptr<const Functions> functions;
  int major = 0, minor = 0;
};

} // namespace sluice
