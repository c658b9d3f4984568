// The JSON header of a safetensors file, checked against the size of the data.
#pragma once

#include "runtime/Tensor.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A tensor as the header describes it; offsets count from the end of the header.
struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  int64_t begin = 0, end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< In the order of the data.
  std::map<std::string, std::string> metadata;
};

/// Throws UserError, without the path, unless the entries fill exactly `dataBytes` bytes.
SafetensorsHeader parseSafetensorsHeader(std::string_view json, int64_t dataBytes);

/// Lays the tensors out, the widest type first so that all are aligned, and writes the JSON.
std::string printSafetensorsHeader(SafetensorsHeader &header);

/// "F32", "BF16", ...: the format's spelling.
const char *safetensorsNameOf(DType dtype);

} // namespace sluice
