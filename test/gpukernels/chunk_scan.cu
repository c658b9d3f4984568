// A scan over chunks of 64 rows for sm_90a: keys and queries K, Q [64,128], values V [64,64], in bf16; a
// state S [128,64] in float32; row weights w; d = 2^(sum of the chunk's log decays). For each chunk:
//     U = w (V - K S),    O = Q S + lower(Q K^T) U,    S <- d S + K^T U
//
// Persistent: a block of 384 threads walks over (sequence, 64 values) pairs, chunk by chunk. Its warpgroups
// have roles:
//   load     warp 0: TMA of K, Q, V; warp 1: weights and decay. It runs ahead of the others.
//   scores   P = lower(Q K^T), which does not depend on the state: one chunk ahead of the state role.
//   state    everything else. S is held transposed, values as rows, so that its accumulators, and those of
//            U, become left operands of the next products in registers and never pass through memory.
// Three rings connect them: inputs (load -> scores, state), scores (scores -> state), outputs (state -> TMA
// stores). Two wgmma groups are in flight twice per chunk: S q runs behind the use of S k, and P U behind the
// release of the inputs. No accumulator is in flight across the end of an iteration, and a product that does
// not accumulate gets new ones: otherwise ptxas serialises wgmma.
#include "Device.h"
#include "wgmma/n128.h"
#include "wgmma/n64.h"

#ifndef SCAN_INPUT_STAGES
#define SCAN_INPUT_STAGES 3
#endif

namespace {

constexpr u32 chunk = 64, keySize = 128;
constexpr u32 inputStages = SCAN_INPUT_STAGES, scoreStages = 2, outputStages = 2;

// Shared memory, in bytes. A tile is 64 rows of 128 bytes in the 128-byte pattern; K and Q are two tiles side
// by side.
constexpr u32 tileBytes = 64 * 128, keysAt = 0, queriesAt = 2 * tileBytes, valuesAt = 4 * tileBytes;
constexpr u32 inputBytes = 5 * tileBytes;
constexpr u32 scoresAt = inputStages * inputBytes, outputsAt = scoresAt + scoreStages * tileBytes;
constexpr u32 gatesAt = outputsAt + outputStages * tileBytes, gatesBytes = 320; ///< 64 weights, decay.
constexpr u32 barriersAt = gatesAt + inputStages * gatesBytes;
constexpr u32 stateBarrier = 1; ///< A named barrier of the state role.

template <u32 stages> struct Ring {
  u32 stage = 0, parity = 0;
  SLUICE_DEVICE void next() {
    if (++stage == stages)
      stage = 0, parity ^= 1;
  }
};

struct Barriers {
  Mbarrier inputFull, inputEmpty, scoresFull, scoresEmpty;
};

struct Work {
  i64 tokens, values;
  i32 chunks, slices, items; ///< An item is a sequence and a slice of 64 values.
  SLUICE_DEVICE i32 sequence(i32 item) const { return divide(item, slices); }
  SLUICE_DEVICE i32 firstValue(i32 item) const { return remainder(item, slices) * 64; }
};

/// Address that a lane hands to ldmatrix or stmatrix for row `row` and the 8 columns of piece `piece`.
SLUICE_DEVICE Shared<bf16> pieceAt(Shared<bf16> tile, u32 row, u32 piece) {
  return tile + i32(row * 64 + ((piece ^ (row & 7)) << 3));
}

/// Rows are M or N and columns K of the product, or (`transposed`) the other way round.
SLUICE_DEVICE auto rowsDescriptor(u32 at) {
  return wgmmaDescriptor(sharedMemory<bf16>(at), Swizzle::bytes128, 16, 1024);
}
SLUICE_DEVICE auto transposedDescriptor(u32 at) {
  return wgmmaDescriptor(sharedMemory<bf16>(at), Swizzle::bytes128, tileBytes, 1024);
}
/// Bytes from columns 0..15 to columns 16 k..16 k + 15 of K or Q.
SLUICE_DEVICE constexpr u32 keyStep(int k) { return u32(k / 4) * tileBytes + u32(k % 4) * 32; }

/// Columns 16 k to 16 k + 15 of accumulators as bf16: the left operand of a product, and what stmatrix
/// stores.
template <class Registers, int N>
SLUICE_DEVICE void pack(Registers &&registers, WgmmaAccumulator<N> &sum, auto k) {
  constexpr int first = k * 8;
  unrolled<4>([&](auto i) {
    registers.r(i) = packBf16(sum.r(Constant<first + i * 2>{}), sum.r(Constant<first + i * 2 + 1>{}));
  });
}

SLUICE_DEVICE void loadTiles(const Barriers &barriers, const TensorMap &keys, const TensorMap &queries,
                             const TensorMap &values, const Work &work) {
  Ring<inputStages> ring;
  for (i32 item = i32(blockIndex()); item < work.items; item += i32(gridBlocks()))
    for (i32 n = 0; n < work.chunks; ++n, ring.next()) {
      const Shared<bf16> input = sharedMemory<bf16>(ring.stage * inputBytes);
      const Mbarrier full = barriers.inputFull.at(ring.stage);
      const i32 token = n * i32(chunk), sequence = work.sequence(item);
      mbarrierWait(barriers.inputEmpty.at(ring.stage), ring.parity ^ 1);
      mbarrierArriveExpect(full, inputBytes);
      for (i32 half = 0; half < 2; ++half) {
        const i32 offset = half * i32(tileBytes / 2);
        tensorLoad(input + i32(keysAt / 2) + offset, keys, full, half * 64, token, sequence);
        tensorLoad(input + i32(queriesAt / 2) + offset, queries, full, half * 64, token, sequence);
      }
      tensorLoad(input + i32(valuesAt / 2), values, full, work.firstValue(item), token, sequence);
    }
}

SLUICE_DEVICE void loadGates(const Barriers &barriers, Global<const f32> weights, Global<const f32> logDecays,
                             const Work &work) {
  const u32 lane = laneIndex();
  Ring<inputStages> ring;
  for (i32 item = i32(blockIndex()); item < work.items; item += i32(gridBlocks()))
    for (i32 n = 0; n < work.chunks; ++n, ring.next()) {
      const Shared<f32> gates = sharedMemory<f32>(gatesAt + ring.stage * gatesBytes);
      Vec<f32, 2> weight;
      f32 logDecay = 0;
      unrolled<2>([&](auto e) {
        const i64 token = i64(n) * chunk + lane * 2 + e, at = work.sequence(item) * work.tokens + token;
        weight(e) = loadGlobal(weights + at, token < work.tokens, 0.f);
        logDecay += loadGlobal(logDecays + at, token < work.tokens, 0.f);
      });
      const f32 decay = exp2Fma(warpSum(logDecay));
      mbarrierWait(barriers.inputEmpty.at(ring.stage), ring.parity ^ 1);
      storeShared(gates + i32(lane * 2), weight);
      storeShared(gates + i32(chunk), decay, lane == 0);
      syncWarp();
      if (lane == 0)
        mbarrierArrive(barriers.inputFull.at(ring.stage));
    }
}

SLUICE_DEVICE void makeScores(const Barriers &barriers, const Work &work) {
  Ring<inputStages> input;
  Ring<scoreStages> output;
  for (i32 item = i32(blockIndex()); item < work.items; item += i32(gridBlocks()))
    for (i32 n = 0; n < work.chunks; ++n, input.next(), output.next()) {
      const u32 lane = opaque(laneIndex()), row0 = warpIndex() % 4 * 16;
      const u32 at = input.stage * inputBytes;
      const Shared<bf16> tile = sharedMemory<bf16>(scoresAt + output.stage * tileBytes);
      WgmmaAccumulator<64> scores;
      mbarrierWait(barriers.inputFull.at(input.stage), input.parity);
      wgmmaFence();
      unrolled<8>([&](auto k) {
        wgmma<Major::k, Major::k>(scores, rowsDescriptor(at + queriesAt).advance(keyStep(k)),
                                  rowsDescriptor(at + keysAt).advance(keyStep(k)), k > 0);
      });
      wgmmaCommit();
      wgmmaWait<0>(scores);
      if (lane == 0)
        mbarrierArrive(barriers.inputEmpty.at(input.stage));
      unrolled<32>([&](auto i) { // lower: the column is at most the row
        const u32 row = row0 + lane / 4 + i / 2 % 2 * 8, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
        scores.r(i) = column <= row ? scores.r(i) : 0.f;
      });
      mbarrierWait(barriers.scoresEmpty.at(output.stage), output.parity ^ 1);
      unrolled<4>([&](auto k) {
        LdRegisters<4> block;
        pack(block, scores, k);
        stmatrix<4>(pieceAt(tile, row0 + lane % 16, k * 2 + lane / 16), block);
      });
      fenceProxyAsyncShared();
      syncWarp();
      if (lane == 0)
        mbarrierArrive(barriers.scoresFull.at(output.stage));
    }
}

/// U^T = w (V^T - (K S)^T) as the left operand, 16 rows of V^T at a time from the warp's columns of V.
SLUICE_DEVICE void makeUpdates(WgmmaA<bf16> (&u)[4], WgmmaAccumulator<64> &read, Shared<f32> gates,
                               Shared<bf16> values, u32 lane) {
  unrolled<4>([&](auto k) {
    const auto v = ldmatrix<4, true>(
        pieceAt(values, k * 16 + lane / 16 * 8 + lane % 8, warpIndex() % 4 * 2 + lane / 8 % 2));
    constexpr int first = k * 2; // of the two blocks of 8 tokens
    unrolled<2>([&](auto block) {
      const auto weight = loadShared<2>(gates + i32((first + block) * 8 + lane % 4 * 2));
      constexpr int firstPiece = block * 2;
      unrolled<2>([&](auto half) { // rows 0 to 7 and 8 to 15 of V^T
        constexpr int piece = firstPiece + half, at = (first * 2 + piece) * 2;
        const f32 low = weight(0) * (unpackLowBf16(v.r(piece)) - read.r(at));
        const f32 high = weight(1) * (unpackHighBf16(v.r(piece)) - read.r(at + 1));
        u[k].r(piece) = packBf16(low, high);
      });
    });
  });
}

/// O^T of a chunk: accumulators -> tile, transposed on the way -> TMA store. Of the stores, the latest may
/// still be reading: it has the other tile.
SLUICE_DEVICE void storeOutput(const TensorMap &target, WgmmaAccumulator<64> &sum, u32 at, u32 lane,
                               i32 value, i32 token, i32 sequence) {
  const Shared<bf16> tile = sharedMemory<bf16>(at);
  const bool leader = threadIndex() % 128 == 0;
  if (leader)
    bulkWaitRead<outputStages - 1>();
  barrierSync(stateBarrier, 128);
  unrolled<4>([&](auto k) {
    LdRegisters<4> block;
    pack(block, sum, k);
    stmatrix<4, true>(pieceAt(tile, k * 16 + lane / 16 * 8 + lane % 8, warpIndex() % 4 * 2 + lane / 8 % 2),
                      block);
  });
  fenceProxyAsyncShared();
  barrierSync(stateBarrier, 128);
  if (leader) {
    tensorStore(target, tile, value, token, sequence);
    bulkCommit();
  }
}

SLUICE_DEVICE void storeState(Global<f32> target, WgmmaAccumulator<128> &state, const Work &work, i32 item) {
  const u32 lane = laneIndex();
  const auto storePair = [&](u32 column, u32 row, f32 even, f32 odd) {
    const i64 key = column + lane % 4 * 2;
    const i64 value = work.firstValue(item) + warpIndex() % 4 * 16 + row + lane / 4;
    const Global<f32> at = target + ((work.sequence(item) * i64(keySize) + key) * work.values + value);
    storeGlobal(at, even, value < work.values);
    storeGlobal(at + work.values, odd, value < work.values);
  };
  unrolled<keySize / 8>([&](auto block) {
    storePair(block * 8, 0, state.r(Constant<block * 4>{}), state.r(Constant<block * 4 + 1>{}));
    storePair(block * 8, 8, state.r(Constant<block * 4 + 2>{}), state.r(Constant<block * 4 + 3>{}));
  });
}

SLUICE_DEVICE void advanceState(const Barriers &barriers, const TensorMap &target, Global<f32> finalState,
                                const Work &work) {
  Ring<inputStages> input;
  Ring<scoreStages> ring;
  for (i32 item = i32(blockIndex()); item < work.items; item += i32(gridBlocks())) {
    WgmmaAccumulator<128> state;
    state.fill(0);
    for (i32 n = 0; n < work.chunks; ++n, input.next(), ring.next()) {
      const u32 lane = opaque(laneIndex()), at = input.stage * inputBytes;
      const Shared<f32> gates = sharedMemory<f32>(gatesAt + input.stage * gatesBytes);
      WgmmaA<bf16> s[8], u[4];
      WgmmaAccumulator<64> read, out;
      unrolled<8>([&](auto k) { pack(s[k], state, k); });
      mbarrierWait(barriers.inputFull.at(input.stage), input.parity);
      const f32 decay = loadShared(gates + i32(chunk));
      unrolled<64>([&](auto i) { state.r(i) *= decay; });
      wgmmaFence();
      unrolled<8>([&](auto k) {
        wgmma<Major::k>(read, s[k], rowsDescriptor(at + keysAt).advance(keyStep(k)), k > 0);
      });
      wgmmaCommit();
      unrolled<8>([&](auto k) {
        wgmma<Major::k>(out, s[k], rowsDescriptor(at + queriesAt).advance(keyStep(k)), k > 0);
      });
      wgmmaCommit();
      wgmmaWait<1>(read);
      makeUpdates(u, read, gates, sharedMemory<bf16>(at + valuesAt), lane);
      mbarrierWait(barriers.scoresFull.at(ring.stage), ring.parity);
      wgmmaFence();
      unrolled<4>([&](auto k) {
        wgmma<Major::mn>(state, u[k], transposedDescriptor(at + keysAt).advance(k * 16 * 128), true);
      });
      wgmmaCommit();
      unrolled<4>([&](auto k) {
        wgmma<Major::k>(out, u[k], rowsDescriptor(scoresAt + ring.stage * tileBytes).advance(k * 32), true);
      });
      wgmmaCommit();
      wgmmaWait<1>(state);
      syncWarp(); // the other lanes have read their weights
      if (lane == 0)
        mbarrierArrive(barriers.inputEmpty.at(input.stage));
      wgmmaWait<0>(out);
      if (lane == 0)
        mbarrierArrive(barriers.scoresEmpty.at(ring.stage));
      storeOutput(target, out, outputsAt + ring.stage * tileBytes, lane, work.firstValue(item),
                  n * i32(chunk), work.sequence(item));
    }
    storeState(finalState, state, work, item);
  }
  if (threadIndex() % 128 == 0)
    bulkWaitRead<0>(); // shared memory lives until the last store has read it
}

} // namespace

SLUICE_KERNEL(chunk_scan, 384)
(SLUICE_TENSOR_MAP(keys), SLUICE_TENSOR_MAP(queries), SLUICE_TENSOR_MAP(values), SLUICE_TENSOR_MAP(target),
 Global<const f32> weights, Global<const f32> logDecays, Global<f32> finalState, i64 sequences, i64 tokens,
 i64 valueSize) {
  const Mbarrier first(sharedMemory<u64>(barriersAt));
  const Barriers barriers = {first, first.at(inputStages), first.at(2 * inputStages),
                             first.at(2 * inputStages + scoreStages)};
  const i32 slices = i32((valueSize + 63) / 64);
  const Work work = {tokens, valueSize, i32((tokens + chunk - 1) / chunk), slices, i32(sequences) * slices};
  if (threadIndex() == 0) {
    for (u32 stage = 0; stage < inputStages; ++stage) {
      mbarrierInit(barriers.inputFull.at(stage), 2);  // TMA, gates
      mbarrierInit(barriers.inputEmpty.at(stage), 8); // the warps of scores and state
    }
    for (u32 stage = 0; stage < scoreStages; ++stage) {
      mbarrierInit(barriers.scoresFull.at(stage), 4);
      mbarrierInit(barriers.scoresEmpty.at(stage), 4);
    }
    mbarrierFenceInit();
  }
  syncThreads();

  const u32 warp = warpUniform(warpIndex());
  if (warp < 4) {
    decreaseRegisters<40>();
    if (threadIndex() == 0)
      loadTiles(barriers, keys, queries, values, work);
    else if (warp == 1)
      loadGates(barriers, weights, logDecays, work);
  } else if (warp < 8) {
    makeScores(barriers, work);
  } else {
    increaseRegisters<240>();
    advanceState(barriers, target, finalState, work);
  }
}
SLUICE_EXPORT(chunk_scan)
