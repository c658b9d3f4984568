// Scores with a decay per key channel, and their adjoint.
//
// The chunk is cut into blocks of 16 tokens. A pair (t, s) of different blocks I > J decays by
//   (from the start of I to t) * (the blocks between) * (after s to the end of J),
// three factors that are at most 1, so that such pairs become products of matrices that cannot overflow.
// Within a block the decay of each pair is a running product. Factors are products of e^g, one exponential
// per gate.
#pragma once

#include "codegen/cpu/kernels/Code.h"

namespace sluice::cpu {

struct Scores {
  bool between = false;  ///< The decays of token t itself do not count.
  bool diagonal = false; ///< Pairs (t, t) belong to the result.
};

/// What both kernels need of the gates, in scratch: `factors` e^g; `entering`[t], from the start of t's block
/// to t; `leaving`[s], after s to the end of its block (all C x K); `whole`, one row per block.
struct BlockDecays {
  mlir::Value factors, entering, leaving, whole;
};
/// Matrices by which `entering` and `leaving` are multiplied as they are written, if not null.
struct Scaled {
  mlir::Value x, k;
};
void emitBlockDecays(Code &code, mlir::Value g, const BlockDecays &decays, bool between, Scaled scaled = {});

struct ScoresBuffers {
  mlir::Value x, k, g, l;
  mlir::Value sums;        ///< 256 x 16: of each pair of a block, over the channels of a lane
  mlir::Value decayedKeys; ///< K x C: k times its decay up to the block at work, transposed
  BlockDecays decays;
};
void emitDecayedScores(Code &code, const ScoresBuffers &buffers, Scores scores);

struct ScoresAdjointBuffers {
  mlir::Value x, k, g, dl, dx, dk, dg;
  mlir::Value decayed;        ///< C x K
  mlir::Value gatedX, gatedK; ///< C x K: the parts of dx and dk from pairs that a gate lies between
  mlir::Value apart;          ///< C x C, span between only: dl without the pairs of neighbours
  BlockDecays decays;
};
void emitDecayedScoresAdjoint(Code &code, const ScoresAdjointBuffers &buffers, Scores scores);

} // namespace sluice::cpu
