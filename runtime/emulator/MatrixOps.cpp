// mma.sync, ldmatrix and stmatrix: the lanes of a warp meet, the last to come works for all.
#include "codegen/cuda/device/Layouts.h"
#include "codegen/cuda/device/emu/AbiAsync.h"
#include "runtime/emulator/Access.h"
#include "runtime/emulator/Machine.h"
#include "runtime/emulator/MatrixUnit.h"

#include <cstring>

namespace sluice::emulator {
namespace {

namespace layout = device::layout;

struct MmaArguments {
  MmaKind kind;
  uint32_t k;
  float *d;
  const uint32_t *a, *b;
};

bool multiply(Warp &warp) {
  const uint32_t *a[32], *b[32];
  float *d[32];
  for (unsigned lane = 0; lane < 32; ++lane) {
    const auto &arguments = *static_cast<const MmaArguments *>(warp.arguments[lane]);
    a[lane] = arguments.a;
    b[lane] = arguments.b;
    d[lane] = arguments.d;
  }
  const auto &first = *static_cast<const MmaArguments *>(warp.arguments[0]);
  mma(warp.block->machine->options().chip, first.kind, a, b, d);
  if (warp.block->counters)
    warp.block->counters->tensorFlops(uint64_t{2} * 16 * 8 * first.k);
  return true;
}

struct MoveArguments {
  uint32_t *registers;
  uint32_t address, count;
  bool transposed;
};

/// The eight rows of each matrix, as the lanes address them; a bad address leaves a null.
struct Rows {
  uint8_t *bytes[32] = {};
  uint32_t count = 0;

  Rows(Warp &warp, AccessKind kind) {
    const auto &first = *static_cast<const MoveArguments *>(warp.arguments[0]);
    count = 8 * first.count;
    Access access{16, kind, warp.primitive, warp.site};
    uint32_t offsets[32];
    bool good = true;
    for (unsigned lane = 0; lane < count; ++lane) {
      uint32_t address = static_cast<const MoveArguments *>(warp.arguments[lane])->address;
      offsets[lane] = sharedOffset(address);
      if (offsets[lane] % 16 == 0 && offsets[lane] <= warp.block->sharedBytes &&
          warp.block->sharedBytes - offsets[lane] >= 16)
        bytes[lane] = warp.block->shared + offsets[lane];
      else
        bytes[lane] = sharedBytes(warp.thread(lane), *warp.block, address, access, 16);
      good &= bytes[lane] != nullptr;
    }
    if (warp.block->machine->checking())
      for (unsigned lane = 0; lane < count; ++lane)
        if (bytes[lane])
          recordShared(warp.thread(lane), *warp.block, offsets[lane], access);
    if (good && warp.block->counters)
      warp.block->counters->sharedMatrices({warp.site.file_name(), warp.site.line(), warp.primitive},
                                           {offsets, count});
  }
};

bool load(Warp &warp) {
  Rows rows(warp, AccessKind::read);
  bool transposed = static_cast<const MoveArguments *>(warp.arguments[0])->transposed;
  uint16_t elements[8][8];
  for (uint32_t matrix = 0; 8 * matrix < rows.count; ++matrix) {
    for (int row = 0; row < 8; ++row)
      if (const uint8_t *from = rows.bytes[layout::ldmatrixLane(static_cast<int>(matrix), row)])
        std::memcpy(elements[row], from, 16);
      else
        std::memset(elements[row], poisonByte, 16);
    for (int lane = 0; lane < 32; ++lane) {
      layout::Coordinate low = layout::ldmatrixElement(lane, 0, transposed);
      layout::Coordinate high = layout::ldmatrixElement(lane, 1, transposed);
      static_cast<const MoveArguments *>(warp.arguments[static_cast<size_t>(lane)])->registers[matrix] =
          elements[low.row][low.column] | uint32_t{elements[high.row][high.column]} << 16;
    }
  }
  return true;
}

bool store(Warp &warp) {
  Rows rows(warp, AccessKind::write);
  bool transposed = static_cast<const MoveArguments *>(warp.arguments[0])->transposed;
  uint16_t elements[8][8];
  for (uint32_t matrix = 0; 8 * matrix < rows.count; ++matrix) {
    for (int lane = 0; lane < 32; ++lane) {
      uint32_t word =
          static_cast<const MoveArguments *>(warp.arguments[static_cast<size_t>(lane)])->registers[matrix];
      layout::Coordinate low = layout::ldmatrixElement(lane, 0, transposed);
      layout::Coordinate high = layout::ldmatrixElement(lane, 1, transposed);
      elements[low.row][low.column] = static_cast<uint16_t>(word);
      elements[high.row][high.column] = static_cast<uint16_t>(word >> 16);
    }
    for (int row = 0; row < 8; ++row)
      if (uint8_t *to = rows.bytes[layout::ldmatrixLane(static_cast<int>(matrix), row)])
        std::memcpy(to, elements[row], 16);
  }
  return true;
}

MmaKind kindOf(device::MatrixKind kind, uint32_t k) {
  switch (kind) {
  case device::MatrixKind::bf16:
    return MmaKind::bf16K16;
  case device::MatrixKind::f16:
    return k == 16 ? MmaKind::f16K16 : MmaKind::f16K8;
  case device::MatrixKind::tf32:
    return MmaKind::tf32K8;
  }
  __builtin_unreachable();
}

} // namespace
} // namespace sluice::emulator

namespace sluice::device {
using namespace emulator;
extern "C" {

void sluiceEmuMma(MatrixKind kind, u32 k, f32 *d, const u32 *a, const u32 *b, Site site) {
  Thread &thread = currentThread();
  MmaArguments arguments{kindOf(kind, k), k, d, a, b};
  thread.machine->meet(thread, {"mma", site}, &arguments, multiply);
}

void sluiceEmuLdmatrix(u32 *registers, u32 address, u32 count, bool transposed, Site site) {
  Thread &thread = currentThread();
  MoveArguments arguments{registers, address, count, transposed};
  thread.machine->meet(thread, {"ldmatrix", site}, &arguments, load);
}

void sluiceEmuStmatrix(const u32 *registers, u32 address, u32 count, bool transposed, Site site) {
  Thread &thread = currentThread();
  MoveArguments arguments{const_cast<u32 *>(registers), address, count, transposed};
  thread.machine->meet(thread, {"stmatrix", site}, &arguments, store);
}

} // extern "C"
} // namespace sluice::device
