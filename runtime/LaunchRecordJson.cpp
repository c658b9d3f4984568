// Launch records to and from JSON. What is spelled wrong in a record by hand is named: no field is ignored.
#include "runtime/Error.h"
#include "runtime/LaunchRecord.h"

#include <nlohmann/json.hpp>
#include <set>

namespace sluice {

namespace {

using json = nlohmann::json;
using Kind = ParameterRecord::Kind;

constexpr const char *kindNames[] = {"tensor", "size", "value", "tensor_map", "workspace"};
constexpr const char *directionNames[] = {"read", "write", "read_write"};
constexpr const char *swizzleNames[] = {"none", "bytes32", "bytes64", "bytes128"};
constexpr const char *residencyNames[] = {"independent", "cooperative"};

json toJson(const std::vector<SizeExpression> &expressions) {
  json list = json::array();
  for (const SizeExpression &expression : expressions)
    list.push_back(expression.text());
  return list;
}

json toJson(const TensorMapRecord &map) {
  return {{"argument", map.argument},
          {"dims", toJson(map.dims)},
          {"strides", toJson(map.strides)},
          {"box", map.box},
          {"element_strides", map.elementStrides},
          {"swizzle", swizzleNames[static_cast<int>(map.swizzle)]},
          {"fill_nan", map.fillNan}};
}

json toJson(const ParameterRecord &parameter) {
  json object = {{"name", parameter.name},
                 {"kind", kindNames[static_cast<int>(parameter.kind)]},
                 {"dtype", nameOf(parameter.dtype)}};
  if (parameter.kind != Kind::size && parameter.kind != Kind::value)
    object["direction"] = directionNames[static_cast<int>(parameter.direction)];
  if (parameter.kind == Kind::tensor || parameter.kind == Kind::tensorMap)
    object["offset"] = parameter.offset.text();
  if (parameter.kind == Kind::tensor) {
    object["shape"] = toJson(parameter.shape);
    object["strides"] = toJson(parameter.strides);
  }
  if (parameter.kind == Kind::size)
    object["value"] = parameter.value.text();
  if (parameter.kind == Kind::tensorMap)
    object["map"] = toJson(parameter.map);
  if (parameter.kind == Kind::workspace) {
    object["bytes"] = parameter.bytes.text();
    object["initial"] = parameter.initial;
  }
  return object;
}

/// The fields of one object; each must be read, and nothing else may be there.
class Fields {
public:
  Fields(const json &object, std::string path) : object(object), path(std::move(path)) {
    if (!object.is_object())
      fail(this->path, "an object", object);
  }

  std::string pathOf(const std::string &name) const { return path.empty() ? name : path + "." + name; }

  /// Null for a field that is absent.
  const json *find(const std::string &name) {
    seen.insert(name);
    auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
  }

  const json &at(const std::string &name) {
    if (const json *field = find(name))
      return *field;
    throw UserError("launch record: expected a field '" + pathOf(name) + "', got none");
  }

  void finish() const {
    for (const auto &[name, unused] : object.items())
      if (!seen.count(name))
        throw UserError("launch record: unknown field '" + pathOf(name) + "'");
  }

  [[noreturn]] static void fail(const std::string &path, const std::string &expected, const json &got) {
    std::string text = got.dump(-1, ' ', false, json::error_handler_t::replace);
    throw UserError("launch record: field '" + path + "': expected " + expected + ", got " +
                    (text.size() > 60 ? text.substr(0, 60) + "..." : text));
  }

private:
  const json &object;
  std::string path;
  std::set<std::string> seen;
};

void read(const json &field, const std::string &path, std::string &value) {
  if (!field.is_string())
    Fields::fail(path, "a string", field);
  value = field.get<std::string>();
}

void read(const json &field, const std::string &path, bool &value) {
  if (!field.is_boolean())
    Fields::fail(path, "true or false", field);
  value = field.get<bool>();
}

void read(const json &field, const std::string &path, int64_t &value) {
  if (!field.is_number_integer() || (field.is_number_unsigned() && field.get<uint64_t>() > INT64_MAX))
    Fields::fail(path, "an integer of 64 bits", field);
  value = field.get<int64_t>();
}

void read(const json &field, const std::string &path, uint32_t &value) {
  int64_t wide = 0;
  read(field, path, wide);
  if (wide < 0 || wide > UINT32_MAX)
    Fields::fail(path, "an unsigned integer of 32 bits", field);
  value = static_cast<uint32_t>(wide);
}

void read(const json &field, const std::string &path, SizeExpression &value) {
  if (!field.is_string() && !field.is_number_integer())
    Fields::fail(path, "a formula", field);
  try {
    value = SizeExpression(field.is_string() ? field.get<std::string>() : field.dump());
  } catch (const UserError &error) {
    throw UserError("launch record: field '" + path + "': " + error.what());
  }
}

void read(const json &field, const std::string &path, DType &value) {
  std::string name;
  read(field, path, name);
  std::optional<DType> dtype = parseDType(name);
  if (!dtype)
    Fields::fail(path, "a dtype", field);
  value = *dtype;
}

template <typename Enum, size_t count>
void readName(const json &field, const std::string &path, const char *const (&names)[count], Enum &value) {
  std::string name, all;
  read(field, path, name);
  for (size_t i = 0; i < count; ++i) {
    if (name == names[i]) {
      value = static_cast<Enum>(i);
      return;
    }
    all += (i ? ", " : "") + std::string(names[i]);
  }
  Fields::fail(path, "one of " + all, field);
}

template <typename T> void read(const json &field, const std::string &path, std::vector<T> &values) {
  if (!field.is_array())
    Fields::fail(path, "a list", field);
  values.clear();
  for (size_t i = 0; i < field.size(); ++i)
    read(field[i], path + "[" + std::to_string(i) + "]", values.emplace_back());
}

template <typename T> void read(const json &field, const std::string &path, std::array<T, 3> &values) {
  if (!field.is_array() || field.size() != 3)
    Fields::fail(path, "a list of 3", field);
  for (size_t i = 0; i < 3; ++i)
    read(field[i], path + "[" + std::to_string(i) + "]", values[i]);
}

template <typename T> void require(Fields &fields, const std::string &name, T &value) {
  read(fields.at(name), fields.pathOf(name), value);
}

/// What is absent keeps its default.
template <typename T> void optional(Fields &fields, const std::string &name, T &value) {
  if (const json *field = fields.find(name))
    read(*field, fields.pathOf(name), value);
}

TensorMapRecord mapFrom(const json &object, const std::string &path) {
  Fields fields(object, path);
  TensorMapRecord map;
  require(fields, "argument", map.argument);
  require(fields, "dims", map.dims);
  require(fields, "strides", map.strides);
  require(fields, "box", map.box);
  optional(fields, "element_strides", map.elementStrides);
  if (const json *field = fields.find("swizzle"))
    readName(*field, fields.pathOf("swizzle"), swizzleNames, map.swizzle);
  optional(fields, "fill_nan", map.fillNan);
  fields.finish();
  return map;
}

ParameterRecord parameterFrom(const json &object, const std::string &path) {
  Fields fields(object, path);
  ParameterRecord parameter;
  require(fields, "name", parameter.name);
  readName(fields.at("kind"), fields.pathOf("kind"), kindNames, parameter.kind);
  optional(fields, "dtype", parameter.dtype);
  if (const json *field = fields.find("direction"))
    readName(*field, fields.pathOf("direction"), directionNames, parameter.direction);
  optional(fields, "offset", parameter.offset);
  if (parameter.kind == Kind::tensor) {
    require(fields, "shape", parameter.shape);
    optional(fields, "strides", parameter.strides);
  }
  if (parameter.kind == Kind::size)
    require(fields, "value", parameter.value);
  if (parameter.kind == Kind::tensorMap)
    parameter.map = mapFrom(fields.at("map"), fields.pathOf("map"));
  if (parameter.kind == Kind::workspace) {
    require(fields, "bytes", parameter.bytes);
    optional(fields, "initial", parameter.initial);
  }
  fields.finish();
  return parameter;
}

RoleRecord roleFrom(const json &object, const std::string &path) {
  Fields fields(object, path);
  RoleRecord role;
  require(fields, "name", role.name);
  require(fields, "threads", role.threads);
  optional(fields, "registers", role.registers);
  fields.finish();
  return role;
}

template <typename Element, typename From>
void readObjects(const json &list, const std::string &path, std::vector<Element> &elements, From from) {
  if (!list.is_array())
    Fields::fail(path, "a list", list);
  for (size_t i = 0; i < list.size(); ++i)
    elements.push_back(from(list[i], path + "[" + std::to_string(i) + "]"));
}

json parse(const std::string &text) {
  try {
    return json::parse(text);
  } catch (const json::exception &) {
    throw UserError("launch record: expected JSON, got something else");
  }
}

} // namespace

std::string toJson(const LaunchRecord &record) {
  json parameters = json::array(), roles = json::array();
  for (const ParameterRecord &parameter : record.parameters)
    parameters.push_back(toJson(parameter));
  for (const RoleRecord &role : record.roles)
    roles.push_back({{"name", role.name}, {"threads", role.threads}, {"registers", role.registers}});
  json object = {{"kernel", record.kernel},
                 {"sizes", record.sizes},
                 {"grid", toJson({record.grid.begin(), record.grid.end()})},
                 {"threads", record.threads.text()},
                 {"cluster", toJson({record.cluster.begin(), record.cluster.end()})},
                 {"shared_bytes", record.sharedBytes.text()},
                 {"blocks_per_sm", record.blocksPerSm},
                 {"residency", residencyNames[static_cast<int>(record.residency)]},
                 {"resident_blocks", record.residentBlocks.text()},
                 {"parameters", parameters},
                 {"roles", roles},
                 {"registers_at_launch", record.registersAtLaunch}};
  return object.dump();
}

LaunchRecord launchRecordFromJson(const std::string &text) {
  json object = parse(text);
  Fields fields(object, "");
  LaunchRecord record;
  require(fields, "kernel", record.kernel);
  require(fields, "sizes", record.sizes);
  require(fields, "grid", record.grid);
  require(fields, "threads", record.threads);
  optional(fields, "cluster", record.cluster);
  optional(fields, "shared_bytes", record.sharedBytes);
  optional(fields, "blocks_per_sm", record.blocksPerSm);
  if (const json *field = fields.find("residency"))
    readName(*field, fields.pathOf("residency"), residencyNames, record.residency);
  optional(fields, "resident_blocks", record.residentBlocks);
  readObjects(fields.at("parameters"), "parameters", record.parameters, parameterFrom);
  if (const json *field = fields.find("roles"))
    readObjects(*field, "roles", record.roles, roleFrom);
  optional(fields, "registers_at_launch", record.registersAtLaunch);
  fields.finish();
  return record;
}

} // namespace sluice
