// Token files: raw uint16, and llm.c's .bin (the same after a header of 256 int32). Mapped, never read whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice::models {

enum class ShardFormat { u16, llmc };

/// The tokens of one or more files, one after the other.
class Shards {
public:
  /// `path` is a file, or a folder whose .bin and .u16 files are taken in the order of their names. Throws
  /// UserError.
  Shards(const std::string &path, ShardFormat format, int64_t vocabulary = 65536);

  int64_t size() const { return starts.back(); }
  int64_t operator[](int64_t index) const;
  /// Copies tokens [begin, begin + count). Throws UserError if one is not below the vocabulary.
  void read(int64_t begin, int64_t count, int64_t *tokens) const;

private:
  struct Part {
    std::string path;
    std::shared_ptr<void> file;
    const uint16_t *tokens;
  };
  int64_t vocabulary;
  std::vector<Part> parts;
  std::vector<int64_t> starts{0}; ///< Of each part, and the end.
};

/// Writes tokens as raw uint16.
void writeShard(const std::string &path, const std::vector<int64_t> &tokens);

} // namespace sluice::models
