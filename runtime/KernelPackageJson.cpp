// Packages to and from JSON.
#include "runtime/KernelPackageJson.h"

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
  return {{"name", entry.name},
          {"symbol", entry.symbol},
          {"step", entry.step},
          {"scratch_bytes", entry.scratchBytes},
          {"ports", ports}};
}

EntryPoint entryFromJson(const json &object) {
  EntryPoint entry{object.at("name"), object.at("symbol"), object.at("step"),
                   object.at("scratch_bytes"), {}};
  for (const json &port : object.at("ports"))
    entry.ports.push_back(portFromJson(port));
  return entry;
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
  return {{"recurrence", package.recurrence},
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
}

KernelPackage packageFromJson(const json &object) {
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
  return package;
}

} // namespace sluice
