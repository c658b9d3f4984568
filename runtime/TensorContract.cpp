// Derives the sizes of a run from its tensors and checks all tensors against them.
#include "runtime/TensorContract.h"

#include "runtime/Error.h"

#include <algorithm>
#include <set>

namespace sluice {

namespace {

[[noreturn]] void failAt(const std::string &name, const std::string &expected,
                         const std::string &got) {
  throw UserError("tensor '" + name + "': expected " + expected + ", got " + got);
}

/// A size, and the tensor that it was taken from.
struct Known {
  int64_t value = -1;
  std::string source;

  bool known() const { return value >= 0; }
  void take(int64_t size, const std::string &name) {
    if (!known())
      *this = {size, name};
  }
};

size_t rankOf(const TensorSpec &spec) {
  size_t dims = spec.kind == Kind::scalar ? 0 : spec.kind == Kind::matrix ? 2 : 1;
  return dims + (spec.perHead ? 1 : 3);
}

/// The shape in words, for messages about a wrong rank.
std::string wordsOf(const TensorSpec &spec) {
  std::string heads = spec.kind == Kind::key && !spec.perHead ? "key or value heads" : "value heads";
  std::string text = spec.perHead ? "[" + heads : "[batch, tokens, " + heads;
  if (spec.kind == Kind::key || spec.kind == Kind::matrix)
    text += ", key dimension";
  if (spec.kind == Kind::value || spec.kind == Kind::matrix)
    text += ", value dimension";
  return text + "]";
}

class Checker {
public:
  Checker(const Signature &signature, const ViewMap &inputs, bool gradients)
      : signature(signature), inputs(inputs), gradients(gradients) {}

  Sizes check() {
    checkNames();
    for (const TensorSpec &spec : signature.arguments)
      checkTypeAndRank(spec.name, spec);
    if (gradients)
      for (const TensorSpec &spec : signature.results)
        if (inputs.count("d" + spec.name))
          checkTypeAndRank("d" + spec.name, spec);
    checkStateRanks();
    findSizes();
    findHeads();
    checkShapes();
    findSequences();
    checkStateShapes();
    return sizes;
  }

private:
  void checkNames() const {
    std::set<std::string> allowed = {"initial_state", "cu_seqlens", "dfinal_state"};
    std::string list;
    for (const TensorSpec &spec : signature.arguments) {
      allowed.insert(spec.name);
      list += spec.name + ", ";
    }
    for (const TensorSpec &spec : signature.results) {
      allowed.insert("d" + spec.name);
      list += "d" + spec.name + ", ";
    }
    for (const auto &[name, tensor] : inputs)
      if (!allowed.count(name))
        throw UserError("expected tensors " + list + "initial_state, dfinal_state or cu_seqlens, got '" +
                        name + "'");
    for (const TensorSpec &spec : signature.arguments)
      if (!inputs.count(spec.name))
        throw UserError("expected a tensor '" + spec.name + "', got none of this name");
  }

  void checkType(const std::string &name) const {
    DType dtype = inputs.at(name).dtype;
    if (!isArgumentType(dtype))
      failAt(name, "dtype f32, f16 or bf16", nameOf(dtype));
  }

  void checkTypeAndRank(const std::string &name, const TensorSpec &spec) const {
    checkType(name);
    const Shape &shape = inputs.at(name).shape;
    if (shape.size() != rankOf(spec))
      failAt(name, "shape " + wordsOf(spec), toString(shape));
  }

  std::vector<std::string> states() const {
    std::vector<std::string> names;
    if (inputs.count("initial_state"))
      names.push_back("initial_state");
    if (gradients && inputs.count("dfinal_state"))
      names.push_back("dfinal_state");
    return names;
  }

  void checkStateRanks() const {
    for (const std::string &name : states()) {
      checkType(name);
      if (inputs.at(name).shape.size() != 4)
        failAt(name, "shape [sequences, value heads, key dimension, value dimension]",
               toString(inputs.at(name).shape));
    }
  }

  /// Calls visit(name, spec) for the arguments and, where they count, the cotangents.
  template <typename Visit> void forEachTensor(Visit visit) const {
    for (const TensorSpec &spec : signature.arguments)
      visit(spec.name, spec);
    if (!gradients)
      return;
    for (const TensorSpec &spec : signature.results)
      if (inputs.count("d" + spec.name))
        visit("d" + spec.name, spec);
  }

  void findSizes() {
    forEachTensor([&](const std::string &name, const TensorSpec &spec) {
      const Shape &shape = inputs.at(name).shape;
      if (!spec.perHead) {
        batch.take(shape[0], name);
        tokens.take(shape[1], name);
      }
      if (spec.kind == Kind::key || spec.kind == Kind::matrix)
        keyDim.take(shape[spec.perHead ? 1 : 3], name);
      if (spec.kind == Kind::value || spec.kind == Kind::matrix)
        valueDim.take(shape.back(), name);
    });
    for (const std::string &name : states()) {
      keyDim.take(inputs.at(name).shape[2], name);
      valueDim.take(inputs.at(name).shape[3], name);
    }
    if (!tokens.known())
      throw UserError("expected an argument per token, got a recurrence of constants alone");
    sizes.batch = batch.value;
    sizes.tokens = tokens.value;
    sizes.keyDim = dimension("key", keyDim, signature.keyDim, maximalKeyDim);
    sizes.valueDim = dimension("value", valueDim, signature.valueDim, maximalValueDim);
  }

  static int64_t dimension(const std::string &which, const Known &found, int64_t compiled,
                           int64_t maximum) {
    if (!found.known()) {
      if (compiled == 0)
        throw UserError("expected a tensor with the " + which +
                        " dimension among arguments, initial_state and cotangents, got none");
      return compiled;
    }
    if (found.value < minimalDim || found.value > maximum)
      failAt(found.source,
             "a " + which + " dimension from " + std::to_string(minimalDim) + " to " +
                 std::to_string(maximum),
             std::to_string(found.value));
    if (compiled != 0 && found.value != compiled)
      failAt(found.source,
             "a " + which + " dimension of " + std::to_string(compiled) +
                 ", as the package was compiled for",
             std::to_string(found.value));
    return found.value;
  }

  /// Everything but key-kind arguments has HV heads; where there is nothing else, HV is the largest count.
  void findHeads() {
    Known keyHeads, valueHeads, most;
    forEachTensor([&](const std::string &name, const TensorSpec &spec) {
      int64_t heads = inputs.at(name).shape[spec.perHead ? 0 : 2];
      bool isArgument = name == spec.name;
      if (spec.kind != Kind::key || spec.perHead || !isArgument)
        valueHeads.take(heads, name);
      else if (heads > most.value)
        most = {heads, name};
    });
    for (const std::string &name : states())
      valueHeads.take(inputs.at(name).shape[1], name);
    valueHeads.take(most.value, most.source);
    if (valueHeads.value < 1)
      failAt(valueHeads.source, "at least one head", "0");
    for (const TensorSpec &spec : signature.arguments)
      if (spec.kind == Kind::key && !spec.perHead)
        checkKeyHeads(spec.name, keyHeads, valueHeads);
    sizes.valueHeads = valueHeads.value;
    sizes.keyHeads = keyHeads.known() ? keyHeads.value : valueHeads.value;
  }

  void checkKeyHeads(const std::string &name, Known &keyHeads, const Known &valueHeads) const {
    int64_t heads = inputs.at(name).shape[2];
    if (heads == valueHeads.value)
      return;
    if (heads < 1 || valueHeads.value % heads != 0)
      failAt(name,
             "key heads that divide the " + std::to_string(valueHeads.value) + " value heads of '" +
                 valueHeads.source + "'",
             std::to_string(heads) + " heads");
    keyHeads.take(heads, name);
    if (heads != keyHeads.value)
      failAt(name,
             std::to_string(keyHeads.value) + " heads, as '" + keyHeads.source + "' has, or " +
                 std::to_string(valueHeads.value) + ", as '" + valueHeads.source + "' has",
             std::to_string(heads));
  }

  void checkShape(const std::string &name, const Shape &expected) const {
    const Shape &shape = inputs.at(name).shape;
    if (shape != expected)
      failAt(name, "shape " + toString(expected), toString(shape));
  }

  void checkShapes() const {
    forEachTensor([&](const std::string &name, const TensorSpec &spec) {
      bool ownHeads = spec.kind == Kind::key && !spec.perHead && name == spec.name;
      checkShape(name, shapeOf(spec, sizes,
                               ownHeads ? inputs.at(name).shape[2] : sizes.valueHeads));
    });
  }

  void checkStateShapes() const {
    for (const std::string &name : states())
      checkShape(name, {sizes.sequences(), sizes.valueHeads, sizes.keyDim, sizes.valueDim});
  }

  void findSequences() {
    auto packed = inputs.find("cu_seqlens");
    if (packed != inputs.end())
      return findPackedSequences(packed->second);
    for (int64_t n = 0; n <= sizes.batch; ++n)
      sizes.starts.push_back(n * sizes.tokens);
  }

  void findPackedSequences(const TensorView &view) {
    const std::string name = "cu_seqlens";
    if (view.dtype != DType::i64)
      failAt(name, "dtype i64", nameOf(view.dtype));
    if (view.shape.size() != 1 || view.shape[0] < 1)
      failAt(name, "shape [sequences + 1]", toString(view.shape));
    if (sizes.batch != 1)
      failAt(name, "a batch of 1 with packed sequences",
             std::to_string(sizes.batch) + " in '" + batch.source + "'");
    const int64_t *values = static_cast<const int64_t *>(view.data);
    sizes.starts.assign(values, values + view.shape[0]);
    if (sizes.starts.front() != 0)
      failAt(name, "0 as the first element", std::to_string(sizes.starts.front()));
    for (size_t i = 1; i < sizes.starts.size(); ++i)
      if (sizes.starts[i] < sizes.starts[i - 1])
        failAt(name, "elements that do not descend",
               std::to_string(sizes.starts[i]) + " after " + std::to_string(sizes.starts[i - 1]));
    if (sizes.starts.back() != sizes.tokens)
      failAt(name, "the number of tokens, " + std::to_string(sizes.tokens) + ", as the last element",
             std::to_string(sizes.starts.back()));
  }

  const Signature &signature;
  const ViewMap &inputs;
  const bool gradients;
  Known batch, tokens, keyDim, valueDim;
  Sizes sizes;
};

} // namespace

Signature signatureOf(const KernelPackage &package) {
  return {package.arguments, package.results, package.keyDim, package.valueDim};
}

Shape shapeOf(const TensorSpec &spec, const Sizes &sizes, int64_t heads) {
  Shape shape = spec.perHead ? Shape{heads} : Shape{sizes.batch, sizes.tokens, heads};
  if (spec.kind == Kind::key || spec.kind == Kind::matrix)
    shape.push_back(sizes.keyDim);
  if (spec.kind == Kind::value || spec.kind == Kind::matrix)
    shape.push_back(sizes.valueDim);
  return shape;
}

Sizes checkTensors(const Signature &signature, const ViewMap &inputs, bool gradients) {
  return Checker(signature, inputs, gradients).check();
}

ViewMap forwardOutputs(const Signature &signature, const Sizes &sizes, DType dtype) {
  ViewMap outputs;
  for (const TensorSpec &spec : signature.results)
    outputs[spec.name] = {dtype, shapeOf(spec, sizes, sizes.valueHeads), nullptr};
  outputs["final_state"] = {
      DType::f32, {sizes.sequences(), sizes.valueHeads, sizes.keyDim, sizes.valueDim}, nullptr};
  return outputs;
}

ViewMap gradientOutputs(const Signature &signature, const ViewMap &inputs) {
  ViewMap outputs;
  auto add = [&](const std::string &name) {
    const TensorView &input = inputs.at(name);
    outputs["d" + name] = {input.dtype, input.shape, nullptr};
  };
  for (const TensorSpec &spec : signature.arguments)
    add(spec.name);
  if (inputs.count("initial_state"))
    add("initial_state");
  return outputs;
}

} // namespace sluice
