// Swizzles, and shared-memory descriptors of wgmma with the addresses they stand for, against CuTe's headers.
// CuTe builds a tile, cuts the operand of one wgmma out of it at every offset, and makes its descriptor; the
// addresses that ours derives from those bits must be those of CuTe's tile.
#include <cstdint>

// Where a pointer would lie in shared memory: the test's tiles lie in a window aligned beyond any shared
// address.
inline uint32_t __nvvm_get_smem_pointer(const void *pointer) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer) & 0x3ffff);
}
#define CUTE_NVVM_GET_SMEM_POINTER_ACTIVATED 1

#include "codegen/cuda/device/Layouts.h"

#include <cute/atom/mma_traits_sm90_gmma.hpp>
#include <cute/swizzle.hpp>
#include <cute/tensor.hpp>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

namespace {

namespace layout = sluice::device::layout;
using sluice::device::Major;
using sluice::device::Swizzle;
using cute::half_t;
using cute::Int;

constexpr uint32_t window = 1 << 18;
struct Release {
  void operator()(void *memory) const { std::free(memory); }
};

/// Memory whose addresses modulo the window are shared addresses.
uint8_t *sharedWindow() {
  static std::unique_ptr<void, Release> memory(std::aligned_alloc(window, window));
  return static_cast<uint8_t *>(memory.get());
}

TEST(CuteSwizzle, AddressBits) {
  for (uint32_t address = 0; address < 4096; ++address) {
    EXPECT_EQ(layout::swizzled(Swizzle::none, address), uint32_t(cute::Swizzle<0, 4, 3>{}(address)));
    EXPECT_EQ(layout::swizzled(Swizzle::bytes32, address), uint32_t(cute::Swizzle<1, 4, 3>{}(address)));
    EXPECT_EQ(layout::swizzled(Swizzle::bytes64, address), uint32_t(cute::Swizzle<2, 4, 3>{}(address)));
    EXPECT_EQ(layout::swizzled(Swizzle::bytes128, address), uint32_t(cute::Swizzle<3, 4, 3>{}(address)));
  }
}

template <Swizzle S, Major M> struct Atom;
#define ATOM(ours, theirs, major, cuteMajor)                                                                 \
  template <> struct Atom<Swizzle::ours, Major::major> {                                                     \
    using type = cute::GMMA::Layout_##cuteMajor##_##theirs##_Atom<half_t>;                                   \
  };
ATOM(none, INTER, k, K)
ATOM(bytes32, SW32, k, K)
ATOM(bytes64, SW64, k, K)
ATOM(bytes128, SW128, k, K)
ATOM(none, INTER, mn, MN)
ATOM(bytes32, SW32, mn, MN)
ATOM(bytes64, SW64, mn, MN)
ATOM(bytes128, SW128, mn, MN)
#undef ATOM

TEST(CuteSwizzle, RowsOfATile) {
  // A K-major atom of 64 columns with the widest swizzle is a TMA tile with rows of 128 bytes, and so on
  // down.
  auto expectTile = [](Swizzle swizzle, auto atom) {
    uint32_t rowBytes = layout::swizzleSpan(swizzle);
    for (uint32_t row = 0; row < uint32_t(cute::size<0>(atom)); ++row)
      for (uint32_t column = 0; column < rowBytes / 2; ++column)
        EXPECT_EQ(layout::tileOffset(swizzle, rowBytes, row, column, 2), uint32_t(atom(row, column)) * 2);
  };
  auto plain = [](auto atom) {
    auto tall = cute::tile_to_shape(atom, cute::make_shape(Int<64>{}, cute::size<1>(atom)));
    return cute::as_position_independent_swizzle_layout(tall);
  };
  expectTile(Swizzle::bytes32, plain(Atom<Swizzle::bytes32, Major::k>::type{}));
  expectTile(Swizzle::bytes64, plain(Atom<Swizzle::bytes64, Major::k>::type{}));
  expectTile(Swizzle::bytes128, plain(Atom<Swizzle::bytes128, Major::k>::type{}));
  EXPECT_EQ(layout::swizzlePeriod(Swizzle::bytes128),
            2u * cute::cosize(Atom<Swizzle::bytes128, Major::k>::type{}));
  EXPECT_EQ(layout::swizzlePeriod(Swizzle::bytes32),
            2u * cute::cosize(Atom<Swizzle::bytes32, Major::k>::type{}));
}

/// Checks one operand of `Mn` x 16: the fields, and the address of every element. Returns the descriptor's
/// bits.
template <Major M, class Operand> uint64_t expectOperand(Swizzle swizzle, Operand const &operand) {
  constexpr auto cuteMajor = M == Major::k ? cute::GMMA::Major::K : cute::GMMA::Major::MN;
  uint64_t bits = cute::GMMA::make_gmma_desc<cuteMajor>(operand).desc_;
  layout::Descriptor fields = layout::decodeDescriptor(bits);
  EXPECT_EQ(fields.swizzle, swizzle);
  EXPECT_EQ(layout::encodeDescriptor(fields), bits);
  for (int mn = 0; mn < int(cute::size<0>(operand)); ++mn)
    for (int k = 0; k < 16; ++k)
      EXPECT_EQ(layout::operandAddress(fields, M, mn, k), __nvvm_get_smem_pointer(&operand(mn, k)))
          << "mn " << mn << " k " << k;
  return bits;
}

/// Every operand of wgmma with `Width` elements of mn inside a tile of TileMn x TileK.
template <Swizzle S, Major M, int TileMn, int TileK, int Width> void expectTile() {
  using namespace cute;
  auto shape = tile_to_shape(typename Atom<S, M>::type{}, Shape<Int<TileMn>, Int<TileK>>{});
  for (uint32_t start : {1024u, 50u * 1024}) {
    Tensor tile = make_tensor(make_smem_ptr(reinterpret_cast<half_t *>(sharedWindow() + start)), shape);
    uint64_t first = 0;
    for (int mn = 0; mn < TileMn / Width; ++mn)
      for (int k = 0; k < TileK / 16; ++k) {
        Tensor operand = local_tile(tile, Shape<Int<Width>, Int<16>>{}, make_coord(mn, k));
        uint64_t bits = expectOperand<M>(S, operand);
        if (mn == 0 && k == 0)
          first = bits;
        // Along k within one span, the next operand's descriptor is the first one's plus 32 bytes.
        if (M == Major::k && mn == 0 && uint32_t(k) * 32 < layout::swizzleSpan(S))
          EXPECT_EQ(layout::advanceDescriptor(first, k * 32), bits);
      }
  }
}

template <Swizzle S> void expectTiles() {
  expectTile<S, Major::k, 64, 64, 64>();
  expectTile<S, Major::k, 128, 128, 64>();
  expectTile<S, Major::k, 24, 64, 24>();
  expectTile<S, Major::k, 256, 64, 256>();
  expectTile<S, Major::mn, 64, 64, 64>();
  expectTile<S, Major::mn, 128, 32, 64>();
  expectTile<S, Major::mn, 256, 64, 256>();
  expectTile<S, Major::mn, 128, 64, 128>();
}

TEST(CuteDescriptors, NoSwizzle) {
  expectTiles<Swizzle::none>();
  expectTile<Swizzle::none, Major::mn, 24, 32, 24>();
}
TEST(CuteDescriptors, Swizzle32) {
  expectTiles<Swizzle::bytes32>();
  expectTile<Swizzle::bytes32, Major::mn, 48, 32, 48>();
}
TEST(CuteDescriptors, Swizzle64) {
  expectTiles<Swizzle::bytes64>();
  expectTile<Swizzle::bytes64, Major::mn, 96, 48, 32>();
}
TEST(CuteDescriptors, Swizzle128) {
  expectTiles<Swizzle::bytes128>();
  expectTile<Swizzle::bytes128, Major::k, 192, 192, 96>();
}

TEST(CuteDescriptors, OddWidthsOfB) {
  expectTile<Swizzle::bytes128, Major::k, 8, 64, 8>();
  expectTile<Swizzle::bytes128, Major::k, 104, 64, 104>();
  expectTile<Swizzle::bytes32, Major::k, 248, 32, 248>();
  expectTile<Swizzle::none, Major::k, 200, 32, 200>();
  expectTile<Swizzle::none, Major::mn, 8, 32, 8>();
  expectTile<Swizzle::none, Major::mn, 248, 32, 248>();
  expectTile<Swizzle::bytes32, Major::mn, 240, 32, 240>();
  expectTile<Swizzle::bytes64, Major::mn, 224, 32, 224>();
  expectTile<Swizzle::bytes128, Major::mn, 192, 48, 192>();
}

TEST(CuteDescriptors, FieldsOfTheLargestValues) {
  cute::GmmaDescriptor theirs;
  theirs.desc_ = 0;
  theirs.bitfield.start_address_ = 0x3fff;
  theirs.bitfield.leading_byte_offset_ = 0x2aaa;
  theirs.bitfield.stride_byte_offset_ = 0x1555;
  theirs.bitfield.base_offset_ = 5;
  theirs.bitfield.layout_type_ = uint8_t(cute::GMMA::LayoutType::B64);
  layout::Descriptor ours{0x3fff0, 0x2aaa0, 0x15550, 5, Swizzle::bytes64};
  EXPECT_EQ(layout::encodeDescriptor(ours), theirs.desc_);
}

} // namespace
