// The JSON spelling of packages and of descriptions of recurrences, shared by package files and the cache.
#pragma once

#include "runtime/KernelPackage.h"

#include <nlohmann/json_fwd.hpp>

namespace sluice {

nlohmann::json toJson(const std::vector<TensorSpec> &specs);
/// Everything but the code.
nlohmann::json toJson(const KernelPackage &package);

/// Throw nlohmann::json::exception if something is missing or of another type.
std::vector<TensorSpec> tensorSpecsFromJson(const nlohmann::json &object);
KernelPackage packageFromJson(const nlohmann::json &object);

} // namespace sluice
