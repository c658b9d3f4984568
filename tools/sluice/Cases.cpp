// Cases that kernels of linear recurrences are known to fail on.
#include "tools/sluice/Cases.h"

#include <algorithm>
#include <limits>

namespace sluice {

namespace {

class CaseList {
public:
  CaseList(const RecurrenceInfo &info, const Problem &problem) : info(info), problem(problem) {}

  std::vector<Case> build() {
    add("random", problem, {});
    addLengths();
    addHeadGroups();
    addStates();
    if (draws("gate"))
      addGates();
    if (draws("unit"))
      addKeys();
    return std::move(cases);
  }

private:
  void add(const std::string &name, const Problem &sizes, const Variation &variation,
           bool hard = false) {
    cases.push_back({name, sizes, variation, hard});
    cases.back().problem.seed = problem.seed + cases.size();
  }

  bool draws(const std::string &way) const {
    return std::any_of(info.arguments.begin(), info.arguments.end(),
                       [&](const TensorSpec &spec) { return spec.draw == way; });
  }

  void addLengths() {
    Problem one = problem;
    one.batch = 1;
    for (int64_t tokens : {0, 1, 15, 63, 64, 65, 1000}) {
      one.tokens = tokens;
      add(std::to_string(tokens) + (tokens == 1 ? " token" : " tokens"), one, {});
    }
  }

  void addHeadGroups() {
    Problem groups = problem;
    groups.batch = 1;
    groups.valueHeads = 4 * problem.keyHeads;
    add("head groups", groups, {});
    Variation variation;
    variation.gatesOnValueHeads = true;
    for (const TensorSpec &spec : info.arguments)
      if (spec.kind == Kind::key && spec.gate && !spec.perHead)
        return add("head groups, own gates", groups, variation);
  }

  void addStates() {
    Variation variation;
    variation.states = true;
    add("initial state", problem, variation);
    Problem packed = problem;
    packed.batch = 1;
    variation.lengths = {problem.tokens / 3, 0, 1, problem.tokens};
    packed.tokens = problem.tokens / 3 + 1 + problem.tokens;
    add("packed sequences", packed, variation);
  }

  void addGates() {
    for (auto [name, scale] : {std::pair("gates x 0.01", 0.01), std::pair("gates x 0.1", 0.1),
                               std::pair("gates x 10", 10.0)}) {
      Variation variation;
      variation.gateScale = scale;
      add(name, problem, variation);
    }
    Variation zero;
    zero.zeroGates = true;
    add("gates 0", problem, zero);
    double infinity = std::numeric_limits<double>::infinity();
    for (auto [name, gate] : {std::pair("single gates -80", -80.0), std::pair("single gates -1e3", -1e3),
                              std::pair("single gates -1e4", -1e4), std::pair("resets (-inf)", -infinity)}) {
      Variation variation;
      variation.strongGate = gate;
      variation.states = true;
      add(name, problem, variation);
    }
  }

  void addKeys() {
    Variation positive;
    positive.keys = Keys::positive;
    add("positive keys", problem, positive);
    if (!draws("sigmoid"))
      return;
    Variation correlated;
    correlated.keys = Keys::correlated;
    correlated.scalars = 1.9;
    correlated.zeroGates = true;
    add("cosine 0.99, scalars 1.9", problem, correlated, true);
  }

  const RecurrenceInfo &info;
  const Problem &problem;
  std::vector<Case> cases;
};

} // namespace

std::vector<Case> casesFor(const RecurrenceInfo &info, const Problem &problem) {
  return CaseList(info, problem).build();
}

} // namespace sluice
