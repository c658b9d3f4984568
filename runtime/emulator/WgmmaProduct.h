// One wgmma of a warpgroup: its operands in shared memory, its registers, its arithmetic.
#pragma once

#include "codegen/cuda/device/Layouts.h"
#include "codegen/cuda/device/emu/AbiAsync.h"
#include "runtime/emulator/Access.h"
#include "runtime/emulator/Machine.h"

#include <array>
#include <span>
#include <vector>

namespace sluice::emulator {

/// A matrix operand in shared memory as pieces of 16 bytes: eight elements along its contiguous dimension.
/// Pieces follow each other as MatrixUnit.h wants the elements: by rows of 16 if k is contiguous, else by
/// rows of mn.
struct OperandPieces {
  std::vector<uint32_t> addresses; ///< Shared-window addresses.

  void place(uint64_t descriptor, device::Major major, uint32_t mn);
  /// Null for the first piece that leaves shared memory of that size, else its address.
  const uint32_t *firstOutside(uint32_t sharedBytes) const;
  void gather(const uint8_t *window, uint16_t *elements) const;
  /// Calls body(address, bytes) for runs of adjacent pieces among some of them.
  template <class Body> static void forEachRun(std::span<const uint32_t> pieces, Body &&body) {
    uint32_t begin = 0, end = 0;
    for (uint32_t piece : pieces) {
      if (piece == end && end != begin) {
        end += 16;
      } else if (piece + 16 == begin) {
        begin = piece;
      } else {
        if (begin != end)
          body(begin, end - begin);
        begin = piece;
        end = piece + 16;
      }
    }
    if (begin != end)
      body(begin, end - begin);
  }
};

/// Lands when its warpgroup's earlier products have.
class WgmmaProduct : public AsyncOperation {
public:
  static constexpr unsigned lanes = 128;
  explicit WgmmaProduct(class Warpgroup &group) : group(group) { spontaneous = false; }

  /// As the first warp issues it.
  void begin(uint64_t number, const device::WgmmaCall &call, Site site);
  /// Adds the registers of warp `warp` of the group. False if it is not the same product.
  bool join(Warp &warp, uint32_t epoch);
  bool complete() const { return issued == 15; }
  void land() override;
  void compute(Block &block);
  /// Warp `warp` of the group has waited: its registers are its own again.
  void release(unsigned warp);
  /// Whether these registers take part; if so they no longer do, since they are gone.
  bool uses(const device::AsyncRegisters *registers) const;
  void forget(const device::AsyncRegisters *registers);
  /// Tells the checker what warp `warp` of the group reads, as thread `reader` knows the world.
  void record(Thread &reader, unsigned warp, const Agent &agent) const;

  Warpgroup &group;
  uint64_t number = 0; ///< In its warpgroup.
  device::WgmmaCall call{};
  Site site;
  uint32_t issued = 0; ///< Bit i: by warp i of the group.
  std::array<uint32_t, 4> epochs{};
  OperandPieces a, b;
  bool readable = true;

private:
  std::array<float *, lanes> d{};
  std::array<const uint32_t *, lanes> aValues{};
  std::array<device::AsyncRegisters *, lanes> accumulators{}, aRegisters{};
};

} // namespace sluice::emulator
