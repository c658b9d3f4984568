// sluice-gpu-suite PART --bundle FOLDER [--json FILE]: runs one part of the suite. tools/gpu-suite is the front.
#include "tools/gpu/Parts.h"

#include "codegen/cuda/DeviceHeaders.h"
#include "runtime/Error.h"
#include "runtime/Files.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <functional>
#include <map>

using namespace sluice;
using namespace sluice::gpusuite;

namespace {

using Part = std::function<std::vector<Row>(const Suite &)>;

const std::map<std::string, Part> &parts() {
  static const std::map<std::string, Part> list = {
      {"primitives", comparePrimitives}, {"kernels", compareKernels}, {"maps", compareMaps},
      {"rates", measureRates},           {"traffic", countTraffic},   {"latencies", measureLatencies}};
  return list;
}

/// What the results depend on: both sides' headers.
nlohmann::json describe(const Suite &suite) {
  nlohmann::json json = {{"headers",
                          {{"gpu", hashOfHeaders("codegen/cuda/device/gpu/")},
                           {"emu", hashOfHeaders("codegen/cuda/device/emu/")},
                           {"all", hashOfHeaders("codegen/cuda/device/")}}}};
  if (suite.hardware)
    json["hardware"] = {{"name", suite.hardware->name()},
                        {"architecture", suite.hardware->architecture()},
                        {"driver", suite.hardware->driverVersion()}};
  else
    json["hardware"] = nullptr, json["why"] = suite.why;
  return json;
}

nlohmann::json toJson(const std::vector<Row> &rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const Row &row : rows) {
    nlohmann::json one = {{"name", row.name}, {"verdict", row.verdict}, {"detail", row.detail}};
    for (const auto &[name, value] : row.figures)
      one["figures"][name] = value;
    list.push_back(one);
  }
  return list;
}

/// 0 as it should be; 1 something differs; 3 nothing ran on hardware.
int statusOf(const std::vector<Row> &rows, bool hardware) {
  for (const Row &row : rows)
    if (row.verdict == "differs")
      return 1;
  return hardware ? 0 : 3;
}

int run(int argc, char **argv) {
  std::string part = argc > 1 ? argv[1] : "", json, kernel;
  Suite suite;
  for (int i = 2; i + 1 < argc; i += 2) {
    std::string option = argv[i];
    std::string *target = option == "--bundle" ? &suite.bundle.folder
                          : option == "--json" ? &json
                          : option == "--kernel" ? &kernel
                                                 : nullptr;
    if (!target)
      throw UserError("expected --bundle, --json or --kernel, got '" + option + "'");
    *target = argv[i + 1];
  }
  if (suite.bundle.folder.empty())
    throw UserError("expected --bundle FOLDER");
  std::unique_ptr<Hardware> hardware = Hardware::open(suite.bundle, suite.why);
  suite.hardware = hardware.get();
  if (part == "once") {
    if (!suite.hardware)
      throw UserError("expected a GPU, got none: " + suite.why);
    runOnce(suite, kernel);
    return 0;
  }
  nlohmann::json result = describe(suite);
  int status = 0;
  if (part != "describe") {
    auto found = parts().find(part);
    if (found == parts().end())
      throw UserError("expected a part (describe, primitives, kernels, maps, rates, traffic, latencies), got '" +
                      part + "'");
    std::vector<Row> rows = found->second(suite);
    result["part"] = part;
    result["rows"] = toJson(rows);
    status = statusOf(rows, suite.hardware != nullptr);
  }
  if (json.empty())
    std::printf("%s\n", result.dump(2).c_str());
  else
    writeFile(json, result.dump(2) + "\n");
  return status;
}

} // namespace

int main(int argc, char **argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "sluice-gpu-suite: %s\n", error.what());
    return 2;
  }
}
