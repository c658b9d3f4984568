// All primitives of the device layer, on the GPU: inline PTX. Kernels include this file and "wgmma/n<N>.h" for each N
// that they multiply with; the include path decides whether they get this side or the emulator's, which has the same
// names. Primitives.td lists them. Compiled by NVRTC and nvcc as C++20 with --fmad=false for sm_80 and up.
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
