// A launch in the driver's terms.
#pragma once

#include "runtime/LaunchRecord.h"
#include "runtime/cuda/Api.h"

namespace sluice::cuda {

inline int64_t clusterBlocks(const BoundLaunch &launch) {
  return int64_t(launch.cluster[0]) * launch.cluster[1] * launch.cluster[2];
}

/// How many blocks must be resident at once: 0 if any number will do.
inline uint64_t blocksAtOnce(const BoundLaunch &launch) {
  if (launch.residency != Residency::cooperative)
    return 0;
  return launch.residentBlocks ? launch.residentBlocks : launch.blocks();
}

/// The driver's structure points into it: it stays where it is.
class LaunchConfig {
public:
  LaunchConfig(const BoundLaunch &launch, api::Stream stream)
      : config{launch.grid[0],
               launch.grid[1],
               launch.grid[2],
               launch.threads,
               1,
               1,
               static_cast<unsigned>(launch.sharedBytes),
               stream,
               attributes,
               0} {
    if (clusterBlocks(launch) > 1)
      add(api::clusterAttribute).cluster = {launch.cluster[0], launch.cluster[1], launch.cluster[2]};
    // Such a launch must be resident as a whole.
    if (blocksAtOnce(launch) >= launch.blocks())
      add(api::cooperativeAttribute).cooperative = 1;
  }
  LaunchConfig(const LaunchConfig &) = delete;
  LaunchConfig &operator=(const LaunchConfig &) = delete;

  const api::LaunchConfig *get() const { return &config; }

private:
  decltype(api::LaunchAttribute::value) &add(int id) {
    api::LaunchAttribute &attribute = attributes[config.attributeCount++];
    attribute.id = id;
    return attribute.value;
  }

  api::LaunchAttribute attributes[2]{};
  api::LaunchConfig config;
};

} // namespace sluice::cuda
