// Where matrix elements lie: in the registers of fragments, in swizzled tiles and behind shared-memory descriptors.
// One set of constexpr functions for the code generator, the kernels, the emulator and the tests. Compiled by NVRTC,
// clang and g++. Of two elements that share a register, `half` 0 is the low one.
#pragma once

#include "codegen/cuda/device/Types.h"

namespace sluice::device::layout {

/// An element of a matrix.
struct Coordinate {
  i32 row, column;
  friend SLUICE_DEVICE constexpr bool operator==(Coordinate a, Coordinate b) {
    return a.row == b.row && a.column == b.column;
  }
};

/// A place in the registers of a warp or warpgroup. `lane` counts over all of its threads.
struct Slot {
  i32 lane, reg, half;
  friend SLUICE_DEVICE constexpr bool operator==(Slot a, Slot b) {
    return a.lane == b.lane && a.reg == b.reg && a.half == b.half;
  }
};

//===--- Fragments of mma.sync ------------------------------------------------------------------------------------===//
// Every layout L has its shape (rows, columns), its registers (lanes, registers, halves) and two functions that are
// inverse to each other: coordinate(lane, reg, half) and slot(row, column).

/// m16n8k16, 16 bits: A is M x K. Four 8 x 8 blocks, down the rows first.
struct MmaA {
  static constexpr i32 rows = 16, columns = 16, lanes = 32, registers = 4, halves = 2;
  static SLUICE_DEVICE constexpr Coordinate coordinate(i32 lane, i32 reg, i32 half) {
    return {lane / 4 + reg % 2 * 8, lane % 4 * 2 + half + reg / 2 * 8};
  }
  static SLUICE_DEVICE constexpr Slot slot(i32 row, i32 column) {
    return {row % 8 * 4 + column % 8 / 2, row / 8 + column / 8 * 2, column % 2};
  }
};

/// m16n8k16, 16 bits: B is K x N.
struct MmaB {
  static constexpr i32 rows = 16, columns = 8, lanes = 32, registers = 2, halves = 2;
  static SLUICE_DEVICE constexpr Coordinate coordinate(i32 lane, i32 reg, i32 half) {
    return {lane % 4 * 2 + half + reg * 8, lane / 4};
  }
  static SLUICE_DEVICE constexpr Slot slot(i32 row, i32 column) {
    return {column * 4 + row % 8 / 2, row / 8, row % 2};
  }
};

/// The 16 x 8 float32 accumulator of every mma shape.
struct MmaAccumulator {
  static constexpr i32 rows = 16, columns = 8, lanes = 32, registers = 4, halves = 1;
  static SLUICE_DEVICE constexpr Coordinate coordinate(i32 lane, i32 reg, i32 = 0) {
    return {lane / 4 + reg / 2 * 8, lane % 4 * 2 + reg % 2};
  }
  static SLUICE_DEVICE constexpr Slot slot(i32 row, i32 column) {
    return {row % 8 * 4 + column / 2, row / 8 * 2 + column % 2, 0};
  }
};

/// m16n8k8, f16: A is M x K.
struct MmaAK8F16 {
  static constexpr i32 rows = 16, columns = 8, lanes = 32, registers = 2, halves = 2;
  static SLUICE_DEVICE constexpr Coordinate coordinate(i32 lane, i32 reg, i32 half) {
    return {lane / 4 + reg * 8, lane % 4 * 2 + half};
  }
  static SLUICE_DEVICE constexpr Slot slot(i32 row, i32 column) {
    return {row % 8 * 4 + column / 2, row / 8, column % 2};
  }
};

/// m16n8k8, f16: B is K x N.
struct MmaBK8F16 {
  static constexpr i32 rows = 8, columns = 8, lanes = 32, registers = 1, halves = 2;
  static SLUICE_DEVICE constexpr Coordinate coordinate(i32 lane, i32, i32 half) {
    return {lane % 4 * 2 + half, lane / 4};
  }
  static SLUICE_DEVICE constexpr Slot slot(i32 row, i32 column) { return {column * 4 + row / 2, 0, row % 2}; }
};

/// m16n8k8, tf32: A is M x K, one element in a register.
struct MmaAK8Tf32 {
  static constexpr i32 rows = 16, columns = 8, lanes = 32, registers = 4, halves = 1;
  static SLUICE_DEVICE constexpr Coordinate coordinate(i32 lane, i32 reg, i32 = 0) {
    return {lane / 4 + reg % 2 * 8, lane % 4 + reg / 2 * 4};
  }
  static SLUICE_DEVICE constexpr Slot slot(i32 row, i32 column) {
    return {row % 8 * 4 + column % 4, row / 8 + column / 4 * 2, 0};
  }
};

/// m16n8k8, tf32: B is K x N.
struct MmaBK8Tf32 {
  static constexpr i32 rows = 8, columns = 8, lanes = 32, registers = 2, halves = 1;
  static SLUICE_DEVICE constexpr Coordinate coordinate(i32 lane, i32 reg, i32 = 0) {
    return {lane % 4 + reg * 4, lane / 4};
  }
  static SLUICE_DEVICE constexpr Slot slot(i32 row, i32 column) { return {column * 4 + row % 4, row / 4, 0}; }
};

//===--- Fragments of wgmma ---------------------------------------------------------------------------------------===//

/// The 64 x N float32 accumulator of a warpgroup: warp w has rows 16 w to 16 w + 15, as N / 8 mma accumulators.
template <int N> struct WgmmaAccumulator {
  static_assert(N % 8 == 0 && N >= 8 && N <= 256, "expected N to be a multiple of 8 up to 256");
  static constexpr i32 rows = 64, columns = N, lanes = 128, registers = N / 2, halves = 1;
  static SLUICE_DEVICE constexpr Coordinate coordinate(i32 lane, i32 reg, i32 = 0) {
    Coordinate inBlock = MmaAccumulator::coordinate(lane % 32, reg % 4);
    return {lane / 32 * 16 + inBlock.row, reg / 4 * 8 + inBlock.column};
  }
  static SLUICE_DEVICE constexpr Slot slot(i32 row, i32 column) {
    Slot inBlock = MmaAccumulator::slot(row % 16, column % 8);
    return {row / 16 * 32 + inBlock.lane, column / 8 * 4 + inBlock.reg, 0};
  }
};

/// The 64 x 16 operand A in registers: each warp holds the fragment MmaA of its 16 rows.
struct WgmmaA {
  static constexpr i32 rows = 64, columns = 16, lanes = 128, registers = 4, halves = 2;
  static SLUICE_DEVICE constexpr Coordinate coordinate(i32 lane, i32 reg, i32 half) {
    Coordinate inWarp = MmaA::coordinate(lane % 32, reg, half);
    return {lane / 32 * 16 + inWarp.row, inWarp.column};
  }
  static SLUICE_DEVICE constexpr Slot slot(i32 row, i32 column) {
    Slot inWarp = MmaA::slot(row % 16, column);
    return {row / 16 * 32 + inWarp.lane, inWarp.reg, inWarp.half};
  }
};

/// An accumulator becomes the next product's operand A without leaving its thread: the accumulator register that
/// holds element (reg, half) of the operand whose columns are 16 step to 16 step + 15 of the accumulator.
SLUICE_DEVICE constexpr i32 accumulatorOfOperand(i32 step, i32 reg, i32 half) { return step * 8 + reg * 2 + half; }

//===--- ldmatrix and stmatrix ------------------------------------------------------------------------------------===//
// A call moves Count 8 x 8 matrices of 16-bit elements, each as 8 rows of 16 contiguous bytes.

/// The row of the matrix whose address a lane supplies. Lanes from 8 Count on supply nothing.
struct RowAddress {
  i32 matrix, row;
};
SLUICE_DEVICE constexpr RowAddress ldmatrixRow(i32 lane) { return {lane / 8, lane % 8}; }
SLUICE_DEVICE constexpr i32 ldmatrixLane(i32 matrix, i32 row) { return matrix * 8 + row; }

/// The element in memory (row, position in the row) that a lane holds in `half` of the matrix' register.
SLUICE_DEVICE constexpr Coordinate ldmatrixElement(i32 lane, i32 half, bool transposed) {
  return transposed ? Coordinate{lane % 4 * 2 + half, lane / 4} : Coordinate{lane / 4, lane % 4 * 2 + half};
}

/// Inverse of ldmatrixElement: lane and half; the register is the number of the matrix.
SLUICE_DEVICE constexpr Slot ldmatrixSlot(i32 matrix, i32 row, i32 column, bool transposed) {
  return transposed ? Slot{column * 4 + row / 2, matrix, row % 2} : Slot{row * 4 + column / 2, matrix, column % 2};
}

/// Of which row of a fragment's tile in memory a lane must supply the address, for one ldmatrix (or stmatrix) of the
/// whole fragment: row and first column within the tile as it is stored.
/// A of M x K, stored as M x K; the same holds for storing 16 x 16 of an accumulator.
SLUICE_DEVICE constexpr Coordinate ldmatrixRowOfA(i32 lane) { return {lane % 16, lane / 16 * 8}; }
/// A of M x K, stored as K x M, loaded with transposition.
SLUICE_DEVICE constexpr Coordinate ldmatrixRowOfTransposedA(i32 lane) {
  return {lane % 8 + lane / 16 * 8, lane / 8 % 2 * 8};
}
/// B of K x N, stored as N x K (lanes 0 to 15 count).
SLUICE_DEVICE constexpr Coordinate ldmatrixRowOfB(i32 lane) { return {lane % 8, lane / 8 % 2 * 8}; }
/// B of K x N, stored as K x N, loaded with transposition (lanes 0 to 15 count).
SLUICE_DEVICE constexpr Coordinate ldmatrixRowOfTransposedB(i32 lane) { return {lane % 16, 0}; }

//===--- Swizzled tiles -------------------------------------------------------------------------------------------===//

/// Bytes within which 16-byte pieces are permuted: the widest row of a tile. 16 for Swizzle::none.
SLUICE_DEVICE constexpr u32 swizzleSpan(Swizzle swizzle) {
  return swizzle == Swizzle::bytes128  ? 128
         : swizzle == Swizzle::bytes64 ? 64
         : swizzle == Swizzle::bytes32 ? 32
                                       : 16;
}

/// Bytes after which the pattern repeats, and to which a tile's start is best aligned: 8 rows.
SLUICE_DEVICE constexpr u32 swizzlePeriod(Swizzle swizzle) { return swizzleSpan(swizzle) * 8; }

/// Where a byte lies that would lie at `address` without the swizzle. A function of the address itself, not of the
/// offset in the tile: bits 4 to 6 are flipped by bits 7 to 9, as many of them as the span has. Its own inverse.
SLUICE_DEVICE constexpr u32 swizzled(Swizzle swizzle, u32 address) {
  u32 mask = swizzleSpan(swizzle) / 16 - 1;
  return address ^ (address >> 7 & mask) << 4;
}

/// Byte offset of element (row, column) in a tile with rows of `rowBytes` that starts at a multiple of the period.
SLUICE_DEVICE constexpr u32 tileOffset(Swizzle swizzle, u32 rowBytes, u32 row, u32 column, u32 elementBytes) {
  return swizzled(swizzle, row * rowBytes + column * elementBytes);
}

//===--- Shared-memory descriptors of wgmma -----------------------------------------------------------------------===//

/// The fields of a descriptor, in bytes. What the two offsets mean depends on the operand:
///   K-major, none:      leading: from the first 8 elements along k to the next 8; stride: from 8 rows to the next 8
///   K-major, swizzled:  leading: unused; stride: from 8 rows to the next 8
///   MN-major, none:     leading: from 8 elements of k to the next 8; stride: from 8 elements of mn to the next 8
///   MN-major, swizzled: leading: from one span of mn to the next; stride: from 8 elements of k to the next 8
/// `baseOffset` is (address / 128) % 8 of the pattern's start where that is no multiple of the period, else 0.
struct Descriptor {
  u32 start = 0, leadingBytes = 0, strideBytes = 0, baseOffset = 0;
  Swizzle swizzle = Swizzle::none;
};

/// The bits 62 and 63 of a descriptor: they count the swizzles from the widest down.
SLUICE_DEVICE constexpr u64 descriptorLayoutType(Swizzle swizzle) {
  return swizzle == Swizzle::bytes128 ? 1 : swizzle == Swizzle::bytes64 ? 2 : swizzle == Swizzle::bytes32 ? 3 : 0;
}

/// Start and offsets are kept in units of 16 bytes with 14 bits each; bits above are dropped.
SLUICE_DEVICE constexpr u64 encodeDescriptor(const Descriptor &d) {
  return u64{d.start >> 4 & 0x3fff} | u64{d.leadingBytes >> 4 & 0x3fff} << 16 | u64{d.strideBytes >> 4 & 0x3fff} << 32 |
         u64{d.baseOffset & 7} << 49 | descriptorLayoutType(d.swizzle) << 62;
}

SLUICE_DEVICE constexpr Descriptor decodeDescriptor(u64 bits) {
  constexpr Swizzle byType[4] = {Swizzle::none, Swizzle::bytes128, Swizzle::bytes64, Swizzle::bytes32};
  return {static_cast<u32>(bits & 0x3fff) << 4, static_cast<u32>(bits >> 16 & 0x3fff) << 4,
          static_cast<u32>(bits >> 32 & 0x3fff) << 4, static_cast<u32>(bits >> 49 & 7), byType[bits >> 62]};
}

/// The descriptor of the operand that starts `bytes` further: along k within a swizzled row, or by whole tiles.
SLUICE_DEVICE constexpr u64 advanceDescriptor(u64 bits, u32 bytes) { return bits + (bytes >> 4); }

/// Offset, before swizzling, of the 16-byte piece with 16-bit element (mn, k) from the operand's start.
SLUICE_DEVICE constexpr u32 operandPiece(const Descriptor &d, Major major, u32 mn, u32 k) {
  u32 span = swizzleSpan(d.swizzle), perSpan = span / 2;
  if (major == Major::k) {
    u32 alongK = d.swizzle == Swizzle::none ? k / 8 * d.leadingBytes : k / 8 * 16;
    return mn / 8 * d.strideBytes + mn % 8 * span + alongK;
  }
  if (d.swizzle == Swizzle::none)
    return mn / 8 * d.strideBytes + k / 8 * d.leadingBytes + k % 8 * 16;
  return mn / perSpan * d.leadingBytes + k / 8 * d.strideBytes + k % 8 * span + mn % perSpan / 8 * 16;
}

/// Shared address of 16-bit element (mn, k) of an operand; 8 elements along the contiguous dimension follow each
/// other. The pattern is counted from the base offset on.
SLUICE_DEVICE constexpr u32 operandAddress(const Descriptor &d, Major major, u32 mn, u32 k) {
  u32 phase = d.baseOffset * 128;
  u32 piece = swizzled(d.swizzle, d.start + operandPiece(d, major, mn, k) - phase) + phase;
  return piece + (major == Major::k ? k : mn) % 8 * 2;
}

} // namespace sluice::device::layout
