# The emulator's arithmetic: matrix units, approximate functions. Static and position independent, since the emulator
# is a shared object. The matrix unit is compiled for three instruction sets and chosen at run time.

sluice_library(SluiceEmulatorNumerics
  SOURCES
    Approximations.cpp
    MatrixBaseline.cpp
    MatrixUnit.cpp)
set_target_properties(SluiceEmulatorNumerics PROPERTIES POSITION_INDEPENDENT_CODE ON)
target_compile_options(SluiceEmulatorNumerics PRIVATE -ffp-contract=off)

if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_sources(SluiceEmulatorNumerics PRIVATE MatrixAvx2.cpp MatrixAvx512.cpp)
  set_source_files_properties(MatrixAvx2.cpp PROPERTIES COMPILE_OPTIONS "-march=x86-64-v3")
  set_source_files_properties(MatrixAvx512.cpp PROPERTIES COMPILE_OPTIONS "-march=x86-64-v4;-mprefer-vector-width=512")
endif()
