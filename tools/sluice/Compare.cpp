// Compares tensors and words the verdicts.
#include "tools/sluice/Compare.h"

#include "tools/sluice/Table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

namespace sluice {

namespace {

constexpr double zeroTolerance = 1e-6;

/// What a gradient belongs to: cotangents and gradients of states count as keys and values do.
bool isVector(const RecurrenceInfo &info, const std::string &argument) {
  for (const TensorSpec &spec : info.arguments)
    if (spec.name == argument)
      return spec.kind != Kind::scalar && !spec.gate && !spec.perHead;
  return true;
}

bool isResult(const RecurrenceInfo &info, const std::string &tensor) {
  if (tensor == "final_state")
    return true;
  return std::any_of(info.results.begin(), info.results.end(),
                     [&](const TensorSpec &spec) { return spec.name == tensor; });
}

double badness(const Comparison &comparison) {
  double ratio = comparison.error / comparison.tolerance;
  return std::isnan(ratio) ? HUGE_VAL : ratio;
}

} // namespace

Comparison expect(const RecurrenceInfo &info, const std::string &tensor, DType dtype, bool hard) {
  Comparison comparison;
  comparison.tensor = tensor;
  comparison.gradient = !isResult(info, tensor);
  if (dtype == DType::f32)
    comparison.tolerance = comparison.gradient ? 1e-4 : 1e-5;
  else if (hard)
    comparison.tolerance = 0.03;
  else if (!comparison.gradient)
    comparison.tolerance = 0.005;
  else
    comparison.tolerance = isVector(info, tensor.substr(1)) ? 0.008 : 0.02;
  return comparison;
}

Comparison compare(Comparison comparison, const Tensor &computed, const Tensor &exact) {
  Tensor wide = converted(computed.view(), DType::f64);
  const double *got = wide.data<double>(), *expected = exact.data<double>();
  double difference = 0, norm = 0, largest = 0, largestExact = 0;
  bool invalid = computed.shape != exact.shape;
  for (int64_t i = 0; !invalid && i < exact.elements(); ++i) {
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    norm += expected[i] * expected[i];
    largestExact = std::max(largestExact, std::fabs(expected[i]));
    largest = std::max(largest, std::fabs(got[i]));
    invalid = !std::isfinite(got[i]);
  }
  // What float32 cannot hold counts as zero: the product of a few gates of e^-80. Terms below the smallest
  // normal number are lost in sums, so 24 bits of a sum need it to be 2^24 times that.
  comparison.absolute = largestExact < std::ldexp(std::numeric_limits<float>::min(), 24);
  comparison.error = comparison.absolute ? largest : std::sqrt(difference / norm);
  if (comparison.absolute)
    comparison.tolerance = zeroTolerance;
  if (invalid)
    comparison.error = NAN;
  return comparison;
}

std::string firstNotFinite(const TensorMap &tensors) {
  for (const auto &[name, tensor] : tensors) {
    const double *data = tensor.data<double>();
    if (!std::all_of(data, data + tensor.elements(), [](double x) { return std::isfinite(x); }))
      return name;
  }
  return "";
}

bool CaseResult::passed() const {
  return reason.empty() && std::all_of(comparisons.begin(), comparisons.end(),
                                       [](const Comparison &one) { return one.passed(); });
}

std::vector<std::string> CaseResult::row() const {
  std::vector<std::string> cells = {name};
  std::string verdict = passed() ? "ok" : "FAILED";
  for (Form form : {Form::chunk, Form::recurrent})
    for (bool gradients : {false, true}) {
      const Comparison *worst = nullptr;
      for (const Comparison &one : comparisons)
        if (one.form == form && one.gradient == gradients &&
            (!worst || badness(one) > badness(*worst)))
          worst = &one;
      cells.push_back(worst ? worst->tensor + " " + scientific(worst->error) : "n/a");
      if (worst && !worst->passed())
        verdict += " " + worst->tensor + " > " + scientific(worst->tolerance);
    }
  cells.push_back(reason.empty() ? verdict : verdict + ": " + reason);
  return cells;
}

nlohmann::json CaseResult::json() const {
  nlohmann::json entries = nlohmann::json::array();
  if (!reason.empty())
    entries.push_back({{"case", name}, {"passed", false}, {"reason", reason}});
  for (const Comparison &one : comparisons)
    entries.push_back({{"case", name},
                       {"form", one.form == Form::chunk ? "chunk" : "recurrent"},
                       {"tensor", one.tensor},
                       {"error", std::isnan(one.error) ? nlohmann::json() : nlohmann::json(one.error)},
                       {"absolute", one.absolute},
                       {"tolerance", one.tolerance},
                       {"passed", one.passed()}});
  return entries;
}

} // namespace sluice
