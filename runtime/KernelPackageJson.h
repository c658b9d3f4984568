// The JSON spelling of packages and of descriptions of recurrences, shared by package files and the cache.
#pragma once

#include "runtime/KernelPackage.h"

#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace sluice {

nlohmann::json toJson(const std::vector<TensorSpec> &specs);
/// Everything but the code and the bytes of the binaries.
nlohmann::json toJson(const KernelPackage &package);

/// Throw nlohmann::json::exception if something is missing or of another type.
std::vector<TensorSpec> tensorSpecsFromJson(const nlohmann::json &object);
/// `payload` holds the code, then the binaries in order.
KernelPackage packageFromJson(const nlohmann::json &object, std::string_view payload);

} // namespace sluice
