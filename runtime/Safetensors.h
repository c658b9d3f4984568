// Reading and writing safetensors files, as strictly as the format's own specification: the tensors fill the
// data without holes or overlaps. https://github.com/huggingface/safetensors#format
#pragma once

#include "runtime/Files.h"
#include "runtime/Tensor.h"

#include <map>
#include <string>

namespace sluice {

struct SafetensorsFile {
  TensorMap tensors;  ///< Parts of the mapped file, where their alignment allows it.
  std::map<std::string, std::string> metadata;
};

/// Throws UserError in one line, beginning with the path, if the file cannot be read, is truncated, or its
/// header contradicts itself or the file. Element types other than DType's are errors.
SafetensorsFile readSafetensors(const std::string &path);

/// Writes the whole file or nothing. Throws UserError with the system's reason.
void writeSafetensors(const std::string &path, const TensorMap &tensors,
                      const std::map<std::string, std::string> &metadata = {},
                      Durability durability = Durability::cached);

} // namespace sluice
