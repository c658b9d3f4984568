// Random well-formed token programs: any number and order of decays, reads, writes and forks, writes affine
// in reads, arithmetic that does not touch the state. The same seed gives the same program everywhere.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::test {

struct GeneratedProgram {
  std::string text;      ///< One recurrence, @random; its arguments say how to draw them.
  bool chunkable = true; ///< Otherwise a step on the trunk has no chunk form.
};

/// Programs are stable: coefficients of reads stay below 1, gates at or below 0.
GeneratedProgram generateProgram(uint64_t seed);

} // namespace sluice::test
