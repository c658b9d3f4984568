// The table of mixers.

#include "models/mixers/Mixer.h"

#include "runtime/Error.h"

#include <map>

namespace sluice::models {
namespace {

using Factory = std::unique_ptr<Mixer> (*)(const Config &, Parameters &, const std::string &);

const std::map<std::string, Factory> &mixers() {
  static const std::map<std::string, Factory> table = {
      {"gated_delta_net", makeGatedDeltaNet},
      {"sliding_window_attention", makeSlidingWindowAttention},
  };
  return table;
}

} // namespace

std::vector<std::string> mixerNames() {
  std::vector<std::string> names;
  for (const auto &[name, factory] : mixers())
    names.push_back(name);
  return names;
}

std::unique_ptr<Mixer> makeMixer(const std::string &name, const Config &config, Parameters &parameters,
                                 const std::string &prefix) {
  auto found = mixers().find(name);
  if (found == mixers().end())
    throw UserError("expected a known mixer, got '" + name + "'");
  return found->second(config, parameters, prefix);
}

} // namespace sluice::models
