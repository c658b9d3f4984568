// sluice-gpu-suite PART --bundle FOLDER [--json FILE] [--skip ROWS] [--seconds PER_ROW]: runs one part of the
// suite. tools/gpu-suite is the front; it goes on after a row that hung or lost the device.
#include "tools/gpu/Parts.h"

#include "codegen/cuda/DeviceHeaders.h"
#include "runtime/Error.h"
#include "runtime/Files.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cstdio>
#include <unistd.h>

using namespace sluice;
using namespace sluice::gpusuite;

namespace {

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

struct Request {
  std::string part, json, kernel;
  size_t skip = 0;       ///< Rows that are there already.
  unsigned seconds = 60; ///< What a row may take before the program is ended by SIGALRM.
};

/// Without a file the result is printed at the end; a file holds at any time all that is known.
void writeResult(const Request &request, const nlohmann::json &result, bool isLast) {
  if (!request.json.empty())
    writeFile(request.json, result.dump(2) + "\n");
  else if (isLast)
    std::printf("%s\n", result.dump(2).c_str());
}

/// 0 as it should be; 1 something differs; 3 nothing ran on hardware; 4 the device is lost, and with it what
/// is left.
int runPart(const Suite &suite, const Request &request, nlohmann::json result, const Tasks &tasks) {
  std::vector<Row> rows;
  result["part"] = request.part;
  for (const Task &task : tasks)
    result["names"].push_back(task.name);
  result["rows"] = toJson(rows);
  writeResult(request, result, false);
  std::vector<const KernelCase *> kernels;
  for (size_t i = request.skip; i < tasks.size(); ++i)
    if (tasks[i].kernel)
      kernels.push_back(tasks[i].kernel);
  if (suite.hardware)
    suite.hardware->compile(kernels);
  int status = suite.hardware ? 0 : 3;
  for (size_t i = request.skip; i < tasks.size() && status != 4; ++i) {
    alarm(request.seconds);
    rows.push_back(runTask(tasks[i]));
    if (rows.back().verdict == "differs")
      status = suite.hardware && !suite.hardware->works() ? 4 : 1;
    alarm(0);
    result["rows"] = toJson(rows);
    writeResult(request, result, i + 1 == tasks.size() || status == 4);
  }
  return status;
}

size_t numberOf(const std::string &option, const std::string &text) {
  size_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw UserError("expected a number for " + option + ", got '" + text + "'");
  return value;
}

Request parse(int argc, char **argv, Suite &suite) {
  Request request;
  request.part = argc > 1 ? argv[1] : "";
  for (int i = 2; i < argc; i += 2) {
    std::string option = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (value.empty())
      throw UserError("expected a value for " + option + ", got none");
    if (option == "--bundle")
      suite.bundle.folder = value;
    else if (option == "--json")
      request.json = value;
    else if (option == "--kernel")
      request.kernel = value;
    else if (option == "--skip")
      request.skip = numberOf(option, value);
    else if (option == "--seconds")
      request.seconds = static_cast<unsigned>(numberOf(option, value));
    else
      throw UserError("expected --bundle, --json, --kernel, --skip or --seconds, got '" + option + "'");
  }
  if (suite.bundle.folder.empty())
    throw UserError("expected --bundle FOLDER, got none");
  return request;
}

int run(int argc, char **argv) {
  Suite suite;
  Request request = parse(argc, argv, suite);
  std::unique_ptr<Hardware> hardware = Hardware::open(suite.bundle, suite.why);
  suite.hardware = hardware.get();
  if (request.part == "once") {
    if (!suite.hardware)
      throw UserError("expected a GPU, got none: " + suite.why);
    runOnce(suite, request.kernel);
    return 0;
  }
  nlohmann::json result = describe(suite);
  if (request.part == "describe") {
    writeResult(request, result, true);
    return 0;
  }
  std::string known = "describe, once";
  for (const auto &[name, tasksOf] : parts()) {
    if (name == request.part)
      return runPart(suite, request, result, tasksOf(suite));
    known += ", " + name;
  }
  throw UserError("expected a part (" + known + "), got '" + request.part + "'");
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
