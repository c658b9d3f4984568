# Writes OUTPUT, a C++ file with the path and text of each of FILES. A path is relative to SOURCE, the repository, or
# to BINARY, the build folder, for headers that the build writes.

set(entries "")
foreach(file ${FILES})
  string(FIND "${file}" "${BINARY}/" generated)
  if(generated EQUAL 0)
    file(RELATIVE_PATH name "${BINARY}" "${file}")
  else()
    file(RELATIVE_PATH name "${SOURCE}" "${file}")
  endif()
  file(READ "${file}" text)
  string(APPEND entries "      {\"${name}\", R\"sluice-header(${text})sluice-header\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// The device headers, written by EmbedHeaders.cmake.
#include \"codegen/cuda/DeviceHeaders.h\"

namespace sluice {

const std::map<std::string, std::string> &deviceHeaders() {
  static const std::map<std::string, std::string> texts = {
${entries}  };
  return texts;
}

} // namespace sluice
")
