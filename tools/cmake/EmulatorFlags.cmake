# SLUICE_EMULATOR_FLAGS: how CUDA kernels are compiled for the emulator, while building and at run time
# (codegen/cuda/HostCompiler.cpp); in clang's spelling.

set(SLUICE_EMULATOR_FLAGS
  # With -O2 kernels take a third longer to compile and run no faster: most of their time is the emulator's.
  -x c++ -std=c++20 -O1 -fPIC -fvisibility=hidden
  # Arithmetic as the source has it, in the order that it has.
  -ffp-contract=off -fno-vectorize -fno-slp-vectorize -fno-strict-aliasing
  # An uninitialised local holds a pattern that the checks of results notice.
  -ftrivial-auto-var-init=pattern
  # A frame larger than the guard page must touch it.
  -fstack-clash-protection
  # The headers are ours, and their warnings no business of who writes a kernel.
  -w)
