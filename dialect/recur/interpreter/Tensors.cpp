// Sizes and checks of an interpreted run's tensors, from nothing but their shapes.

#include "dialect/recur/interpreter/Tensors.h"

#include "runtime/Error.h"

#include <algorithm>
#include <set>

namespace sluice::recur::interpreter {

static Element elementOf(llvm::StringRef name, mlir::Type type, bool perHead) {
  return {name.str(), perHead, mlir::isa<KeyType, MatrixType>(type), mlir::isa<ValueType, MatrixType>(type)};
}

Signature signatureOf(RecurrenceOp recurrence) {
  Signature signature;
  for (auto [index, argument] : llvm::enumerate(recurrence.getProgramArguments()))
    signature.arguments.push_back(
        elementOf(recurrence.getArgumentName(index), argument.getType(), recurrence.isPerHead(index)));
  for (auto [index, value] : llvm::enumerate(recurrence.getYield().getValues()))
    signature.results.push_back(elementOf(recurrence.getResultName(index), value.getType(), false));
  return signature;
}

static const Tensor &find(const std::string &name, const TensorMap &inputs) {
  auto found = inputs.find(name);
  if (found == inputs.end())
    throw UserError("expected tensor '" + name + "', got none");
  return found->second;
}

static size_t rankOf(const Element &element) {
  return (element.perHead ? 1 : 3) + element.key + element.value;
}

/// Sets a size that is not known yet; throws if it is known to be another.
static void agree(int64_t &size, int64_t found, const char *what, const std::string &name) {
  if (size == 0)
    size = found;
  if (size != found)
    throw UserError("expected " + std::to_string(size) + " " + what + " in '" + name + "', got " +
                    std::to_string(found));
}

static void learn(Sizes &sizes, const Element &element, const Shape &shape) {
  if (shape.size() != rankOf(element))
    throw UserError("expected rank " + std::to_string(rankOf(element)) + " of '" + element.name + "', got " +
                    toString(shape));
  if (element.value)
    agree(sizes.valueDim, shape.back(), "value channels", element.name);
  if (element.key)
    agree(sizes.keyDim, shape[shape.size() - 1 - element.value], "key channels", element.name);
  sizes.valueHeads = std::max(sizes.valueHeads, shape[element.perHead ? 0 : 2]);
}

static void learnTokens(Sizes &sizes, const Signature &signature, const TensorMap &inputs) {
  for (const Element &element : signature.arguments) {
    if (element.perHead)
      continue;
    const Shape &shape = find(element.name, inputs).shape;
    sizes.batch = shape[0];
    sizes.tokens = shape[1];
    return;
  }
  throw UserError("expected an argument per token, got constants only");
}

static void learnStarts(Sizes &sizes, const TensorMap &inputs) {
  auto packed = inputs.find("cu_seqlens");
  if (packed == inputs.end()) {
    for (int64_t n = 0; n <= sizes.batch; ++n)
      sizes.starts.push_back(n * sizes.tokens);
    return;
  }
  const auto *starts = packed->second.data<int64_t>();
  sizes.starts.assign(starts, starts + packed->second.elements());
  if (sizes.batch != 1 || sizes.starts.empty() || sizes.starts.front() != 0 ||
      sizes.starts.back() != sizes.tokens || !std::is_sorted(sizes.starts.begin(), sizes.starts.end()))
    throw UserError("expected cu_seqlens from 0 to " + std::to_string(sizes.tokens) + " with a batch of 1");
}

Sizes sizesOf(const Signature &signature, const TensorMap &inputs) {
  Sizes sizes;
  for (const Element &element : signature.arguments)
    learn(sizes, element, find(element.name, inputs).shape);
  for (const char *name : {"initial_state", "dfinal_state"})
    if (auto state = inputs.find(name); state != inputs.end() && state->second.shape.size() == 4) {
      sizes.valueHeads = std::max(sizes.valueHeads, state->second.shape[1]);
      agree(sizes.keyDim, state->second.shape[2], "key channels", name);
      agree(sizes.valueDim, state->second.shape[3], "value channels", name);
    }
  // A program without keys or values of its own may still have cotangents of such results.
  for (const Element &element : signature.results)
    if (auto cotangent = inputs.find("d" + element.name); cotangent != inputs.end())
      learn(sizes, element, cotangent->second.shape);
  if (!sizes.keyDim || !sizes.valueDim)
    throw UserError("expected a key, a value or a state that tells the channels, got none");
  learnTokens(sizes, signature, inputs);
  learnStarts(sizes, inputs);
  // Key heads may be fewer than value heads; what they share is computed by one thread.
  sizes.groups = sizes.valueHeads;
  for (const Element &element : signature.arguments)
    if (!element.perHead)
      sizes.groups = std::min(sizes.groups, find(element.name, inputs).shape[2]);
  return sizes;
}

static Shape shapeOf(const Element &element, const Sizes &sizes, int64_t heads) {
  Shape shape;
  if (!element.perHead)
    shape = {sizes.batch, sizes.tokens};
  shape.push_back(heads);
  if (element.key)
    shape.push_back(sizes.keyDim);
  if (element.value)
    shape.push_back(sizes.valueDim);
  return shape;
}

static Elements describe(const Element &element, const Sizes &sizes, int64_t heads) {
  return {{}, element.perHead, heads, heads ? sizes.valueHeads / heads : 1, sizes.sizeOf(element)};
}

Elements take(const Element &element, const std::string &name, const Sizes &sizes, const TensorMap &inputs) {
  const Tensor &tensor = find(name, inputs);
  bool mayShare = element.key && !element.value && !element.perHead && tensor.shape.size() == 4;
  int64_t heads = mayShare ? tensor.shape[2] : sizes.valueHeads;
  if (heads && sizes.valueHeads % heads)
    throw UserError("expected a number of heads of '" + name + "' that divides " +
                    std::to_string(sizes.valueHeads) + ", got " + std::to_string(heads));
  Shape expected = shapeOf(element, sizes, heads);
  if (tensor.shape != expected)
    throw UserError("expected '" + name + "' of shape " + toString(expected) + ", got " +
                    toString(tensor.shape));
  Elements elements = describe(element, sizes, heads);
  elements.tensor = converted(tensor.view(), DType::f64);
  return elements;
}

Elements zeros(const Element &element, const Sizes &sizes, const Elements *like) {
  Elements elements = describe(element, sizes, like ? like->heads : sizes.valueHeads);
  elements.tensor = Tensor::zeros(DType::f64, shapeOf(element, sizes, elements.heads));
  return elements;
}

Tensor takeState(const std::string &name, const Sizes &sizes, const TensorMap &inputs) {
  Shape shape = {sizes.sequences(), sizes.valueHeads, sizes.keyDim, sizes.valueDim};
  auto given = inputs.find(name);
  if (given == inputs.end())
    return Tensor::zeros(DType::f64, shape);
  if (given->second.shape != shape)
    throw UserError("expected '" + name + "' of shape " + toString(shape) + ", got " +
                    toString(given->second.shape));
  return converted(given->second.view(), DType::f64);
}

void rejectUnknown(const Signature &signature, const TensorMap &inputs) {
  std::set<std::string> known = {"initial_state", "cu_seqlens", "dfinal_state"};
  for (const Element &element : signature.arguments)
    known.insert(element.name);
  for (const Element &element : signature.results)
    known.insert("d" + element.name);
  for (const auto &[name, tensor] : inputs)
    if (!known.count(name))
      throw UserError("expected arguments and cotangents of the recurrence, got tensor '" + name + "'");
}

} // namespace sluice::recur::interpreter
