// Files of named tensors.
#include "runtime/Safetensors.h"

#include "runtime/Error.h"
#include "runtime/SafetensorsHeader.h"

#include <bit>
#include <cstring>

namespace sluice {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

namespace {

// The same bound as in the format's reference implementation.
constexpr uint64_t maximalHeader = 100'000'000;

/// A part of the mapped file, or a copy if it is not aligned to its elements.
Tensor tensorAt(const SafetensorsEntry &entry, const MappedFile &file, size_t dataStart) {
  char *bytes = static_cast<char *>(file.bytes.get()) + dataStart + entry.begin;
  Tensor tensor{entry.dtype, entry.shape, std::shared_ptr<void>(file.bytes, bytes)};
  if (reinterpret_cast<uintptr_t>(bytes) % sizeOf(entry.dtype) == 0)
    return tensor;
  Tensor copy = Tensor::empty(entry.dtype, entry.shape);
  std::memcpy(copy.data(), bytes, tensor.bytes());
  return copy;
}

SafetensorsFile parse(const MappedFile &file) {
  if (file.size < 8)
    throw UserError("expected at least the 8 bytes of a safetensors header's length, got " +
                    std::to_string(file.size));
  const char *bytes = static_cast<const char *>(file.bytes.get());
  uint64_t length;
  std::memcpy(&length, bytes, 8);
  if (length > maximalHeader)
    throw UserError("expected a safetensors header of at most " + std::to_string(maximalHeader) +
                    " bytes, got " + std::to_string(length));
  if (length > file.size - 8)
    throw UserError("expected a safetensors header of " + std::to_string(length) + " bytes, got " +
                    std::to_string(file.size - 8) + ": the file is truncated");
  size_t dataStart = 8 + length;
  SafetensorsHeader header = parseSafetensorsHeader(std::string_view(bytes + 8, length),
                                                    static_cast<int64_t>(file.size - dataStart));
  SafetensorsFile result;
  result.metadata = std::move(header.metadata);
  for (const SafetensorsEntry &entry : header.entries)
    result.tensors[entry.name] = tensorAt(entry, file, dataStart);
  return result;
}

} // namespace

SafetensorsFile readSafetensors(const std::string &path) {
  MappedFile file = mapFile(path);
  try {
    return parse(file);
  } catch (const UserError &error) {
    throw UserError(path + ": " + error.what());
  }
}

void writeSafetensors(const std::string &path, const TensorMap &tensors,
                      const std::map<std::string, std::string> &metadata, Durability durability) {
  SafetensorsHeader header{{}, metadata};
  for (const auto &[name, tensor] : tensors)
    header.entries.push_back({name, tensor.dtype, tensor.shape, 0, 0});
  std::string text = printSafetensorsHeader(header);
  uint64_t length = text.size();
  AtomicFile file(path);
  file.write(&length, sizeof length);
  file.write(text);
  for (const SafetensorsEntry &entry : header.entries)
    file.write(tensors.at(entry.name).data(), tensors.at(entry.name).bytes());
  file.commit(durability);
}

} // namespace sluice
