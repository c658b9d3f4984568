// From a launch record and the tensors of one call to the numbers of one launch.
#include "runtime/LaunchRecord.h"

#include "runtime/Error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

namespace sluice {

namespace {

using Kind = ParameterRecord::Kind;
using Wide = __int128;

template <typename Map> std::string namesOf(const Map &names) {
  std::string text;
  for (const auto &name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

/// The shape with its strides, and the elements it reaches from the first one.
struct Extent {
  std::vector<int64_t> shape, strides;
  Wide lowest = 0, highest = 0;
  bool empty = false;
};

class Binder {
public:
  Binder(const LaunchRecord &record, const LaunchInputs &inputs) : record(record), inputs(inputs) {}

  BoundLaunch bind() {
    checkNames();
    BoundLaunch launch;
    launch.kernel = record.kernel;
    bindGeometry(launch);
    bindResidency(launch);
    for (const ParameterRecord &parameter : record.parameters)
      launch.parameters.push_back(bindParameter(parameter));
    return launch;
  }

private:
  const LaunchRecord &record;
  const LaunchInputs &inputs;

  [[noreturn]] void fail(const std::string &message) const {
    throw UserError("kernel '" + record.kernel + "': " + message);
  }

  [[noreturn]] void failAt(const ParameterRecord &parameter, const std::string &message) const {
    fail("parameter '" + parameter.name + "': " + message);
  }

  int64_t evaluate(const SizeExpression &expression, const char *what) const {
    try {
      return expression.evaluate(inputs.sizes);
    } catch (const UserError &error) {
      fail(std::string(what) + ": " + error.what());
    }
  }

  int64_t evaluateInRange(const SizeExpression &expression, const char *what, int64_t least,
                          int64_t most) const {
    int64_t value = evaluate(expression, what);
    if (value < least || value > most)
      fail("expected " + std::string(what) + " from " + std::to_string(least) + " to " +
           std::to_string(most) + ", got " + std::to_string(value));
    return value;
  }

  int64_t evaluate(const ParameterRecord &parameter, const SizeExpression &expression,
                   const char *what) const {
    try {
      return expression.evaluate(inputs.sizes);
    } catch (const UserError &error) {
      failAt(parameter, std::string(what) + ": " + error.what());
    }
  }

  int64_t evaluateCount(const ParameterRecord &parameter, const SizeExpression &expression,
                        const char *what) const {
    int64_t value = evaluate(parameter, expression, what);
    if (value < 0)
      failAt(parameter, "expected " + std::string(what) + " of at least 0, got " + std::to_string(value));
    return value;
  }

  template <typename Given>
  void checkGiven(const char *what, const std::set<std::string> &expected, const Given &given) const {
    for (const std::string &name : expected)
      if (!given.count(name))
        fail(std::string("expected a ") + what + " '" + name + "', got none");
    for (const auto &[name, unused] : given)
      if (!expected.count(name))
        fail(std::string("unknown ") + what + " '" + name + "', expected " + namesOf(expected));
  }

  void checkNames() const {
    std::set<std::string> parameters, tensors, values;
    for (const ParameterRecord &parameter : record.parameters) {
      if (!parameters.insert(parameter.name).second)
        failAt(parameter, "expected each name once, got it twice");
      if (parameter.kind == Kind::tensor)
        tensors.insert(parameter.name);
      if (parameter.kind == Kind::tensorMap)
        tensors.insert(parameter.map.argument);
      if (parameter.kind == Kind::value)
        values.insert(parameter.name);
    }
    checkGiven("size", {record.sizes.begin(), record.sizes.end()}, inputs.sizes);
    checkGiven("tensor", tensors, inputs.tensors);
    checkGiven("value", values, inputs.values);
    for (const auto &[name, value] : inputs.sizes)
      if (value < 0)
        fail("expected a size '" + name + "' of at least 0, got " + std::to_string(value));
  }

  std::array<int64_t, 3> bindCluster() const {
    std::array<int64_t, 3> cluster;
    int64_t blocks = 1;
    bool valid = true;
    for (int axis = 0; axis < 3; ++axis) {
      cluster[axis] = evaluate(record.cluster[axis], "a cluster");
      valid &= cluster[axis] >= 1 && cluster[axis] <= 8;
      blocks *= valid ? cluster[axis] : 1;
    }
    if (!valid || blocks > 8)
      fail("expected a cluster of 1 to 8 blocks, got " + toString({cluster.begin(), cluster.end()}));
    return cluster;
  }

  void bindGeometry(BoundLaunch &launch) const {
    constexpr const char *axes[] = {"a grid x", "a grid y", "a grid z"};
    std::array<int64_t, 3> clusters = bindCluster();
    for (int axis = 0; axis < 3; ++axis) {
      int64_t most = axis == 0 ? std::numeric_limits<int32_t>::max() : 65535;
      int64_t blocks = evaluateInRange(record.grid[axis], axes[axis], 0, most);
      int64_t cluster = clusters[axis];
      if (blocks % cluster != 0)
        fail("expected a grid divisible by its clusters of " + std::to_string(cluster) + " blocks, got " +
             std::to_string(blocks) + " on axis " + "xyz"[axis]);
      launch.grid[axis] = static_cast<uint32_t>(blocks);
      launch.cluster[axis] = static_cast<uint32_t>(cluster);
    }
    int64_t threads = evaluate(record.threads, "threads");
    if (threads < 32 || threads > 1024 || threads % 32 != 0)
      fail("expected a multiple of 32 from 32 to 1024 threads, got " + std::to_string(threads));
    launch.threads = static_cast<uint32_t>(threads);
    launch.sharedBytes = static_cast<uint64_t>(
        evaluateInRange(record.sharedBytes, "shared bytes", 0, std::numeric_limits<int32_t>::max()));
  }

  void bindResidency(BoundLaunch &launch) const {
    if (record.blocksPerSm < 1 || record.blocksPerSm > 32)
      fail("expected 1 to 32 blocks per multiprocessor, got " + std::to_string(record.blocksPerSm));
    launch.blocksPerSm = static_cast<uint32_t>(record.blocksPerSm);
    launch.residency = record.residency;
    if (record.residency == Residency::cooperative) {
      launch.residentBlocks = static_cast<uint64_t>(
          evaluateInRange(record.residentBlocks, "resident blocks", 0, std::numeric_limits<int64_t>::max()));
      uint64_t cluster = uint64_t(launch.cluster[0]) * launch.cluster[1] * launch.cluster[2];
      if (launch.residentBlocks % cluster != 0)
        fail("expected resident blocks of whole clusters of " + std::to_string(cluster) + ", got " +
             std::to_string(launch.residentBlocks));
      if (launch.residentBlocks == 0)
        launch.residentBlocks = launch.blocks();
    } else if (record.residentBlocks.constant() != 0) {
      fail("expected resident blocks of a cooperative launch, got " + record.residentBlocks.text() +
           " of independent blocks");
    }
    bindRoles(launch);
  }

  void bindRoles(BoundLaunch &launch) const {
    int64_t threads = 0;
    for (const RoleRecord &role : record.roles) {
      // setmaxnreg is an instruction of warpgroups.
      int64_t whole = role.registers != 0 ? 128 : 32;
      if (role.threads <= 0 || role.threads % whole != 0 || role.threads > launch.threads)
        fail("role '" + role.name + "': expected a multiple of " + std::to_string(whole) + " threads up to " +
             std::to_string(launch.threads) + ", got " + std::to_string(role.threads));
      if (role.registers != 0 && (role.registers < 24 || role.registers > 256 || role.registers % 8 != 0))
        fail("role '" + role.name + "': expected a multiple of 8 registers from 24 to 256, got " +
             std::to_string(role.registers));
      threads += role.threads;
    }
    if (!record.roles.empty() && threads != launch.threads)
      fail("expected roles of " + std::to_string(launch.threads) + " threads together, got " +
           std::to_string(threads));
    if (record.registersAtLaunch > 255)
      fail("expected at most 255 registers at launch, got " + std::to_string(record.registersAtLaunch));
    launch.roles = record.roles;
    launch.registersAtLaunch = record.registersAtLaunch;
  }

  BoundParameter bindParameter(const ParameterRecord &parameter) const {
    BoundParameter bound;
    bound.name = parameter.name;
    bound.kind = parameter.kind;
    bound.direction = parameter.direction;
    bound.dtype = parameter.dtype;
    switch (parameter.kind) {
    case Kind::tensor:
      bindTensor(parameter, bound);
      break;
    case Kind::size:
      bindSize(parameter, bound);
      break;
    case Kind::value:
      bindValue(parameter, bound);
      break;
    case Kind::tensorMap:
      bindMap(parameter, bound);
      break;
    case Kind::workspace:
      bindWorkspace(parameter, bound);
      break;
    }
    return bound;
  }

  template <typename T> static void put(BoundParameter &bound, T value) {
    std::memcpy(bound.bytes.data(), &value, sizeof value);
    bound.byteCount = sizeof value;
  }

  /// The elements that indices within the shape reach; `strides` may be one dense shape's.
  Extent extentOf(const ParameterRecord &parameter, const std::vector<SizeExpression> &shape,
                  const std::vector<SizeExpression> &strides) const {
    Extent extent;
    for (const SizeExpression &size : shape)
      extent.shape.push_back(evaluateCount(parameter, size, "a dimension"));
    for (const SizeExpression &stride : strides)
      extent.strides.push_back(evaluate(parameter, stride, "a stride"));
    if (strides.empty())
      extent.strides = denseStrides(extent.shape);
    if (extent.strides.size() != shape.size())
      failAt(parameter,
             "expected " + std::to_string(shape.size()) + " strides, got " + std::to_string(strides.size()));
    for (size_t i = 0; i < shape.size(); ++i) {
      extent.empty |= extent.shape[i] == 0;
      Wide reach = Wide(extent.shape[i] - 1) * extent.strides[i];
      // More than any memory stays more than any memory, without overflow.
      Wide &bound = reach < 0 ? extent.lowest : extent.highest;
      bound = std::clamp(bound + reach, -(Wide(1) << 64), Wide(1) << 64);
    }
    return extent;
  }

  static std::vector<int64_t> denseStrides(const std::vector<int64_t> &shape) {
    std::vector<int64_t> strides(shape.size());
    int64_t elements = 1;
    for (size_t i = shape.size(); i-- > 0;) {
      strides[i] = elements;
      // What overflows is longer than any memory: the comparison with the tensor's bytes finds it.
      if (__builtin_mul_overflow(elements, shape[i], &elements))
        elements = std::numeric_limits<int64_t>::max();
    }
    return strides;
  }

  /// The address of element `offset` of the tensor, which holds the whole extent.
  char *addressOf(const ParameterRecord &parameter, const std::string &name, DType dtype,
                  const Extent &extent) const {
    const LaunchTensor &tensor = inputs.tensors.at(name);
    if (extent.empty)
      return static_cast<char *>(tensor.data);
    int64_t offset = evaluate(parameter, parameter.offset, "an offset"), size = sizeOf(dtype);
    if (offset + extent.lowest < 0)
      failAt(parameter, "expected elements from the start of tensor '" + name + "' on, got some before it");
    Wide needed = (offset + extent.highest + 1) * size;
    if (needed > Wide(tensor.bytes))
      failAt(parameter, "expected a tensor '" + name + "' of at least " + decimal(needed) +
                            " bytes for shape " + toString(extent.shape) + ", got " +
                            std::to_string(tensor.bytes));
    if (!tensor.data)
      failAt(parameter, "expected memory for tensor '" + name + "', got a null pointer");
    if (reinterpret_cast<uintptr_t>(tensor.data) % size != 0)
      failAt(parameter,
             "expected a tensor '" + name + "' aligned to " + std::to_string(size) + " bytes, got less");
    return static_cast<char *>(tensor.data) + offset * size;
  }

  static std::string decimal(Wide value) {
    return value > std::numeric_limits<int64_t>::max() ? "2^63" : std::to_string(static_cast<int64_t>(value));
  }

  void bindTensor(const ParameterRecord &parameter, BoundParameter &bound) const {
    Extent extent = extentOf(parameter, parameter.shape, parameter.strides);
    bound.shape = extent.shape;
    put(bound, addressOf(parameter, parameter.name, parameter.dtype, extent));
  }

  void bindSize(const ParameterRecord &parameter, BoundParameter &bound) const {
    int64_t value = evaluate(parameter, parameter.value, "a value");
    if (parameter.dtype == DType::i32)
      put(bound, static_cast<int32_t>(inRange<int32_t>(parameter, static_cast<double>(value))));
    else if (parameter.dtype == DType::u32)
      put(bound, static_cast<uint32_t>(inRange<uint32_t>(parameter, static_cast<double>(value))));
    else
      put(bound, value);
  }

  template <typename Integer> Integer inRange(const ParameterRecord &parameter, double value) const {
    if (!(value >= std::numeric_limits<Integer>::min() && value <= std::numeric_limits<Integer>::max()) ||
        value != std::floor(value))
      failAt(parameter, std::string("expected an integer of type ") + nameOf(parameter.dtype) + ", got " +
                            number(value));
    return static_cast<Integer>(value);
  }

  static std::string number(double value) {
    char text[64];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
  }

  void bindValue(const ParameterRecord &parameter, BoundParameter &bound) const {
    double value = inputs.values.at(parameter.name);
    if (parameter.dtype == DType::f32)
      put(bound, static_cast<float>(value));
    else if (parameter.dtype == DType::i32)
      put(bound, inRange<int32_t>(parameter, value));
    else if (parameter.dtype == DType::u32)
      put(bound, inRange<uint32_t>(parameter, value));
    else
      failAt(parameter,
             std::string("expected a value of type f32, i32 or u32, got ") + nameOf(parameter.dtype));
  }

  void bindMap(const ParameterRecord &parameter, BoundParameter &bound) const {
    const TensorMapRecord &map = parameter.map;
    size_t rank = map.dims.size();
    if (rank < 1 || rank > 5)
      failAt(parameter, "expected 1 to 5 dimensions of a tensor map, got " + std::to_string(rank));
    if (map.strides.size() != rank - 1 || map.box.size() != rank ||
        (!map.elementStrides.empty() && map.elementStrides.size() != rank))
      failAt(parameter,
             "expected a stride for every dimension but the first, and a box and element strides for "
             "each, got other numbers of them");
    for (const ParameterRecord &other : record.parameters)
      if (other.kind == Kind::tensor && other.name == map.argument)
        bound.dtype = other.dtype;
    std::vector<SizeExpression> strides = map.strides;
    strides.insert(strides.begin(), SizeExpression(1));
    Extent extent = extentOf(parameter, map.dims, strides);
    bound.shape.assign(extent.shape.rbegin(), extent.shape.rend());
    bound.byteCount = 0;
    bound.map = specOf(parameter, map, bound.dtype, extent);
  }

  TensorMapSpec specOf(const ParameterRecord &parameter, const TensorMapRecord &map, DType dtype,
                       const Extent &extent) const {
    TensorMapSpec spec;
    spec.argument = map.argument;
    spec.dtype = dtype;
    spec.base = addressOf(parameter, map.argument, dtype, extent);
    spec.dims.assign(extent.shape.begin(), extent.shape.end());
    for (size_t i = 1; i < extent.strides.size(); ++i) {
      int64_t bytes;
      if (extent.strides[i] < 0 || __builtin_mul_overflow(extent.strides[i], sizeOf(dtype), &bytes))
        failAt(parameter,
               "expected strides of a tensor map from 0 to 2^60, got " + std::to_string(extent.strides[i]));
      spec.strides.push_back(static_cast<uint64_t>(bytes));
    }
    spec.box = map.box;
    spec.elementStrides = map.elementStrides;
    spec.elementStrides.resize(map.dims.size(), 1);
    spec.swizzle = map.swizzle;
    spec.fillNan = map.fillNan;
    return spec;
  }

  void bindWorkspace(const ParameterRecord &parameter, BoundParameter &bound) const {
    bound.workspaceBytes = static_cast<uint64_t>(evaluateCount(parameter, parameter.bytes, "a size in bytes"));
    if (parameter.initial == "undefined")
      return;
    bound.initial = initialWord(parameter);
    if (bound.workspaceBytes % 4 != 0)
      failAt(parameter, "expected a workspace with initial values of whole 32-bit words, got " +
                            std::to_string(bound.workspaceBytes) + " bytes");
  }

  uint32_t initialWord(const ParameterRecord &parameter) const {
    uint32_t word = 0;
    const char *end = parameter.initial.data() + parameter.initial.size();
    auto [stop, error] = std::from_chars(parameter.initial.data(), end, word);
    if (error != std::errc() || stop != end)
      failAt(parameter,
             "expected \"undefined\" or an integer of 32 bits as initial value, got " + parameter.initial);
    return word;
  }
};

} // namespace

BoundLaunch bindLaunch(const LaunchRecord &record, const LaunchInputs &inputs) {
  return Binder(record, inputs).bind();
}

} // namespace sluice
