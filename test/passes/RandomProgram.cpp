// Grows a token program op by op from pools of values of each kind.

#include "test/passes/RandomProgram.h"

#include <algorithm>
#include <random>
#include <vector>

using sluice::test::writeRandomProgram;

namespace {

class ProgramWriter {
public:
  explicit ProgramWriter(unsigned seed) : random(seed) {}

  std::string write() {
    declareArguments();
    for (int count = pick(2, 6); count > 0; --count)
      addArithmetic();
    bool written = false;
    for (int count = pick(2, 7); count > 0 || !written; --count)
      written |= addStep();
    addResults();
    return "recur.recurrence @random(" + signature + ")\n    state(%s: !recur.state) -> (" + resultTypes +
           ") {\n" + body + "}\n";
  }

private:
  using Pool = std::vector<std::string>;

  //===--- Randomness and text --------------------------------------------===//

  int pick(int first, int last) { return std::uniform_int_distribution(first, last)(random); }
  bool chance(double p) { return std::bernoulli_distribution(p)(random); }
  const std::string &pick(const Pool &pool) { return pool[pick(0, int(pool.size()) - 1)]; }

  std::string emit(const std::string &text) {
    std::string name = "%x" + std::to_string(count++);
    body += "  " + name + " = recur." + text + "\n";
    return name;
  }

  void declare(Pool &pool, const std::string &name, const std::string &type, bool perHead = false) {
    if (!signature.empty())
      signature += ", ";
    signature += "%" + name + ": " + type + (perHead ? " {recur.per_head}" : "");
    pool.push_back("%" + name);
  }

  void declareArguments() {
    declare(keys, "k", "!recur.key");
    declare(keys, "q", "!recur.key");
    declare(values, "v", "!recur.value");
    declare(scalars, "a", "f32");
    if (chance(0.5))
      declare(keys, "ck", "!recur.key", true);
    if (chance(0.5))
      declare(values, "cv", "!recur.value", true);
    if (chance(0.5))
      declare(scalars, "c", "f32", true);
    declare(gates, "g", "f32", chance(0.2));
    if (chance(0.6))
      declare(channelGates, "gk", "!recur.key", chance(0.2));
  }

  //===--- State-free arithmetic ------------------------------------------===//

  void addArithmetic() {
    switch (pick(0, 2)) {
    case 0:
      return scalars.push_back(makeScalar());
    case 1:
      return keys.push_back(makeKey());
    default:
      return values.push_back(makeValue(values));
    }
  }

  std::string makeScalar() {
    std::string x = pick(scalars), y = pick(scalars);
    switch (pick(0, 5)) {
    case 0:
      return emit("dot " + pick(keys) + ", " + pick(keys) + " : !recur.key");
    case 1:
      return emit("mul " + x + ", " + y + " : f32");
    case 2:
      return emit("sub " + x + ", " + y + " : f32");
    case 3:
      return emit(pick(Pool{"sigmoid ", "tanh ", "silu ", "neg ", "abs "}) + x + " : f32");
    case 4:
      return emit("max " + x + ", " + y + " : f32");
    default:
      return emit("constant 0.25 : f32");
    }
  }

  std::string makeKey() {
    std::string x = pick(keys), y = pick(keys);
    switch (pick(0, 5)) {
    case 0:
      return emit("add " + x + ", " + y + " : !recur.key");
    case 1:
      return emit("mul " + x + ", " + y + " : !recur.key");
    case 2:
      return emit("scale " + x + " by " + pick(scalars) + " : !recur.key");
    case 3:
      return emit(pick(Pool{"sigmoid ", "tanh ", "silu ", "softplus ", "expm1 "}) + x + " : !recur.key");
    case 4:
      return emit("broadcast " + pick(scalars) + " : f32 to !recur.key");
    default:
      return emit("normalize " + x + " : !recur.key");
    }
  }

  std::string makeValue(const Pool &pool) {
    std::string x = pick(pool), y = pick(pool);
    switch (pick(0, 5)) {
    case 0:
      return emit("add " + x + ", " + y + " : !recur.value");
    case 1:
      return emit("sub " + x + ", " + y + " : !recur.value");
    case 2:
      return emit("scale " + x + " by " + pick(scalars) + " : !recur.value");
    case 3:
      return emit(pick(Pool{"sigmoid ", "tanh ", "silu "}) + x + " : !recur.value");
    case 4:
      return emit("mul " + x + ", " + y + " : !recur.value");
    default:
      return emit("normalize " + x + " : !recur.value");
    }
  }

  //===--- Steps on the state ---------------------------------------------===//

  /// A key of at most unit length.
  std::string unitKey() { return emit("normalize " + pick(keys) + " : !recur.key"); }

  /// A coefficient between -1 and 1.
  std::string coefficient() {
    std::string x = pick(scalars);
    return chance(0.5) ? emit("tanh " + x + " : f32") : emit("sigmoid " + x + " : f32");
  }

  /// Adds one step; true if it is a write.
  bool addStep() {
    switch (pick(0, 7)) {
    case 0:
      state = emit("decay " + state + " by " + pick(gates) + " : f32");
      return false;
    case 1:
      addChannelDecay();
      return false;
    case 2:
    case 3:
      reads.push_back(emit("read " + state + " at " + unitKey()));
      return false;
    case 4:
      addFork();
      return false;
    case 5:
      return addWrite(pick(values));
    default:
      return addWrite(reads.empty() ? pick(values) : makeWritten());
    }
  }

  void addChannelDecay() {
    if (!channelGates.empty())
      state = emit("decay " + state + " by " + pick(channelGates) + " : !recur.key");
    else if (chance(0.2)) {
      std::string gate = emit("log_sigmoid " + pick(values) + " : !recur.value");
      state = emit("decay_values " + state + " by " + gate);
    }
  }

  bool addWrite(const std::string &value) {
    state = emit("write " + value + " at " + unitKey() + " into " + state);
    return true;
  }

  /// A version of the state that is read but not yielded.
  void addFork() {
    std::string fork = state;
    if (chance(0.7))
      fork = emit("write " + pick(values) + " at " + unitKey() + " into " + fork);
    if (chance(0.5))
      fork = emit("decay " + fork + " by " + pick(gates) + " : f32");
    reads.push_back(emit("read " + fork + " at " + unitKey()));
  }

  /// Affine in reads, or rarely not.
  std::string makeWritten() {
    if (chance(0.08))
      return emit("tanh " + pick(reads) + " : !recur.value");
    std::string sum = pick(values);
    for (int terms = pick(1, 2); terms > 0; --terms) {
      std::string term = emit("scale " + pick(reads) + " by " + coefficient() + " : !recur.value");
      sum = emit(pick(Pool{"add ", "sub "}) + sum + ", " + term + " : !recur.value");
    }
    return chance(0.5) ? emit("scale " + sum + " by " + coefficient() + " : !recur.value") : sum;
  }

  //===--- Results --------------------------------------------------------===//

  void addResults() {
    reads.push_back(emit("read " + state + " at " + unitKey()));
    Pool pool = values, results;
    pool.insert(pool.end(), reads.begin(), reads.end());
    results.push_back(reads.back());
    resultTypes = "!recur.value";
    if (chance(0.7)) {
      results.push_back(makeValue(pool));
      resultTypes += ", !recur.value";
    }
    if (chance(0.3)) {
      results.push_back(emit("dot " + pick(reads) + ", " + pick(pool) + " : !recur.value"));
      resultTypes += ", f32";
    }
    std::string list, names;
    for (const std::string &result : results) {
      list += result + ", ";
      names += (names.empty() ? "\"o" : ", \"o") + std::to_string(names.size()) + "\"";
    }
    body += "  recur.yield " + list + state + " as [" + names + "] : " + resultTypes + "\n";
  }

  std::mt19937 random;
  std::string signature, body, resultTypes, state = "%s";
  Pool keys, values, scalars, gates, channelGates, reads;
  int count = 0;
};

} // namespace

std::string sluice::test::writeRandomProgram(unsigned seed) { return ProgramWriter(seed).write(); }
