// Memory-mapped token files.

#include "models/data/Shards.h"

#include "runtime/Error.h"
#include "runtime/Files.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace sluice::models {
namespace {

namespace fs = std::filesystem;

// llm.c, dev/data/data_common.py: magic, version, number of tokens.
constexpr int32_t llmcMagic = 20240520, llmcVersion = 1;
constexpr size_t llmcHeaderBytes = 256 * 4;

std::vector<std::string> filesAt(const std::string &path) {
  if (!fs::is_directory(path))
    return {path};
  std::vector<std::string> files;
  for (const fs::directory_entry &entry : fs::directory_iterator(path))
    if (entry.path().extension() == ".bin" || entry.path().extension() == ".u16")
      files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  if (files.empty())
    throw UserError("expected .bin or .u16 files in '" + path + "', found none");
  return files;
}

size_t headerBytes(const std::string &path, const MappedFile &file, ShardFormat format) {
  if (format == ShardFormat::u16)
    return 0;
  int32_t header[3] = {};
  if (file.size >= llmcHeaderBytes)
    std::memcpy(header, file.bytes.get(), sizeof header);
  if (header[0] != llmcMagic || header[1] != llmcVersion)
    throw UserError(path + ": expected llm.c's header (" + std::to_string(llmcMagic) + ", version 1), got " +
                    std::to_string(header[0]) + ", version " + std::to_string(header[1]));
  size_t expected = llmcHeaderBytes + 2 * static_cast<size_t>(header[2]);
  if (file.size != expected)
    throw UserError(path + ": expected " + std::to_string(header[2]) + " tokens in " +
                    std::to_string(expected) + " bytes, got " + std::to_string(file.size) + " bytes");
  return llmcHeaderBytes;
}

} // namespace

Shards::Shards(const std::string &path, ShardFormat format, int64_t vocabulary) : vocabulary(vocabulary) {
  for (const std::string &name : filesAt(path)) {
    MappedFile file = mapFile(name);
    size_t skipped = headerBytes(name, file, format), bytes = file.size - skipped;
    if (bytes % 2 != 0)
      throw UserError(name + ": expected tokens of two bytes, got " + std::to_string(bytes) + " bytes");
    auto tokens = reinterpret_cast<const uint16_t *>(static_cast<const char *>(file.bytes.get()) + skipped);
    parts.push_back({name, file.bytes, tokens});
    starts.push_back(starts.back() + static_cast<int64_t>(bytes / 2));
  }
}

int64_t Shards::operator[](int64_t index) const {
  int64_t token;
  read(index, 1, &token);
  return token;
}

void Shards::read(int64_t begin, int64_t count, int64_t *tokens) const {
  size_t part = std::upper_bound(starts.begin(), starts.end(), begin) - starts.begin() - 1;
  while (count > 0) {
    int64_t here = std::min(count, starts[part + 1] - begin);
    const uint16_t *from = parts[part].tokens + (begin - starts[part]);
    for (int64_t index = 0; index < here; ++index)
      if (from[index] >= vocabulary)
        throw UserError(parts[part].path + ": expected tokens below the vocabulary of " +
                        std::to_string(vocabulary) + ", got " + std::to_string(from[index]) + " at " +
                        std::to_string(begin - starts[part] + index));
    tokens = std::copy(from, from + here, tokens);
    begin += here;
    count -= here;
    ++part;
  }
}

void writeShard(const std::string &path, const std::vector<int64_t> &tokens) {
  std::vector<uint16_t> narrow(tokens.begin(), tokens.end());
  writeFile(path, {reinterpret_cast<const char *>(narrow.data()), narrow.size() * 2});
}

} // namespace sluice::models
