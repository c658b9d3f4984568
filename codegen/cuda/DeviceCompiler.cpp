// NVRTC's options and headers, results in the disk cache, compilation on all cores.
#include "codegen/cuda/DeviceCompiler.h"

#include "codegen/cuda/CompilerLog.h"
#include "codegen/cuda/DeviceHeaders.h"
#include "codegen/cuda/MachineCode.h"
#include "codegen/cuda/Nvrtc.h"
#include "codegen/cuda/PtxLines.h"
#include "runtime/Error.h"
#include "runtime/Files.h"
#include "runtime/PackageCache.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <thread>

namespace sluice {

namespace {

using json = nlohmann::json;

constexpr std::string_view sharedFolder = "codegen/cuda/device/";
constexpr std::string_view gpuFolder = "codegen/cuda/device/gpu/";
constexpr std::string_view emulatorFolder = "codegen/cuda/device/emu/";

/// The headers under the names that kernels and the headers themselves include them by: one name each, since
/// `#pragma once` goes by names.
const std::map<std::string, std::string> &headersByName() {
  static const std::map<std::string, std::string> headers = [] {
    std::map<std::string, std::string> named;
    for (const auto &[path, text] : deviceHeaders()) {
      if (path.starts_with(gpuFolder))
        named[path.substr(gpuFolder.size())] = text;
      else if (path.starts_with(sharedFolder) && !path.starts_with(emulatorFolder))
        named[path] = text;
    }
    return named;
  }();
  return headers;
}

std::vector<std::string> optionsFor(const DeviceJob &job) {
  // Contraction would make the GPU's bits differ from the emulator's; fma is a primitive. Constant
  // expressions of the headers are shared with the host and carry no annotation.
  std::vector<std::string> options = {
      "--gpu-architecture=" + job.architecture, "--std=c++20",          "--fmad=false",
      "--device-as-default-execution-space",    "--generate-line-info", "--ptxas-options=-v"};
  for (const std::string &define : job.source.defines)
    options.push_back("--define-macro=" + define);
  if (!job.entry.empty()) {
    options.push_back("--define-macro=SLUICE_ONE_ENTRY");
    options.push_back("--define-macro=SLUICE_ENTRY_" + job.entry + "=SLUICE_CHOSEN");
  }
  return options;
}

std::string keyOf(const Nvrtc &nvrtc, const KernelSource &source, const std::vector<std::string> &options) {
  json key = {"device code 2",          nvrtc.identity(),   source.name,
              toHex(hash(source.text)), source.text.size(), options};
  for (const auto &[name, text] : headersByName())
    key.push_back(name + toHex(hash(text)));
  return key.dump(-1, ' ', false, json::error_handler_t::replace) + toHex(hash(source.text, 1));
}

json toJson(const KernelResources &resources) {
  return {resources.registers,  resources.spillStoreBytes, resources.spillLoadBytes,
          resources.stackBytes, resources.sharedBytes,     resources.barriers};
}

std::string serialised(const DeviceCode &code) {
  json kernels = json::object();
  for (const auto &[name, resources] : code.kernels)
    kernels[name] = toJson(resources);
  json object = {{"ptx", code.ptx}, {"log", code.log}, {"kernels", kernels}};
  object["cubin"] = json::binary({code.cubin.begin(), code.cubin.end()});
  std::vector<uint8_t> bytes = json::to_cbor(object);
  return {bytes.begin(), bytes.end()};
}

/// Nothing for what another version left.
std::optional<DeviceCode> deserialised(const std::string &text) {
  try {
    json object = json::from_cbor(text);
    DeviceCode code;
    code.ptx = object.at("ptx");
    code.log = object.at("log");
    const auto &cubin = object.at("cubin").get_binary();
    code.cubin.assign(cubin.begin(), cubin.end());
    for (const auto &[name, list] : object.at("kernels").items())
      code.kernels[name] = {list.at(0), list.at(1), list.at(2), list.at(3), list.at(4), list.at(5)};
    return code;
  } catch (const json::exception &) {
    return std::nullopt;
  }
}

/// Indices of registers that vary, NVRTC 13.0 refuses only where it reads its own intermediate code, which
/// has no lines. The emulator's compiler has them; without one the kind of mistake is named.
std::string errorWithoutLine(const KernelSource &source) {
  try {
    compileForEmulator(source);
  } catch (const UserError &error) {
    if (std::string_view(error.what()).starts_with(source.name + ":"))
      return error.what();
  }
  return source.name + ": expected constants below their number as indices of registers, got others";
}

[[noreturn]] void failWithoutEntry(const std::string &entry) {
  throw UserError("expected an entry point '" + entry + "' in the source, got none");
}

/// The whole log where the user finds it, if there is a place for it.
std::string logNote(const std::string &key, const std::string &log) {
  std::optional<std::string> path = PackageCache::standard().storeFile(key, ".log", log);
  return path ? ", log in " + *path : "";
}

void checkFigures(const DeviceCode &code) {
  std::map<std::string, CodeFigures> figures = figuresOfCubin(code.cubin);
  for (const auto &[name, resources] : code.kernels) {
    auto found = figures.find(name);
    // The log's stack may be that of a function which the kernel calls.
    if (found == figures.end() || found->second.registers != resources.registers ||
        found->second.stackBytes > resources.stackBytes)
      throw UserError("kernel '" + name +
                      "': expected the same registers and stack in the assembler's log and in the "
                      "machine code, got others");
  }
}

DeviceCode compile(const Nvrtc &nvrtc, const DeviceJob &job, const std::string &key) {
  const KernelSource &source = job.source;
  NvrtcOutput output = nvrtc.compile(source.text, source.name, headersByName(), optionsFor(job));
  if (!output.succeeded && output.log.find("parse Invalid record") != std::string::npos)
    throw UserError(errorWithoutLine(source));
  if (!output.succeeded)
    throw UserError(firstDeviceError(output.log, source.name) + logNote(key, output.log));
  DeviceCode code{source.name,           job.architecture,      std::move(output.cubin),
                  std::move(output.ptx), std::move(output.log), {}};
  code.kernels = resourcesOfLog(code.log);
  if (!job.entry.empty() && !code.kernels.count(job.entry))
    failWithoutEntry(job.entry);
  checkFigures(code);
  return code;
}

/// ptxas counts lines of PTX: " (NAME:LINE)", where the source has it.
std::string sourceNote(const DeviceCode &code, const std::string &warning) {
  static const std::regex line("around line (\\d+)");
  std::smatch match;
  if (!std::regex_search(warning, match, line))
    return "";
  std::optional<int64_t> found = sourceLineOf(code.ptx, std::stoll(match[1]), code.name);
  return found ? " (" + code.name + ":" + std::to_string(*found) + ")" : "";
}

void failOnWarnings(const DeviceCode &code, const std::string &kernel) {
  std::vector<std::string> warnings = lossWarnings(code.log, kernel);
  if (!warnings.empty())
    throw UserError("kernel '" + kernel + "': expected no performance lost in the assembler, got " +
                    warnings[0] + sourceNote(code, warnings[0]));
}

} // namespace

DeviceCode compileForDevice(const DeviceJob &job) {
  std::shared_ptr<const Nvrtc> nvrtc = Nvrtc::find();
  std::string key = keyOf(*nvrtc, job.source, optionsFor(job));
  PackageCache cache = PackageCache::standard();
  if (std::optional<std::string> text = cache.findText(key))
    if (std::optional<DeviceCode> code = deserialised(*text)) {
      code->name = job.source.name;
      code->architecture = job.architecture;
      code->cached = true;
      return *code;
    }
  if (!nvrtc->supports(job.architecture))
    throw UserError("expected an architecture that NVRTC " + nvrtc->version() + " knows, got " +
                    job.architecture);
  DeviceCode code = compile(*nvrtc, job, key);
  cache.storeText(key, serialised(code));
  return code;
}

DeviceCode compileForDevice(const KernelSource &source, const std::string &architecture) {
  return compileForDevice(DeviceJob{source, architecture});
}

std::vector<DeviceCode> compileForDevice(const std::vector<DeviceJob> &jobs) {
  std::vector<DeviceCode> codes(jobs.size());
  std::vector<std::exception_ptr> errors(jobs.size());
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i; (i = next++) < jobs.size();) {
      try {
        codes[i] = compileForDevice(jobs[i]);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  std::vector<std::jthread> threads;
  size_t count = std::min<size_t>(jobs.size(), std::max(1u, std::thread::hardware_concurrency()));
  for (size_t i = 1; i < count; ++i)
    threads.emplace_back(work);
  work();
  threads.clear();
  for (const std::exception_ptr &error : errors)
    if (error)
      std::rethrow_exception(error);
  return codes;
}

void checkGates(const DeviceCode &code, const LaunchRecord &record) {
  auto found = code.kernels.find(record.kernel);
  if (found == code.kernels.end())
    failWithoutEntry(record.kernel);
  failOnWarnings(code, record.kernel);
  CodeFigures figures = figuresOfCubin(code.cubin)[record.kernel];
  int64_t threads = record.threads.constant().value_or(figures.maxThreads ? figures.maxThreads : 1024);
  checkResources(record.kernel, found->second, record, threads);
  checkInterface(record.kernel, figures, record);
  checkBlocksPerSm(record.kernel, blocksPerSmOfPtx(code.ptx, record.kernel), record);
}

void checkGates(const DeviceCode &code) {
  for (const auto &[name, resources] : code.kernels) {
    failOnWarnings(code, name);
    checkResources(name, resources);
  }
}

void addBinaries(std::vector<DeviceKernel> &kernels, const std::string &architecture) {
  std::vector<DeviceJob> jobs;
  std::vector<size_t> jobOf;
  for (const DeviceKernel &kernel : kernels) {
    auto same = std::find_if(jobs.begin(), jobs.end(), [&](const DeviceJob &job) {
      return job.source.text == kernel.source && job.entry == kernel.record.kernel;
    });
    jobOf.push_back(static_cast<size_t>(same - jobs.begin()));
    if (same == jobs.end())
      jobs.push_back({{kernel.name + ".cu", kernel.source, {}}, architecture, kernel.record.kernel});
  }
  std::vector<DeviceCode> codes = compileForDevice(jobs);
  for (size_t i = 0; i < kernels.size(); ++i) {
    const DeviceCode &code = codes[jobOf[i]];
    checkGates(code, kernels[i].record);
    const KernelResources &resources = code.kernels.at(kernels[i].record.kernel);
    kernels[i].binaries[architecture] = {code.cubin, resources};
    if (kernels[i].record.registersAtLaunch == 0)
      kernels[i].record.registersAtLaunch = static_cast<uint32_t>(resources.registers);
  }
}

DeviceBinary compileBinary(const DeviceKernel &kernel, const std::string &architecture) {
  std::vector<DeviceKernel> one = {kernel};
  addBinaries(one, architecture);
  return one[0].binaries.at(architecture);
}

} // namespace sluice
