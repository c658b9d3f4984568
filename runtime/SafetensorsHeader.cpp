// Parses and prints the header of a safetensors file.
#include "runtime/SafetensorsHeader.h"

#include "runtime/Error.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

namespace sluice {

using json = nlohmann::json;

namespace {

constexpr std::pair<DType, const char *> dtypeNames[] = {{DType::f32, "F32"},
                                                         {DType::f16, "F16"},
                                                         {DType::bf16, "BF16"},
                                                         {DType::i64, "I64"},
                                                         {DType::f64, "F64"}};

[[noreturn]] void failAt(const std::string &name, const std::string &message) {
  throw UserError("tensor '" + name + "': " + message);
}

/// Parses an object; a key that occurs twice at the top would silently lose a tensor.
json parseObject(std::string_view text) {
  std::set<std::string> seen;
  auto rejectTwice = [&](int depth, json::parse_event_t event, json &value) {
    if (depth == 1 && event == json::parse_event_t::key &&
        !seen.insert(value.get<std::string>()).second)
      failAt(value.get<std::string>(), "expected each name once in the header, got it twice");
    return true;
  };
  json header;
  try {
    header = json::parse(text, rejectTwice);
  } catch (const json::exception &) {
    throw UserError("expected a header of JSON, got something else");
  }
  if (!header.is_object())
    throw UserError("expected a JSON object as the header, got " + std::string(header.type_name()));
  return header;
}

DType parseType(const std::string &name, const json &field) {
  if (!field.is_string())
    failAt(name, "expected a string as dtype, got " + std::string(field.type_name()));
  for (auto [dtype, text] : dtypeNames)
    if (field == text)
      return dtype;
  failAt(name, "expected dtype F32, F16, BF16, F64 or I64, got " + field.get<std::string>());
}

int64_t parseSize(const std::string &name, const char *what, const json &field) {
  if (!field.is_number_integer() || field < 0 ||
      (field.is_number_unsigned() &&
       field.get<uint64_t>() > uint64_t(std::numeric_limits<int64_t>::max())))
    failAt(name, "expected a non-negative integer in " + std::string(what) + ", got " +
                     field.dump(-1, ' ', false, json::error_handler_t::replace));
  return field.get<int64_t>();
}

const json &fieldOf(const std::string &name, const json &entry, const char *field) {
  if (!entry.contains(field))
    failAt(name, "expected a field '" + std::string(field) + "' in the header, got none");
  return entry[field];
}

int64_t bytesOf(const SafetensorsEntry &entry) {
  int64_t bytes = sizeOf(entry.dtype);
  for (int64_t size : entry.shape)
    if (__builtin_mul_overflow(bytes, size, &bytes))
      failAt(entry.name, "expected a shape of fewer than 2^63 bytes, got " + toString(entry.shape));
  return bytes;
}

SafetensorsEntry parseEntry(const std::string &name, const json &object) {
  if (!object.is_object())
    failAt(name, "expected an object in the header, got " + std::string(object.type_name()));
  SafetensorsEntry entry{name, parseType(name, fieldOf(name, object, "dtype")), {}, 0, 0};
  const json &shape = fieldOf(name, object, "shape");
  if (!shape.is_array())
    failAt(name, "expected an array as shape, got " + std::string(shape.type_name()));
  for (const json &size : shape)
    entry.shape.push_back(parseSize(name, "shape", size));
  const json &offsets = fieldOf(name, object, "data_offsets");
  if (!offsets.is_array() || offsets.size() != 2)
    failAt(name, "expected two data_offsets, got something else");
  entry.begin = parseSize(name, "data_offsets", offsets[0]);
  entry.end = parseSize(name, "data_offsets", offsets[1]);
  int64_t bytes = bytesOf(entry);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes)
    failAt(name, "expected " + std::to_string(bytes) + " bytes for its dtype and shape, got offsets " +
                     std::to_string(entry.begin) + " to " + std::to_string(entry.end));
  return entry;
}

void parseMetadata(const json &object, SafetensorsHeader &header) {
  if (!object.is_object())
    throw UserError("expected an object of strings as __metadata__, got " +
                    std::string(object.type_name()));
  for (const auto &[key, value] : object.items()) {
    if (!value.is_string())
      throw UserError("expected strings in __metadata__, got " + std::string(value.type_name()));
    header.metadata[key] = value;
  }
}

/// The entries in the order of their offsets must touch each other and fill the data.
void checkCoverage(const SafetensorsHeader &header, int64_t dataBytes) {
  int64_t end = 0;
  const SafetensorsEntry *previous = nullptr;
  for (const SafetensorsEntry &entry : header.entries) {
    if (entry.begin < end)
      failAt(entry.name, "expected data of its own, got an overlap with tensor '" + previous->name +
                             "'");
    if (entry.begin > end)
      failAt(entry.name, "expected its data at offset " + std::to_string(end) + ", got " +
                             std::to_string(entry.begin));
    end = entry.end;
    previous = &entry;
  }
  if (end > dataBytes)
    throw UserError("expected " + std::to_string(end) + " bytes of data, got " +
                    std::to_string(dataBytes) + ": the file is truncated");
  if (end < dataBytes)
    throw UserError("expected " + std::to_string(end) + " bytes of data, got " +
                    std::to_string(dataBytes));
}

} // namespace

const char *safetensorsNameOf(DType dtype) {
  return std::find_if(std::begin(dtypeNames), std::end(dtypeNames),
                      [&](auto &entry) { return entry.first == dtype; })
      ->second;
}

SafetensorsHeader parseSafetensorsHeader(std::string_view text, int64_t dataBytes) {
  SafetensorsHeader header;
  json object = parseObject(text);
  for (const auto &[name, value] : object.items()) {
    if (name == "__metadata__")
      parseMetadata(value, header);
    else
      header.entries.push_back(parseEntry(name, value));
  }
  // Empty tensors share their offset with the next one, and come before it.
  std::sort(header.entries.begin(), header.entries.end(), [](const auto &a, const auto &b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  checkCoverage(header, dataBytes);
  return header;
}

std::string printSafetensorsHeader(SafetensorsHeader &header) {
  std::sort(header.entries.begin(), header.entries.end(), [](const auto &a, const auto &b) {
    return sizeOf(a.dtype) != sizeOf(b.dtype) ? sizeOf(a.dtype) > sizeOf(b.dtype) : a.name < b.name;
  });
  json object = json::object();
  if (!header.metadata.empty())
    object["__metadata__"] = header.metadata;
  int64_t offset = 0;
  for (SafetensorsEntry &entry : header.entries) {
    entry.begin = offset;
    entry.end = offset += bytesOf(entry);
    object[entry.name] = {{"dtype", safetensorsNameOf(entry.dtype)},
                          {"shape", entry.shape},
                          {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text = object.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  return text;
}

} // namespace sluice
