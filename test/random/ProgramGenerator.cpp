// Random token programs as text. Values are drawn from pools by kind; each step adds to the pools.

#include "test/random/ProgramGenerator.h"

#include <random>
#include <vector>

namespace sluice::test {

namespace {

using Names = std::vector<std::string>;

class Generator {
public:
  explicit Generator(uint64_t seed) : random(seed) {}

  GeneratedProgram take() {
    drawArguments();
    states.push_back("%state");
    trunk = "%state";
    for (int64_t i = upTo(4); i > 0; --i)
      growPools();
    bool oneIsOdd = upTo(7) == 0;
    int64_t count = 2 + upTo(6), oddStep = upTo(count - 1);
    for (int64_t i = 0; i < count; ++i) {
      if (oneIsOdd && i == oddStep)
        addOddStep();
      else
        addStep();
      if (upTo(1))
        growPools();
    }
    if (reads.empty())
      addRead();
    std::string end = results();
    return {header() + body + end, chunkable};
  }

private:
  //===--------------------------------------------------------------------===//
  // Choices
  //===--------------------------------------------------------------------===//

  /// 0 to `last`, alike on every standard library.
  int64_t upTo(int64_t last) { return static_cast<int64_t>(random() % static_cast<uint64_t>(last + 1)); }
  const std::string &pick(const Names &names) { return names[upTo(names.size() - 1)]; }

  /// Appends "%name = recur.TEXT" and answers the name.
  std::string emit(const std::string &text) {
    std::string name = "%x" + std::to_string(counter++);
    body += "  " + name + " = " + text + "\n";
    return name;
  }
  std::string unary(const char *op, const std::string &x, const char *type) {
    return emit("recur." + std::string(op) + " " + x + " : " + type);
  }
  std::string binary(const char *op, const std::string &x, const std::string &y, const char *type) {
    return emit("recur." + std::string(op) + " " + x + ", " + y + " : " + type);
  }
  std::string scale(const std::string &x, const std::string &by, const char *type) {
    return emit("recur.scale " + x + " by " + by + " : " + type);
  }
  std::string constant(const char *number, const char *type) {
    return emit("recur.constant " + std::string(number) + " : " + type);
  }

  //===--------------------------------------------------------------------===//
  // Arguments
  //===--------------------------------------------------------------------===//

  void addArgument(const std::string &name, const char *type, const char *draw, bool perHead, Names &pool) {
    arguments += (arguments.empty() ? "%" : ",\n    %") + name + ": " + type + " {recur.draw = \"" + draw +
                 "\"" + (perHead ? ", recur.per_head}" : "}");
    pool.push_back("%" + name);
  }

  void addArguments(const std::string &prefix, int64_t count, const char *type, const char *draw,
                    Names &pool) {
    for (int64_t i = 0; i < count; ++i)
      addArgument(prefix + std::to_string(i), type, draw, false, pool);
    // Gates stay below 0 and shares from 0 to 1, per head too.
    bool bounded = draw == std::string("gate") || draw == std::string("sigmoid");
    if (upTo(3) == 0)
      addArgument(prefix + "_head", type, bounded ? draw : "constant", true, pool);
  }

  void drawArguments() {
    addArguments("k", 1 + upTo(3), key, "unit", keys);
    addArguments("v", 1 + upTo(2), value, "normal", values);
    addArguments("s", 1 + upTo(2), scalar, "sigmoid", shares);
    addArguments("g", upTo(2), scalar, "gate", scalarGates);
    addArguments("h", upTo(2), key, "gate", keyGates);
  }

  //===--------------------------------------------------------------------===//
  // Arithmetic that does not touch the state
  //===--------------------------------------------------------------------===//

  void growPools() {
    switch (upTo(4)) {
    case 0:
      keys.push_back(newKey());
      return;
    case 1:
      values.push_back(newValue());
      return;
    case 2:
      shares.push_back(newShare());
      return;
    case 3:
      scalarGates.push_back(newScalarGate());
      return;
    default:
      keyGates.push_back(newKeyGate());
      return;
    }
  }

  /// A key of about unit norm or less.
  std::string newKey() {
    switch (upTo(7)) {
    case 0:
      return unary("normalize", binary("add", pick(keys), pick(keys), key), key);
    case 1:
      return scale(pick(keys), pick(shares), key);
    case 2:
      return unary("silu", pick(keys), key);
    case 3:
      return unary("neg", pick(keys), key);
    case 4:
      return binary("mul", pick(keys), constant("0.75", key), key);
    case 5:
      return binary("max", pick(keys), pick(keys), key);
    case 6:
      return unary("tanh", pick(keys), key);
    default:
      return unary("normalize", binary("sub", pick(keys), constant("0.1", key), key), key);
    }
  }

  std::string newValue() {
    switch (upTo(6)) {
    case 0:
      return binary("add", pick(values), pick(values), value);
    case 1:
      return scale(pick(values), pick(shares), value);
    case 2:
      return binary("mul", pick(values), unary("sigmoid", pick(values), value), value);
    case 3:
      return unary("silu", pick(values), value);
    case 4:
      return unary("abs", pick(values), value);
    case 5:
      return emit("recur.broadcast " + pick(shares) + " : f32 to !recur.value");
    default:
      return binary("div", pick(values), constant("2.0", value), value);
    }
  }

  /// A scalar from 0 to 1.
  std::string newShare() {
    switch (upTo(6)) {
    case 0:
      return emit("arith.mulf " + pick(shares) + ", " + pick(shares) + " : f32");
    case 1:
      return emit("arith.subf " + constant("1.0", scalar) + ", " + pick(shares) + " : f32");
    case 2:
      return unary("sigmoid", emit("recur.dot " + pick(keys) + ", " + pick(keys) + " : !recur.key"), scalar);
    case 3:
      return unary("sigmoid", emit("recur.sum " + pick(values) + " : !recur.value"), scalar);
    case 4:
      return binary("max", pick(shares), pick(shares), scalar);
    case 5: {
      std::string positive = emit("arith.addf " + pick(shares) + ", " + constant("0.01", scalar) + " : f32");
      return emit("math.sqrt " + positive + " : f32");
    }
    default:
      return unary("exp", newScalarGate(), scalar);
    }
  }

  std::string newScalarGate() {
    switch (upTo(scalarGates.empty() ? 1 : 4)) {
    case 0:
      return unary("neg", unary("softplus", pick(shares), scalar), scalar);
    case 1:
      return unary("log_sigmoid", pick(shares), scalar);
    case 2:
      return binary("add", pick(scalarGates), pick(scalarGates), scalar);
    case 3:
      return emit("arith.mulf " + pick(scalarGates) + ", " + pick(shares) + " : f32");
    default:
      return binary("max", pick(scalarGates), pick(scalarGates), scalar);
    }
  }

  std::string newKeyGate() {
    switch (upTo(keyGates.empty() ? 1 : 4)) {
    case 0:
      return unary("log_sigmoid", pick(keys), key);
    case 1:
      return emit("recur.broadcast " + newScalarGate() + " : f32 to !recur.key");
    case 2:
      return binary("add", pick(keyGates), pick(keyGates), key);
    case 3:
      return scale(pick(keyGates), pick(shares), key);
    default:
      return binary("min", pick(keyGates), pick(keyGates), key);
    }
  }

  //===--------------------------------------------------------------------===//
  // Steps
  //===--------------------------------------------------------------------===//

  void addStep() {
    switch (upTo(7)) {
    case 0:
    case 1:
      return advance(decay(trunk));
    case 2:
    case 3:
      return addRead();
    case 4:
      return advance(write(trunk, pick(values)));
    case 5:
    case 6:
      return advance(write(trunk, affine()));
    default:
      return addFork();
    }
  }

  void advance(const std::string &next) {
    trunk = next;
    states.push_back(next);
  }

  void addRead() {
    const std::string &from = upTo(2) ? trunk : pick(states);
    reads.push_back(emit("recur.read " + from + " at " + pick(keys)));
  }

  /// A version that the next state does not descend from, and a read of it.
  void addFork() {
    std::string from = pick(states);
    for (int64_t i = upTo(2); i >= 0; --i)
      from = upTo(1) ? decay(from) : write(from, upTo(1) ? affine() : pick(values));
    states.push_back(from);
    reads.push_back(emit("recur.read " + from + " at " + pick(keys)));
  }

  std::string decay(const std::string &state) {
    bool channels = upTo(1);
    if (channels ? keyGates.empty() : scalarGates.empty())
      (channels ? keyGates : scalarGates).push_back(channels ? newKeyGate() : newScalarGate());
    std::string gate = channels ? pick(keyGates) + " : !recur.key" : pick(scalarGates) + " : f32";
    return emit("recur.decay " + state + " by " + gate);
  }

  std::string write(const std::string &state, const std::string &what) {
    return emit("recur.write " + what + " at " + pick(keys) + " into " + state);
  }

  /// p + sum of c r over a few reads r, with |c| at most 1/2; also becomes a value that reads decide.
  std::string affine() {
    if (reads.empty())
      addRead();
    std::string sum = pick(values);
    for (int64_t i = upTo(2); i >= 0; --i) {
      std::string term = newTerm();
      sum = binary(upTo(1) ? "add" : "sub", sum, term, value);
    }
    if (upTo(1))
      reads.push_back(sum);
    return sum;
  }

  std::string newTerm() {
    std::string half = constant("0.5", scalar);
    switch (upTo(3)) {
    case 0:
      return scale(pick(reads), emit("arith.mulf " + half + ", " + pick(shares) + " : f32"), value);
    case 1:
      return binary("mul", pick(reads), constant("-0.3", value), value);
    case 2:
      return scale(unary("neg", pick(reads), value), half, value);
    default:
      return binary("div", pick(reads), constant("3.0", value), value);
    }
  }

  /// A step that only the recurrent form knows.
  void addOddStep() {
    if (reads.empty())
      addRead();
    chunkable = false;
    std::string third = constant("0.3", scalar);
    switch (upTo(4)) {
    case 0:
      return advance(write(trunk, scale(unary("tanh", pick(reads), value), third, value)));
    case 1: {
      std::string gated = binary("mul", pick(reads), unary("sigmoid", pick(values), value), value);
      return advance(write(trunk, scale(gated, third, value)));
    }
    case 2:
      return advance(
          emit("recur.decay_values " + trunk + " by " + unary("log_sigmoid", pick(values), value)));
    case 3: {
      std::string rows = emit("recur.broadcast " + pick(keys) + " : !recur.key to !recur.matrix");
      std::string columns = emit("recur.broadcast " + pick(values) + " : !recur.value to !recur.matrix");
      std::string gates = unary("log_sigmoid", binary("add", rows, columns, matrix), matrix);
      return advance(emit("recur.decay_entries " + trunk + " by " + gates));
    }
    default: {
      std::string size = emit("recur.sum " + pick(reads) + " : !recur.value");
      std::string weak = emit("arith.mulf " + size + ", " + constant("0.05", scalar) + " : f32");
      std::string bounded = unary("tanh", weak, scalar);
      std::string at = scale(pick(keys), bounded, key);
      return advance(emit("recur.write " + pick(values) + " at " + at + " into " + trunk));
    }
    }
  }

  //===--------------------------------------------------------------------===//
  // Results
  //===--------------------------------------------------------------------===//

  std::string results() {
    std::string names = "%o", types = value;
    body += "  %o = " + valueResult() + "\n";
    if (upTo(3) == 0) {
      body += "  %p = recur.dot " + pick(reads) + ", " + pick(values) + " : !recur.value\n";
      names += ", %p";
      types += std::string(", ") + scalar;
    }
    if (upTo(3) == 0) {
      std::string size = unary("sigmoid", emit("recur.sum " + pick(reads) + " : !recur.value"), scalar);
      body += "  %r = recur.scale " + pick(keys) + " by " + size + " : !recur.key\n";
      names += ", %r";
      types += std::string(", ") + key;
    }
    resultTypes = types;
    return "  recur.yield " + names + ", " + trunk + " : " + types + "\n}\n";
  }

  std::string valueResult() {
    const std::string &read = reads.back();
    switch (upTo(4)) {
    case 0:
      return "recur.add " + read + ", " + pick(values) + " : !recur.value";
    case 1:
      return "recur.mul " + read + ", " + unary("silu", pick(values), value) + " : !recur.value";
    case 2:
      return "recur.normalize " + read + " {epsilon = 0.1 : f32} : !recur.value";
    case 3:
      return "recur.add " + read + ", " + unary("tanh", pick(reads), value) + " : !recur.value";
    default:
      return "recur.scale " + read + " by " + pick(shares) + " : !recur.value";
    }
  }

  std::string header() const {
    return "recur.recurrence @random(" + arguments + ")\n    state(%state: !recur.state) -> (" + resultTypes +
           ") {\n";
  }

  std::mt19937_64 random;
  int64_t counter = 0;
  std::string arguments, body, trunk, resultTypes;
  Names keys, values, shares, scalarGates, keyGates; ///< What no read decides.
  Names reads;                                       ///< Values that are affine in reads.
  Names states;
  bool chunkable = true;

  static constexpr const char *key = "!recur.key", *value = "!recur.value", *scalar = "f32",
                              *matrix = "!recur.matrix";
};

} // namespace

GeneratedProgram generateProgram(uint64_t seed) { return Generator(seed).take(); }

} // namespace sluice::test
