// One scan as a function over buffers that obeys runtime/KernelTask.h.
#pragma once

#include "codegen/cpu/BufferPlan.h"
#include "codegen/cpu/TaskMemory.h"
#include "codegen/cpu/TaskPorts.h"
#include "codegen/cpu/kernels/Kernels.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <optional>

namespace sluice::cpu {

/// The place of the loop: which step, its first token, how many of its tokens exist.
struct StepPosition {
  mlir::Value step, firstToken, rows;  ///< index
};

/// Lowers one scan, prepared by cpu-scan-to-linalg. Fails, with a diagnostic, for an op that has no kernel.
class ScanLowering {
public:
  ScanLowering(recur::ScanOp scan, KernelEmitter &kernels);

  mlir::FailureOr<mlir::func::FuncOp> run();
  int64_t scratchBytes() const { return scratchEnd; }
  unsigned inPlaceCount() const;

private:
  /// What one emission of a body needs besides its plan.
  struct BodyFrame {
    mlir::Block &block;
    const BufferPlan &plan;
    StepPosition position;
    llvm::DenseMap<mlir::Value, mlir::Value> external;  ///< Values at places known at run time.
  };

  // Set-up
  mlir::LogicalResult checkOps();
  void openFunction();
  void readTask(mlir::Value task);
  void planArena();
  BufferPlan planBody(mlir::Block &block, int64_t base);
  bool hasSlots() { return !scan.getRecompute().empty(); }
  bool isSlotInput(unsigned input);

  // Loops
  void emitPrologue();
  void emitSteps();
  void emitSegments();
  void emitSegment(mlir::Value first, mlir::Value count);
  void emitEpilogue();
  StepPosition positionOf(mlir::Value step);
  mlir::Value slotAt(mlir::Value index);

  // Bodies
  void emitBody(const BodyFrame &frame);
  void emitOp(const BodyFrame &frame, mlir::Operation &op);
  void emitAccumulation(const BodyFrame &frame, mlir::Operation &add);
  void loadArguments(const BodyFrame &frame, mlir::Operation &before);
  void storeOutputs(const BodyFrame &frame, mlir::Value value);
  void copyCarried(const BodyFrame &frame);
  mlir::Value bufferOf(const BodyFrame &frame, mlir::Value value);
  mlir::Value allocate(mlir::MemRefType type);

  // Prefetching
  void prefetchRows(const BodyFrame &frame);
  void prefetchPort(unsigned port, int64_t bytes, const StepPosition &position);

  // Ports
  RowsView viewOf(unsigned port, mlir::Type tensor, const StepPosition &position);
  mlir::Value elementPointer(unsigned port, mlir::Value element);
  /// A port's elements of this step in tensors, and in the buffer as rows.
  struct PortRows {
    RowsView view;
    mlir::Value rows;
    bool scalars;
  };
  PortRows rowsOf(unsigned port, mlir::Value buffer, const StepPosition &position);
  void loadPort(unsigned port, mlir::Value buffer, const StepPosition &position);
  void storePort(unsigned port, mlir::Value buffer, const StepPosition &position);
  void fillMask(recur::PortAttr port, mlir::Value buffer, const StepPosition &position);

  mlir::Value constant(int64_t value);
  mlir::Value ceilDiv(mlir::Value count, int64_t divisor);
  mlir::Value i64(mlir::Value index);

  recur::ScanOp scan;
  KernelEmitter &kernels;
  mlir::OpBuilder builder;
  mlir::Location loc;
  std::vector<Port> ports;
  llvm::SmallVector<unsigned> inputPort, outputPort, carriedPort;  ///< First task port of each.
  int64_t keys;

  mlir::func::FuncOp function;
  mlir::Value tokens, columns;  ///< index
  llvm::SmallVector<mlir::Value> pointers, strides;
  mlir::Value scratchPointer;
  llvm::DenseSet<unsigned> fetchedByProducts;  ///< Ports whose next rows the body's products fetch.
  std::optional<Arena> arena;
  llvm::DenseMap<mlir::Value, int64_t> persistent;  ///< Offsets of per-head inputs and carried values.
  int64_t slots = 0;                                ///< Offset of the states of a segment.
  std::optional<BufferPlan> bodyPlan, recomputePlan;
  int64_t kernelBase = 0, kernelNext = 0, scratchEnd = 0;  ///< Scratch of kernels, after all places.
};

} // namespace sluice::cpu
