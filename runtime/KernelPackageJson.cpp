// Packages to and from JSON.
#include "runtime/KernelPackageJson.h"

#include "runtime/Error.h"

#include <iterator>
#include <nlohmann/json.hpp>

namespace sluice {

using json = nlohmann::json;

namespace {

constexpr const char *kindNames[] = {"scalar", "key", "value", "matrix", "state"};
constexpr const char *roleNames[] = {"argument",       "cotangent",     "result",
                                     "gradient",       "saved",         "initialState",
                                     "finalState",     "stateCotangent", "stateGradient"};

/// The position of the name: a number that is no such name would be out of an enumeration's range.
template <typename Enum, size_t count>
Enum parseName(const char *const (&names)[count], const json &field) {
  for (size_t i = 0; i < count; ++i)
    if (field.get<std::string>() == names[i])
      return static_cast<Enum>(i);
  throw json::other_error::create(501, "unknown name " + field.dump(), nullptr);
}

DType parseType(const json &field) {
  if (std::optional<DType> dtype = parseDType(field.get<std::string>()))
    return *dtype;
  throw json::other_error::create(501, "unknown dtype " + field.dump(), nullptr);
}

json toJson(const Port &port) {
  return {{"name", port.name},
          {"role", nameOf(port.role)},
          {"kind", nameOf(port.kind)},
          {"per_head", port.perHead},
          {"dtype", nameOf(port.dtype)},
          {"record_elements", port.recordElements},
          {"every", port.every}};
}

Port portFromJson(const json &object) {
  return {object.at("name"),
          parseName<PortRole>(roleNames, object.at("role")),
          parseName<Kind>(kindNames, object.at("kind")),
          object.at("per_head"),
          parseType(object.at("dtype")),
          object.at("record_elements"),
          object.at("every")};
}

json toJson(const EntryPoint &entry) {
  json ports = json::array();
  for (const Port &port : entry.ports)
    ports.push_back(toJson(port));
  json object = {{"name", entry.name},
                 {"symbol", entry.symbol},
                 {"step", entry.step},
                 {"scratch_bytes", entry.scratchBytes},
                 {"ports", ports}};
  if (!entry.launches.empty())
    object["launches"] = entry.launches;
  return object;
}

EntryPoint entryFromJson(const json &object) {
  EntryPoint entry{object.at("name"), object.at("symbol"), object.at("step"),
                   object.at("scratch_bytes"), {}};
  for (const json &port : object.at("ports"))
    entry.ports.push_back(portFromJson(port));
  if (object.contains("launches"))
    entry.launches = object.at("launches").get<std::vector<std::string>>();
  return entry;
}

json toJson(const DeviceBinary &binary) {
  const KernelResources &resources = binary.resources;
  return {{"bytes", binary.cubin.size()},
          {"registers", resources.registers},
          {"spill_store_bytes", resources.spillStoreBytes},
          {"spill_load_bytes", resources.spillLoadBytes},
          {"stack_bytes", resources.stackBytes},
          {"shared_bytes", resources.sharedBytes},
          {"barriers", resources.barriers}};
}

json toJson(const DeviceKernel &kernel) {
  json binaries = json::object();
  for (const auto &[architecture, binary] : kernel.binaries)
    binaries[architecture] = toJson(binary);
  return {{"name", kernel.name},
          {"target", kernel.target},
          {"record", json::parse(toJson(kernel.record))},
          {"source", kernel.source},
          {"binaries", binaries}};
}

DeviceKernel kernelFromJson(const json &object) {
  DeviceKernel kernel;
  kernel.name = object.at("name");
  kernel.target = object.at("target");
  kernel.source = object.at("source");
  try {
    kernel.record = launchRecordFromJson(object.at("record").dump());
  } catch (const UserError &error) {
    throw json::other_error::create(501, error.what(), nullptr);
  }
  for (const auto &[architecture, binary] : object.at("binaries").items())
    kernel.binaries[architecture].resources = {
        binary.at("registers"),   binary.at("spill_store_bytes"), binary.at("spill_load_bytes"),
        binary.at("stack_bytes"), binary.at("shared_bytes"),      binary.at("barriers")};
  return kernel;
}

/// The binaries' bytes follow the code: what is left after them from the end is the code.
std::string takeBinaries(std::vector<DeviceKernel> &kernels, const json &list, std::string_view payload) {
  size_t end = payload.size();
  for (size_t i = kernels.size(); i-- > 0;)
    for (auto binary = kernels[i].binaries.rbegin(); binary != kernels[i].binaries.rend(); ++binary) {
      size_t bytes = list[i].at("binaries").at(binary->first).at("bytes");
      if (bytes > end)
        throw json::other_error::create(501, "binaries beyond the end", nullptr);
      end -= bytes;
      binary->second.cubin = payload.substr(end, bytes);
    }
  return std::string(payload.substr(0, end));
}

} // namespace

const char *nameOf(Kind kind) { return kindNames[static_cast<int>(kind)]; }
const char *nameOf(PortRole role) { return roleNames[static_cast<int>(role)]; }

json toJson(const std::vector<TensorSpec> &specs) {
  json list = json::array();
  for (const TensorSpec &spec : specs)
    list.push_back({{"name", spec.name},
                    {"kind", nameOf(spec.kind)},
                    {"per_head", spec.perHead},
                    {"gate", spec.gate},
                    {"storage", nameOf(spec.storage)},
                    {"draw", spec.draw}});
  return list;
}

std::vector<TensorSpec> tensorSpecsFromJson(const json &list) {
  std::vector<TensorSpec> specs;
  for (const json &object : list)
    specs.push_back({object.at("name"), parseName<Kind>(kindNames, object.at("kind")),
                     object.at("per_head"), object.at("gate"), parseType(object.at("storage")),
                     object.at("draw")});
  return specs;
}

json toJson(const KernelPackage &package) {
  json entries = json::array();
  for (const EntryPoint &entry : package.entries)
    entries.push_back(toJson(entry));
  json object =
         {{"recurrence", package.recurrence},
          {"spec", package.specText},
          {"target", package.target},
          {"compiler", package.compilerVersion},
          {"cpu_features", package.cpuFeatures},
          {"key_dim", package.keyDim},
          {"value_dim", package.valueDim},
          {"value_block", package.valueBlock},
          {"chunk", package.chunk},
          {"dtype", nameOf(package.dtype)},
          {"arguments", toJson(package.arguments)},
          {"results", toJson(package.results)},
          {"chunkable", package.chunkable},
          {"not_chunkable", package.notChunkable},
          {"entries", entries}};
  for (const DeviceKernel &kernel : package.kernels)
    object["kernels"].push_back(toJson(kernel));
  return object;
}

KernelPackage packageFromJson(const json &object, std::string_view payload) {
  KernelPackage package;
  package.recurrence = object.at("recurrence");
  package.specText = object.at("spec");
  package.target = object.at("target");
  package.compilerVersion = object.at("compiler");
  package.cpuFeatures = object.at("cpu_features");
  package.keyDim = object.at("key_dim");
  package.valueDim = object.at("value_dim");
  package.valueBlock = object.at("value_block");
  package.chunk = object.at("chunk");
  package.dtype = parseType(object.at("dtype"));
  package.arguments = tensorSpecsFromJson(object.at("arguments"));
  package.results = tensorSpecsFromJson(object.at("results"));
  package.chunkable = object.at("chunkable");
  package.notChunkable = object.at("not_chunkable");
  for (const json &entry : object.at("entries"))
    package.entries.push_back(entryFromJson(entry));
  json kernels = object.value("kernels", json::array());
  for (const json &kernel : kernels)
    package.kernels.push_back(kernelFromJson(kernel));
  package.code = takeBinaries(package.kernels, kernels, payload);
  return package;
}

} // namespace sluice
