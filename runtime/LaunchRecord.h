// How a kernel is launched, as functions of the sizes: the one description that the GPU and the emulator launch
// from. A record travels in the package as JSON; bindLaunch turns it and the tensors of one call into numbers.
#pragma once

#include "runtime/Tensor.h"

#include <array>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

/// An integer function of the sizes, spelled as a formula: names of sizes, 64-bit integers, + - * / %, ceildiv(a, b),
/// min(a, b), max(a, b) and parentheses. Division is exact to the integer below; by zero it is an error.
class SizeExpression {
public:
  SizeExpression() : SizeExpression("1") {}
  template <std::integral Integer> SizeExpression(Integer value) : formula(std::to_string(value)) {}
  /// Throws UserError for a formula that does not parse.
  SizeExpression(std::string text);
  SizeExpression(const char *text) : SizeExpression(std::string(text)) {}

  /// Throws UserError for a name without a value, division by zero and overflow of 64 bits.
  int64_t evaluate(const std::map<std::string, int64_t> &sizes) const;
  /// The value if it has one without any size.
  std::optional<int64_t> constant() const;
  const std::string &text() const { return formula; }

private:
  std::string formula;
};

enum class Direction { read, write, readWrite };

/// The pattern of a tensor map's shared-memory tile; the values are those of CUtensorMapSwizzle.
enum class TileSwizzle { none, bytes32, bytes64, bytes128 };

/// A tensor map over one argument: what cuTensorMapEncodeTiled is called with. The innermost dimension comes first.
struct TensorMapRecord {
  /// Its dtype is that of the tensor parameter of this name; without one, that of the map's parameter.
  std::string argument;
  std::vector<SizeExpression> dims;           ///< 1 to 5, in elements.
  std::vector<SizeExpression> strides;        ///< Of dims 1.., in elements.
  std::vector<uint32_t> box;                  ///< In elements, at most 256 each.
  std::vector<uint32_t> elementStrides{};     ///< Empty: ones.
  TileSwizzle swizzle = TileSwizzle::none;
  bool fillNan = false;                       ///< Out of bounds: NaN rather than zero.
};

/// One kernel parameter, in the order of the kernel's signature.
struct ParameterRecord {
  enum class Kind {
    tensor,     ///< Global<T>: pointer to element `offset` of an argument.
    size,       ///< The value of an expression: i32 or u32 if the dtype says so, else i64.
    value,      ///< f32, i32 or u32 by dtype: given at the call by name.
    tensorMap,  ///< const TensorMap: 128 bytes.
    workspace   ///< Global<T>: memory allocated for the launch.
  };
  std::string name;
  Kind kind = Kind::tensor;
  DType dtype = DType::f32;
  Direction direction = Direction::read;       ///< Tensor and workspace.
  /// Tensor; strides in elements, none: dense, last dimension innermost.
  std::vector<SizeExpression> shape{}, strides{};
  SizeExpression offset = 0;                   ///< Tensor and tensor map, in elements.
  SizeExpression value = 0;                    ///< Size.
  TensorMapRecord map{};                       ///< Tensor map.
  SizeExpression bytes = 0;                    ///< Workspace.
  /// Workspace: "undefined", or the 32-bit value that every word holds before the kernel starts, e.g. "0".
  std::string initial = "undefined";
};

/// Threads of one role of a kernel and the registers each may use (setmaxnreg).
struct RoleRecord {
  std::string name;
  int64_t threads = 0;    ///< Whole warps; with registers, whole warpgroups.
  int64_t registers = 0;  ///< A multiple of 8 from 24 to 256; 0: what the launch gives.
};

/// Which blocks communicate.
enum class Residency {
  independent,  ///< None outside a cluster: blocks may run in any order, one at a time.
  cooperative   ///< Any: `residentBlocks` of them are resident at once.
};

struct LaunchRecord {
  std::string kernel;                          ///< Name of the entry point.
  std::vector<std::string> sizes;              ///< The names that expressions may use.
  std::array<SizeExpression, 3> grid;          ///< Blocks; 0 means nothing to launch.
  /// Per block, a multiple of 32, at most 1024; blocks are one-dimensional.
  SizeExpression threads = 128;
  std::array<SizeExpression, 3> cluster;       ///< Blocks of a cluster.
  SizeExpression sharedBytes = 0;              ///< Dynamic shared memory.
  int64_t blocksPerSm = 1;                     ///< As in the kernel's launch bounds.
  Residency residency = Residency::independent;
  /// Cooperative: how many blocks must be resident at once, whole clusters; 0: all of the grid, which may then all wait
  /// for each other. With fewer, others follow as blocks end, and a block may wait only for what has begun.
  SizeExpression residentBlocks = 0;
  std::vector<ParameterRecord> parameters;
  std::vector<RoleRecord> roles;               ///< Empty, or all threads of the block in order.
  uint32_t registersAtLaunch = 0;              ///< Per thread as compiled; 0: not known yet.
};

std::string toJson(const LaunchRecord &record);
/// Throws UserError naming the field that is missing, unknown or wrong.
LaunchRecord launchRecordFromJson(const std::string &text);

/// A tensor map with all numbers known. Strides in bytes.
struct TensorMapSpec {
  std::string argument;
  DType dtype = DType::f32;
  void *base = nullptr;
  std::vector<uint64_t> dims, strides;
  std::vector<uint32_t> box, elementStrides;
  TileSwizzle swizzle = TileSwizzle::none;
  bool fillNan = false;
};

/// One argument of one call. `data` is device memory of whatever runs the kernel.
struct LaunchTensor {
  void *data = nullptr;
  uint64_t bytes = 0;      ///< From `data` to the end of what the kernel may touch.
};

struct BoundParameter {
  std::string name;
  ParameterRecord::Kind kind = ParameterRecord::Kind::tensor;
  Direction direction = Direction::read;
  DType dtype = DType::f32;
  /// Of a tensor, and of a tensor map in the order of a tensor: for messages.
  std::vector<int64_t> shape;
  /// What the kernel receives: 8 bytes for tensor, workspace (filled in by the launcher) and size, 4 for what is i32,
  /// u32 or f32.
  std::array<uint8_t, 8> bytes{};
  uint32_t byteCount = 8;
  TensorMapSpec map;              ///< Tensor map: encoded by the launcher into the 128 bytes it passes.
  uint64_t workspaceBytes = 0;
  std::optional<uint32_t> initial; ///< Workspace: the value of every word; none: undefined.
};

/// One launch with all numbers known.
struct BoundLaunch {
  std::string kernel;
  std::array<uint32_t, 3> grid{1, 1, 1}, cluster{1, 1, 1};
  uint32_t threads = 128;
  uint64_t sharedBytes = 0;
  uint32_t blocksPerSm = 1;
  Residency residency = Residency::independent;
  uint64_t residentBlocks = 0;
  std::vector<BoundParameter> parameters;
  std::vector<RoleRecord> roles;
  uint32_t registersAtLaunch = 0;

  uint64_t blocks() const { return uint64_t(grid[0]) * grid[1] * grid[2]; }
};

/// What a call gives besides the record.
struct LaunchInputs {
  std::map<std::string, int64_t> sizes;
  std::map<std::string, LaunchTensor> tensors;
  std::map<std::string, double> values;
};

/// Evaluates the record. Throws UserError in one line, naming the kernel, for a size, tensor or value that is missing
/// or unknown, a tensor shorter than its shape and strides need or not aligned to its elements, a grid out of range (x
/// up to 2^31-1, y and z up to 65535), a thread count that is no multiple of 32 or above 1024, a cluster that does not
/// divide the grid or is above 8 blocks, roles that are not all threads of the block or whose registers setmaxnreg
/// cannot give, resident blocks that are no whole clusters or of a launch that is not cooperative. Without blocks in
/// the grid nothing is to be launched. A cooperative launch that leaves residentBlocks open gets the blocks of its
/// grid.
BoundLaunch bindLaunch(const LaunchRecord &record, const LaunchInputs &inputs);

} // namespace sluice
