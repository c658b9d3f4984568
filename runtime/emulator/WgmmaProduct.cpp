// Operands, registers and arithmetic of one wgmma.
#include "runtime/emulator/WgmmaProduct.h"

#include "runtime/emulator/MatrixUnit.h"
#include "runtime/emulator/Wgmma.h"

#include <algorithm>
#include <cstring>

namespace sluice::emulator {

namespace layout = device::layout;

namespace {
constexpr uint32_t rows = 64, depth = 16, pieceElements = 8;

/// What registers that are gone are replaced by.
thread_local float lostValues[128];
const uint32_t lostOperand[4] = {};
} // namespace

void OperandPieces::place(uint64_t descriptor, device::Major major, uint32_t mn) {
  layout::Descriptor decoded = layout::decodeDescriptor(descriptor);
  addresses.clear();
  if (major == device::Major::k) {
    for (uint32_t row = 0; row < mn; ++row)
      for (uint32_t k = 0; k < depth; k += pieceElements)
        addresses.push_back(layout::operandAddress(decoded, major, row, k));
  } else {
    for (uint32_t k = 0; k < depth; ++k)
      for (uint32_t row = 0; row < mn; row += pieceElements)
        addresses.push_back(layout::operandAddress(decoded, major, row, k));
  }
}

const uint32_t *OperandPieces::firstOutside(uint32_t sharedBytes) const {
  auto outside = std::find_if(addresses.begin(), addresses.end(), [&](uint32_t address) {
    return address < sluiceEmuSharedBase || uint64_t{address} - sluiceEmuSharedBase + 16 > sharedBytes;
  });
  return outside == addresses.end() ? nullptr : &*outside;
}

void OperandPieces::gather(const uint8_t *window, uint16_t *elements) const {
  for (uint32_t address : addresses) {
    std::memcpy(elements, window + address, 16);
    elements += pieceElements;
  }
}

void WgmmaProduct::begin(uint64_t numbered, const device::WgmmaCall &issue, Site place) {
  number = numbered;
  call = issue;
  site = place;
  issued = 0;
  landed = false;
  readable = true;
  if (call.aRegisters)
    a.addresses.clear();
  else
    a.place(call.a, call.majorA, rows);
  b.place(call.b, call.majorB, call.n);
}

bool WgmmaProduct::join(Warp &warp, uint32_t epoch) {
  unsigned quarter = warp.index % 4;
  bool same = samePlace(site, warp.site);
  for (unsigned lane = 0; lane < 32; ++lane) {
    const auto &mine = *static_cast<const device::WgmmaCall *>(warp.arguments[lane]);
    same = same && mine.n == call.n && mine.kind == call.kind && mine.majorA == call.majorA &&
           mine.majorB == call.majorB && mine.negateA == call.negateA && mine.negateB == call.negateB &&
           mine.accumulate == call.accumulate && mine.a == call.a && mine.b == call.b &&
           !mine.aRegisters == !call.aRegisters;
    unsigned slot = quarter * 32 + lane;
    d[slot] = mine.values;
    accumulators[slot] = mine.accumulator;
    aValues[slot] = mine.aValues;
    aRegisters[slot] = mine.aRegisters;
    ++mine.accumulator->inFlight;
    if (mine.aRegisters)
      ++mine.aRegisters->inFlight;
  }
  issued |= 1u << quarter;
  epochs[quarter] = epoch;
  return same;
}

void WgmmaProduct::land() { group.computeThrough(number); }

void WgmmaProduct::compute(Block &block) {
  uint16_t aElements[rows * depth], bElements[depth * 256];
  const uint8_t *window = block.shared - sluiceEmuSharedBase;
  if (readable) {
    a.gather(window, aElements);
    b.gather(window, bElements);
  } else {
    std::memset(aElements, poisonByte, sizeof aElements);
    std::memset(bElements, poisonByte, sizeof bElements);
  }
  WgmmaOperands operands;
  operands.half = call.kind == device::MatrixKind::f16;
  operands.n = static_cast<int>(call.n);
  if (call.aRegisters)
    operands.aRegisters = aValues.data();
  else
    operands.a = aElements;
  operands.b = bElements;
  operands.majorA = call.majorA;
  operands.majorB = call.majorB;
  operands.negateA = call.negateA;
  operands.negateB = call.negateB;
  operands.accumulate = call.accumulate;
  wgmma(block.machine->options().chip, operands, d.data());
}

void WgmmaProduct::release(unsigned warp) {
  for (unsigned slot = warp * 32; slot < warp * 32 + 32; ++slot) {
    if (accumulators[slot])
      --accumulators[slot]->inFlight;
    if (aRegisters[slot])
      --aRegisters[slot]->inFlight;
  }
}

bool WgmmaProduct::uses(const device::AsyncRegisters *registers) const {
  auto in = [&](const auto &all) { return std::find(all.begin(), all.end(), registers) != all.end(); };
  return in(accumulators) || in(aRegisters);
}

void WgmmaProduct::forget(const device::AsyncRegisters *registers) {
  for (unsigned slot = 0; slot < lanes; ++slot) {
    if (accumulators[slot] == registers) {
      accumulators[slot] = nullptr;
      d[slot] = lostValues;
    }
    if (aRegisters[slot] == registers) {
      aRegisters[slot] = nullptr;
      aValues[slot] = lostOperand;
    }
  }
}

void WgmmaProduct::record(Thread &reader, unsigned warp, const Agent &agent) const {
  auto read = [&](uint32_t address, uint32_t bytes) {
    recordShared(reader, *reader.inBlock, sharedOffset(address), {bytes, AccessKind::read, "wgmma", site},
                 agent);
  };
  std::span<const uint32_t> pieces = a.addresses;
  if (!pieces.empty() && call.majorA == device::Major::k)
    OperandPieces::forEachRun(pieces.subspan(warp * 32, 32), read);
  else if (!pieces.empty())
    for (uint32_t k = 0; k < depth; ++k)
      OperandPieces::forEachRun(pieces.subspan(k * rows / pieceElements + warp * 2, 2), read);
  OperandPieces::forEachRun(b.addresses, read);
}

} // namespace sluice::emulator
