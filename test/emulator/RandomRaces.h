// The test that both kinds of random programs go through: the checker finds a race exactly in the programs of
// which an oracle says so, whatever the seed of the run.
#pragma once

#include "runtime/emulator/Emulator.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace sluice::emulator {

/// What a program is given as: initialised words of device memory.
inline Memory wordsInMemory(const std::vector<uint32_t> &words) {
  Memory memory(words.size() * 4, "program");
  std::memcpy(memory.data(), words.data(), words.size() * 4);
  memory.markWritten();
  return memory;
}

/// `makeProgram()` draws a program, `hasRace(program)` judges it, `run(program, seed)` executes it with the
/// checker, and `textOf(program)` shows it if the two disagree.
template <class MakeProgram, class HasRace, class Run, class TextOf>
void expectRacesWhereTheOracleSaysSo(MakeProgram makeProgram, HasRace hasRace, Run run, TextOf textOf) {
  unsigned races = 0, programs = 0;
  for (; programs < 150; ++programs) {
    const auto program = makeProgram();
    const bool expected = hasRace(program);
    races += expected;
    for (uint64_t seed = 1; seed <= 2; ++seed) {
      const Result result = run(program, seed);
      std::string reports;
      for (const Report &report : result.reports) {
        EXPECT_EQ(report.kind, "race") << report.text();
        reports += "\n  " + report.text();
      }
      ASSERT_EQ(result.clean(), !expected)
          << "program " << programs << " seed " << seed << reports << textOf(program);
    }
  }
  // Neither answer is the only one.
  EXPECT_GT(races, programs / 20);
  EXPECT_LT(races, programs - programs / 20);
}

} // namespace sluice::emulator
