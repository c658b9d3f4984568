// Runs matrix instructions on operands from standard input and writes the accumulators to standard output,
// for compare_mmasim.py. Every instruction set of this machine must give the same bits.
//
// A job: ten int32 (instruction, chip, n, A contiguous along M, B contiguous along N, negate A, negate B,
// accumulate, A in registers, count), then the `count` matrices A (m x k), B (k x n) and C (m x n) as 32-bit
// words.
#include "codegen/cuda/device/Layouts.h"
#include "runtime/emulator/MatrixKernels.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

using namespace sluice::emulator;
namespace layout = sluice::device::layout;

namespace {

struct Header {
  int32_t instruction, chip, n, majorA, majorB, negateA, negateB, accumulate, registers, count;
  int k() const { return instruction == 2 || instruction == 3 ? 8 : 16; }
  int m() const { return instruction < 4 ? 16 : 64; }
};

using Words = std::vector<uint32_t>;

bool read(void *to, size_t bytes) { return std::fread(to, 1, bytes, stdin) == bytes; }

/// The registers of all lanes, and a pointer to those of each.
struct Registers {
  Words words;
  std::vector<const uint32_t *> lanes;
  std::vector<float *> accumulators;
  Registers(int lanesCount, int perLane) : words(lanesCount * perLane) {
    for (int lane = 0; lane < lanesCount; ++lane) {
      lanes.push_back(words.data() + lane * perLane);
      accumulators.push_back(reinterpret_cast<float *>(words.data() + lane * perLane));
    }
  }
};

/// Spreads a row-major matrix over the lanes as the layout says.
template <class Layout> Registers spread(const uint32_t *matrix) {
  Registers to(Layout::lanes, Layout::registers);
  for (int row = 0; row < Layout::rows; ++row)
    for (int column = 0; column < Layout::columns; ++column) {
      layout::Slot slot = Layout::slot(row, column);
      int shift = Layout::halves == 2 ? 16 * slot.half : 0;
      to.words[slot.lane * Layout::registers + slot.reg] |= matrix[row * Layout::columns + column] << shift;
    }
  return to;
}

/// The wgmma accumulator of any N: N / 8 accumulators of mma.sync per warp.
uint32_t &accumulatorOf(Registers &to, int n, int row, int column) {
  layout::Slot slot = layout::MmaAccumulator::slot(row % 16, column % 8);
  return to.words[(row / 16 * 32 + slot.lane) * (n / 2) + column / 8 * 4 + slot.reg];
}

Words runMma(const MatrixKernels &kernels, const Header &header, const Words &a, const Words &b,
             const Words &c) {
  auto run = [&](auto layoutA, auto layoutB) {
    Registers registersA = spread<decltype(layoutA)>(a.data()),
              registersB = spread<decltype(layoutB)>(b.data());
    Registers d = spread<layout::MmaAccumulator>(c.data());
    kernels.mma(Chip(header.chip), MmaKind(header.instruction), registersA.lanes.data(),
                registersB.lanes.data(), d.accumulators.data());
    Words result(16 * 8);
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) {
        layout::Slot slot = layout::MmaAccumulator::slot(row, column);
        result[row * 8 + column] = d.words[slot.lane * 4 + slot.reg];
      }
    return result;
  };
  switch (MmaKind(header.instruction)) {
  case MmaKind::bf16K16:
  case MmaKind::f16K16:
    return run(layout::MmaA{}, layout::MmaB{});
  case MmaKind::f16K8:
    return run(layout::MmaAK8F16{}, layout::MmaBK8F16{});
  case MmaKind::tf32K8:
    return run(layout::MmaAK8Tf32{}, layout::MmaBK8Tf32{});
  }
  throw std::runtime_error("expected an instruction of mma.sync");
}

/// 16-bit elements as wgmma reads them: rows in sequence, or columns.
std::vector<uint16_t> narrow(const Words &matrix, int rows, int columns, bool byColumns) {
  std::vector<uint16_t> to(matrix.size());
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column)
      to[byColumns ? column * rows + row : row * columns + column] = matrix[row * columns + column];
  return to;
}

Words runWgmma(const MatrixKernels &kernels, const Header &header, const Words &a, const Words &b,
               const Words &c) {
  using sluice::device::Major;
  Registers registersA = spread<layout::WgmmaA>(a.data());
  auto narrowA = narrow(a, 64, 16, header.majorA), narrowB = narrow(b, 16, header.n, !header.majorB);
  WgmmaOperands operands;
  operands.half = header.instruction == 5;
  operands.n = header.n;
  if (header.registers)
    operands.aRegisters = registersA.lanes.data();
  else
    operands.a = narrowA.data();
  operands.b = narrowB.data();
  operands.majorA = header.majorA ? Major::mn : Major::k;
  operands.majorB = header.majorB ? Major::mn : Major::k;
  operands.negateA = header.negateA;
  operands.negateB = header.negateB;
  operands.accumulate = header.accumulate;
  Registers d(128, header.n / 2);
  for (int i = 0; i < 64 * header.n; ++i)
    accumulatorOf(d, header.n, i / header.n, i % header.n) = c[i];
  kernels.wgmma(Chip(header.chip), operands, d.accumulators.data());
  Words result(64 * header.n);
  for (int i = 0; i < 64 * header.n; ++i)
    result[i] = accumulatorOf(d, header.n, i / header.n, i % header.n);
  return result;
}

std::vector<const MatrixKernels *> available() {
  std::vector<const MatrixKernels *> all = {&baselineMatrixKernels};
#if defined(__x86_64__)
  if (hasAvx2())
    all.push_back(&avx2MatrixKernels);
  if (hasAvx512())
    all.push_back(&avx512MatrixKernels);
#endif
  return all;
}

Words runCase(const Header &header, const Words &a, const Words &b, const Words &c) {
  Words first;
  for (const MatrixKernels *kernels : available()) {
    Words result = (header.instruction < 4 ? runMma : runWgmma)(*kernels, header, a, b, c);
    if (!first.empty() && result != first)
      throw std::runtime_error("expected the same bits from every instruction set");
    first = result;
  }
  return first;
}

void runJob(const Header &header) {
  size_t sizeA = header.m() * header.k(), sizeB = header.k() * header.n, sizeC = header.m() * header.n;
  Words a(sizeA * header.count), b(sizeB * header.count), c(sizeC * header.count);
  if (!read(a.data(), a.size() * 4) || !read(b.data(), b.size() * 4) || !read(c.data(), c.size() * 4))
    throw std::runtime_error("expected more operands, got the end of the input");
  auto part = [](const Words &all, size_t size, int i) {
    return Words(all.begin() + i * size, all.begin() + (i + 1) * size);
  };
  for (int i = 0; i < header.count; ++i) {
    Words result = runCase(header, part(a, sizeA, i), part(b, sizeB, i), part(c, sizeC, i));
    std::fwrite(result.data(), 4, result.size(), stdout);
  }
}

} // namespace

int main() {
  try {
    Header header;
    while (read(&header, sizeof header))
      runJob(header);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
