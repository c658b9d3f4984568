// Specs by name, packages by key.
#include "codegen/Jit.h"

#include "codegen/Builtins.h"
#include "codegen/CompilerLibrary.h"
#include "runtime/Error.h"
#include "runtime/Files.h"
#include "runtime/KernelPackageJson.h"
#include "runtime/PackageCache.h"
#include "runtime/TensorContract.h"

#include <dlfcn.h>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace sluice {

using json = nlohmann::json;

namespace {

/// All that decides what the compiler makes of a recurrence. The text comes last and may hold anything.
std::string keyOf(const char *what, const Spec &spec, const std::string &options) {
  return std::string(what) + "\n" + compilerVersion() + "\n" + hostCpuFeatures() + "\n" + options +
         "\n" + spec.recurrence + "\n" + spec.text;
}

std::string textOf(const CompileOptions &options) {
  return options.target + " " + std::to_string(options.keyDim) + " " +
         std::to_string(options.valueDim) + " " + std::to_string(options.chunk) + " " +
         nameOf(options.dtype) + " " + std::to_string(options.entries);
}

RecurrenceInfo infoFromJson(const json &object) {
  return {object.at("name"), tensorSpecsFromJson(object.at("arguments")),
          tensorSpecsFromJson(object.at("results")), object.at("chunkable"),
          object.at("not_chunkable"), object.at("reads"), object.at("writes")};
}

json toJson(const RecurrenceInfo &info) {
  return {{"name", info.name},
          {"arguments", toJson(info.arguments)},
          {"results", toJson(info.results)},
          {"chunkable", info.chunkable},
          {"not_chunkable", info.notChunkable},
          {"reads", info.reads},
          {"writes", info.writes}};
}

/// The wanted entry points alone, or with the others that a run may have asked for before.
std::optional<KernelPackage> findCached(const PackageCache &cache, const Spec &spec,
                                        const CompileOptions &options) {
  unsigned backward = (options.entries & (chunkForward | recurrentForward)) << 1;
  CompileOptions tried = options;
  for (unsigned entries : {options.entries, options.entries | backward, unsigned(allEntries)}) {
    if (entries != options.entries && entries == tried.entries)
      continue;
    tried.entries = entries;
    if (auto package = cache.find(keyOf("package", spec, textOf(tried))))
      return package;
  }
  return std::nullopt;
}

void checkRange(const char *what, int64_t size, int64_t maximum) {
  if (size < minimalDim || size > maximum)
    throw UserError("expected a " + std::string(what) + " dimension from " +
                    std::to_string(minimalDim) + " to " + std::to_string(maximum) + ", got " +
                    std::to_string(size));
}

Compiler *loadCompiler() {
  std::string path = compilerLibraryPath();
  if (path.empty())
    throw UserError("expected the compiler's library libSluiceCodegen.so beside the program, got none");
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  void *create = library ? dlsym(library, "sluiceCreateCompiler") : nullptr;
  if (!create)
    throw UserError(std::string("cannot load the compiler's library: ") + dlerror());
  return reinterpret_cast<Compiler *(*)()>(create)();
}

} // namespace

std::vector<std::string> builtinNames() {
  std::vector<std::string> names;
  for (const auto &[name, text] : builtinTexts())
    names.push_back(name);
  return names;
}

/// Not a folder, which may well have the name of a built-in.
static bool isFile(const std::string &path) {
  std::error_code error;
  return std::filesystem::exists(path, error) && !std::filesystem::is_directory(path, error);
}

Spec loadSpec(const std::string &argument) {
  if (isFile(argument))
    return {readFile(argument), argument, ""};
  size_t at = argument.rfind('@');
  if (at != std::string::npos && isFile(argument.substr(0, at)))
    return {readFile(argument.substr(0, at)), argument.substr(0, at), argument.substr(at + 1)};
  auto builtin = builtinTexts().find(argument);
  if (builtin == builtinTexts().end())
    throw UserError("expected a file or the name of a built-in recurrence (see 'sluice list'), got '" +
                    argument + "'");
  return {builtin->second, argument, ""};
}

Compiler &compiler() {
  static Compiler *loaded = loadCompiler();
  return *loaded;
}

void checkOptions(const CompileOptions &options) {
  if (options.target == "sm_80" || options.target == "sm_90a")
    throw UserError("the target " + options.target + " is not available yet");
  if (options.target != "cpu")
    throw UserError("expected target cpu, sm_80 or sm_90a, got " + options.target);
  checkRange("key", options.keyDim, maximalKeyDim);
  checkRange("value", options.valueDim, maximalValueDim);
  if (options.chunk != 16 && options.chunk != 32 && options.chunk != 64 && options.chunk != 128)
    throw UserError("expected a chunk of 16, 32, 64 or 128 tokens, got " +
                    std::to_string(options.chunk));
  if (!isArgumentType(options.dtype))
    throw UserError(std::string("expected dtype f32, f16 or bf16, got ") + nameOf(options.dtype));
}

KernelPackage getPackage(const Spec &spec, const CompileOptions &options) {
  checkOptions(options);
  PackageCache cache = PackageCache::standard();
  if (auto package = findCached(cache, spec, options))
    return std::move(*package);
  KernelPackage package = compiler().compile(spec, options);
  package.specText = spec.text;
  package.compilerVersion = compilerVersion();
  if (package.cpuFeatures.empty())
    package.cpuFeatures = hostCpuFeatures();
  cache.store(keyOf("package", spec, textOf(options)), package);
  return package;
}

RecurrenceInfo getDescription(const Spec &spec) {
  PackageCache cache = PackageCache::standard();
  std::string key = keyOf("description", spec, "");
  if (std::optional<std::string> text = cache.findText(key)) {
    try {
      return infoFromJson(json::parse(*text));
    } catch (const json::exception &) {
      // An entry of another layout is replaced below.
    }
  }
  RecurrenceInfo info = compiler().describe(spec);
  cache.storeText(key, toJson(info).dump(-1, ' ', false, json::error_handler_t::replace));
  return info;
}

} // namespace sluice
