// Where the tensors of a straight-line body live in scratch: offsets by lifetime, decided before any code.
#pragma once

#include "mlir/IR/Block.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>

namespace sluice::cpu {

/// Hands out places at the end of an arena; all are aligned to 64 bytes.
class ArenaLayout {
public:
  int64_t take(int64_t bytes);
  int64_t size() const { return end; }

private:
  int64_t end = 0;
};

int64_t bytesOf(mlir::Type tensorOrMemref);

/// A block argument that has a place of its own before the body starts.
struct PinnedArgument {
  mlir::BlockArgument argument;
  int64_t offset = 0;          ///< In the arena.
  mlir::Value next;            ///< The yielded value that must be here when the body ends; null: never written.
};

/// The plan of one body. Values that need no place: constants that only start sums, and products that are added
/// to another tensor in place.
class BufferPlan {
public:
  /// Arguments that are not pinned are loaded from their ports before their first use; new places start at
  /// `base`. The places of `external` values are known to the caller, who writes nothing else there.
  BufferPlan(mlir::Block &body, llvm::ArrayRef<PinnedArgument> pinned, llvm::ArrayRef<mlir::Value> external,
             int64_t base);

  bool hasPlace(mlir::Value value) const { return placeOf.contains(value); }
  int64_t offsetOf(mlir::Value value) const;
  /// The first byte after all places.
  int64_t end() const { return arenaEnd; }
  /// The op before which a loaded argument must be there: its first user. Null: it is not used.
  mlir::Operation *firstUser(mlir::BlockArgument argument) const;
  unsigned inPlaceCount() const { return reused; }

private:
  struct Place {
    int64_t bytes = 0;
    int first = 0, last = 0;      ///< Positions in the body, inclusive.
    int64_t offset = -1;          ///< Fixed from the start for pinned and external ones.
    bool writable = true;
    int reusedAt = -1;            ///< Position of the op that took it over last.
  };

  void measureLifetimes();
  void placePinned(llvm::ArrayRef<PinnedArgument> pinned);
  void placeResults(mlir::Operation &op);
  std::optional<unsigned> placeToReuse(mlir::Operation &op, unsigned result);
  bool diesHere(mlir::Value value, mlir::Operation &op) const;
  unsigned newPlace(mlir::Value value, int first);
  void extend(unsigned place, mlir::Value value);
  void assignOffsets(int64_t base);

  mlir::Block &body;
  llvm::DenseMap<mlir::Operation *, int> positions;
  llvm::DenseMap<mlir::Value, int> firstUse, lastUse;
  llvm::DenseMap<mlir::Value, unsigned> placeOf;
  llvm::DenseMap<mlir::Value, unsigned> pinnedTarget;  ///< Yielded value -> place where it should end up.
  llvm::SmallVector<Place> places;
  int64_t arenaEnd = 0;
  unsigned reused = 0;
};

/// The operands of `op` that are read from memory: neither the initial values of a generic nor those of a
/// product that is added in place, but the operands of that product.
llvm::SmallVector<mlir::Value> memoryOperands(mlir::Operation &op);
/// Whether `op` is a product whose result is added in place by its one user.
bool isAddedInPlace(mlir::Operation &op);

} // namespace sluice::cpu
