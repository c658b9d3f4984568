# Writes OUTPUT, a C++ file with the name and text of each of FILES.

set(entries "")
foreach(file ${FILES})
  get_filename_component(name "${file}" NAME_WE)
  file(READ "${file}" text)
  string(APPEND entries "    {\"${name}\", R\"sluice-spec(${text})sluice-spec\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// The built-in recurrences, written by EmbedBuiltins.cmake.
#include \"codegen/Builtins.h\"

namespace sluice {

const std::map<std::string, std::string> &builtinTexts() {
  static const std::map<std::string, std::string> texts = {
${entries}  };
  return texts;
}

} // namespace sluice
")
