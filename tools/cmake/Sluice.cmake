# What every target of sluice shares: flags, include paths, linker, and the helper functions
#   sluice_library(NAME [SHARED] SOURCES file... [LINK library...] [DEPENDS target...])
#   sluice_executable(NAME SOURCES file... [LINK library...] [DEPENDS target...])
#   sluice_gtest(NAME SOURCES file... [LINK library...] [DEPENDS target...])
#   sluice_mlir_libraries(OUT): the dylibs that MLIR code links, in OUT

find_program(SLUICE_CCACHE ccache)
if(SLUICE_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER "${SLUICE_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${SLUICE_CCACHE}")
endif()

add_link_options(-fuse-ld=lld)

# Upstream headers, and the files that tablegen writes, are system includes: their warnings are not ours.
include_directories("${PROJECT_SOURCE_DIR}")
include_directories(SYSTEM "${PROJECT_BINARY_DIR}" ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
add_definitions(${LLVM_DEFINITIONS})

# add_mlir_doc writes below these.
set(MLIR_BINARY_DIR "${PROJECT_BINARY_DIR}")
set(LLVM_RUNTIME_OUTPUT_INTDIR "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")

# Unused parameters are part of the signatures that MLIR patterns and interfaces prescribe.
set(SLUICE_WARNINGS -Wall -Wextra -Werror -Wno-unused-parameter)

# The built tests, so that tools/test builds them all and lit finds them.
set(SLUICE_GTEST_DIR "${PROJECT_BINARY_DIR}/test/gtest")
add_custom_target(sluice-gtests)

function(_sluice_target name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LINK;DEPENDS")
  target_compile_options(${name} PRIVATE ${SLUICE_WARNINGS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

function(sluice_library name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "SHARED" "" "SOURCES;LINK;DEPENDS")
  if(ARG_SHARED)
    add_library(${name} SHARED ${ARG_SOURCES})
  else()
    add_library(${name} STATIC ${ARG_SOURCES})
  endif()
  _sluice_target(${name} LINK ${ARG_LINK} DEPENDS ${ARG_DEPENDS})
endfunction()

function(sluice_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;LINK;DEPENDS")
  add_executable(${name} ${ARG_SOURCES})
  _sluice_target(${name} LINK ${ARG_LINK} DEPENDS ${ARG_DEPENDS})
endfunction()

# lit recognises a GoogleTest program by the suffix "Tests".
function(sluice_gtest name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;LINK;DEPENDS")
  add_executable(${name} ${ARG_SOURCES})
  _sluice_target(${name} LINK ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main
    DEPENDS ${ARG_DEPENDS})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${SLUICE_GTEST_DIR}" OUTPUT_NAME "${name}Tests")
  target_compile_definitions(${name} PRIVATE
    SLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SLUICE_BINARY_DIR="${PROJECT_BINARY_DIR}")
  add_dependencies(sluice-gtests ${name})
endfunction()

function(sluice_mlir_libraries out)
  set(${out} MLIR LLVM PARENT_SCOPE)
endfunction()
