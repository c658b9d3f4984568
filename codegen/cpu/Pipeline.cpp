// From scans to the LLVM dialect: our two passes, functions of the math dialect as polynomials, then upstream's
// conversions, all in one walk because the time to the first result counts.

#include "codegen/cpu/Passes.h"
#include "codegen/cpu/kernels/Kernels.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace sluice::cpu {
namespace {

struct ExpToPolynomial : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, emitExp(rewriter, op.getLoc(), op.getOperand()));
    return success();
  }
};

struct RsqrtToDivision : OpRewritePattern<math::RsqrtOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::RsqrtOp op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    TypedAttr one = rewriter.getF32FloatAttr(1);
    if (auto vector = dyn_cast<VectorType>(type))
      one = DenseElementsAttr::get(vector, 1.0f);
    Value root = math::SqrtOp::create(rewriter, op.getLoc(), op.getOperand());
    rewriter.replaceOpWithNewOp<arith::DivFOp>(op, arith::ConstantOp::create(rewriter, op.getLoc(), one), root);
    return success();
  }
};

/// Calls into libm would be slow and make results depend on the machine's.
struct ExpandMath : PassWrapper<ExpandMath, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ExpandMath)
  StringRef getArgument() const override { return "cpu-expand-math"; }

  void runOnOperation() override {
    SmallVector<Operation *> found;
    getOperation().walk([&](Operation *op) {
      if (isa<math::MathDialect>(op->getDialect()))
        found.push_back(op);
    });
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpToPolynomial, RsqrtToDivision>(&getContext());
    populateMathPolynomialApproximationPatterns(
        patterns, [](StringRef name) { return name != "math.exp"; });
    if (failed(applyOpPatternsGreedily(found, std::move(patterns))))
      signalPassFailure();
  }
};

struct ToLLVM : PassWrapper<ToLLVM, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ToLLVM)
  StringRef getArgument() const override { return "cpu-to-llvm"; }
  void getDependentDialects(DialectRegistry &registry) const override { registry.insert<LLVM::LLVMDialect>(); }

  void runOnOperation() override {
    MLIRContext *context = &getContext();
    LowerToLLVMOptions options(context);
    options.useBarePtrCallConv = true;
    LLVMTypeConverter converter(context, options);
    RewritePatternSet patterns(context);
    vector::populateVectorMaskMaterializationPatterns(patterns, /*force32BitVectorIndices=*/true);
    vector::populateVectorMaskOpLoweringPatterns(patterns);
    vector::populateVectorShapeCastLoweringPatterns(patterns);
    vector::populateVectorTransposeLoweringPatterns(patterns, vector::VectorTransposeLowering::Shuffle1D);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    LLVMConversionTarget target(*context);
    target.addLegalOp<ModuleOp>();
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

void buildScanPipeline(OpPassManager &manager) {
  manager.addPass(createCpuScanToLinalg());
  manager.addPass(createCpuLowerScan());
}

void buildLLVMPipeline(OpPassManager &manager) {
  manager.addPass(std::make_unique<ExpandMath>());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(std::make_unique<ToLLVM>());
  manager.addPass(createReconcileUnrealizedCastsPass());
}

void registerPipeline() {
  PassPipelineRegistration<>("cpu-pipeline", "scans to the LLVM dialect", [](OpPassManager &manager) {
    buildScanPipeline(manager);
    buildLLVMPipeline(manager);
  });
}

} // namespace sluice::cpu
