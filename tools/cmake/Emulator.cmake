# sluice_emulated_kernel(NAME SOURCE file.cu [OUTPUT file.so] [DEFINES X=1 ...]): compiles a CUDA kernel for the
# emulator into a shared object, build/lib/emulated/NAME.so unless OUTPUT says otherwise, as target NAME. Its undefined
# symbols are those of libSluiceEmulator.so, which whoever loads it has loaded.

include(EmulatorFlags)

find_program(SLUICE_KERNEL_CXX NAMES clang++-22 clang++ REQUIRED)

function(sluice_emulated_kernel name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "SOURCE;OUTPUT" "DEFINES")
  get_filename_component(source "${ARG_SOURCE}" ABSOLUTE)
  set(output "${ARG_OUTPUT}")
  if(NOT output)
    set(output "${PROJECT_BINARY_DIR}/lib/emulated/${name}.so")
  endif()
  list(TRANSFORM ARG_DEFINES PREPEND -D OUTPUT_VARIABLE defines)
  set(device "${PROJECT_SOURCE_DIR}/codegen/cuda/device")
  set(generated "${PROJECT_BINARY_DIR}/codegen/cuda/device/emu")
  file(GLOB headers CONFIGURE_DEPENDS "${device}/*.h" "${device}/emu/*.h")
  get_filename_component(folder "${output}" DIRECTORY)
  add_custom_command(
    OUTPUT "${output}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${folder}"
    COMMAND ${SLUICE_KERNEL_CXX} ${SLUICE_EMULATOR_FLAGS} ${defines} "-I${device}/emu" "-I${generated}"
      "-I${device}" "-I${PROJECT_SOURCE_DIR}" -shared -o "${output}" "${source}"
    DEPENDS "${source}" ${headers} ${SLUICE_GENERATED_DEVICE_HEADERS}
    COMMENT "Compiling ${name} for the emulator"
    VERBATIM)
  add_custom_target(${name} DEPENDS "${output}")
  if(TARGET sluice-device-files)
    add_dependencies(${name} sluice-device-files)
  endif()
endfunction()
