// All primitives of the device layer, on the emulator: calls into libSluiceEmulator. The same names as on the GPU; each
// call carries its place in the source. Compiled by clang++ and g++ as C++20.
#pragma once

#include "AsyncCopy.h"
#include "Cluster.h"
#include "Kernel.h"
#include "Math.h"
#include "Matrix.h"
#include "Mbarrier.h"
#include "Memory.h"
#include "Sync.h"
#include "TensorCopy.h"
#include "Warp.h"
#include "Wgmma.h"

#include "codegen/cuda/device/Collectives.h"

using namespace sluice::device;
