// Reading the assembler's log and machine code, and each gate at its limit.
#include "codegen/cuda/DeviceCompiler.h"
#include "codegen/cuda/MachineCode.h"
#include "codegen/cuda/PtxLines.h"
#include "test/cuda/TestFolder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using test::errorOf;
using testing::HasSubstr;

constexpr const char *log =
    "ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized due to "
    "x in the "
    "function 'two'\n"
    "ptxas info    : (C7508) Potential Performance Loss: 'setmaxnreg' ignored; unable to determine register "
    "count\n"
    "ptxas info    : (C7600) something else\n"
    "ptxas info    : 0 bytes gmem\n"
    "ptxas info    : Compiling entry function 'one' for 'sm_90a'\n"
    "ptxas info    : Function properties for one\n"
    "ptxas         .     16 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads\n"
    "ptxas info    : Used 24 registers, used 3 barriers, 256 bytes smem\n"
    "ptxas info    : Compiling entry function 'two' for 'sm_90a'\n"
    "ptxas info    : Function properties for two\n"
    "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
    "ptxas info    : Used 168 registers, 16 bytes cumulative stack size\n";

TEST(MachineCode, ReadsTheLog) {
  std::map<std::string, KernelResources> resources = resourcesOfLog(log);
  ASSERT_EQ(resources.size(), 2u);
  EXPECT_EQ(resources["one"].registers, 24);
  EXPECT_EQ(resources["one"].stackBytes, 16);
  EXPECT_EQ(resources["one"].spillStoreBytes, 4);
  EXPECT_EQ(resources["one"].spillLoadBytes, 8);
  EXPECT_EQ(resources["one"].sharedBytes, 256);
  EXPECT_EQ(resources["one"].barriers, 3);
  EXPECT_EQ(resources["two"].registers, 168);
  EXPECT_EQ(resources["two"].sharedBytes, 0);
}

TEST(MachineCode, MissesNoFigure) {
  std::string text = log;
  text.erase(text.find("ptxas info    : Used 168"));
  EXPECT_EQ(errorOf([&] { resourcesOfLog(text); }),
            "kernel 'two': expected registers, stack and spills in the assembler's log, got none");
}

TEST(MachineCode, WarningsBelongToTheirFunction) {
  EXPECT_THAT(lossWarnings(log, "two"),
              testing::ElementsAre(HasSubstr("C7510: Potential"), HasSubstr("C7508: ")));
  EXPECT_THAT(lossWarnings(log, "one"), testing::ElementsAre(HasSubstr("C7508: ")));
}

TEST(MachineCode, FunctionsCountForTheirKernel) {
  std::string text = log;
  text += "ptxas info    : Function properties for helper\n"
          "ptxas         .     24 bytes stack frame, 20 bytes spill stores, 16 bytes spill loads\n"
          "ptxas info    : Function properties for another\n"
          "ptxas         .     8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads\n";
  std::map<std::string, KernelResources> resources = resourcesOfLog(text);
  ASSERT_EQ(resources.size(), 2u);
  EXPECT_EQ(resources["two"].stackBytes, 24);
  EXPECT_EQ(resources["two"].spillStoreBytes, 24);
  EXPECT_EQ(resources["two"].spillLoadBytes, 20);
  EXPECT_EQ(resources["one"].spillStoreBytes, 4);
}

TEST(MachineCode, WarningsOfFunctionsBelongToEveryKernel) {
  std::string text = log;
  text += "ptxas info    : (C7519) warpgroup.arrive is injected in around line 7 by compiler in function "
          "'helper'\n";
  EXPECT_THAT(lossWarnings(text, "one"), testing::ElementsAre(HasSubstr("C7508: "), HasSubstr("C7519: ")));
}

constexpr const char *ptx = R"(.version 9.0
	.loc	1 7 3
	add.s64 	%rd1, %rd2, %rd3;
	.loc	2 40 3, function_name $L__info_string1, inlined_at 1 9 5
	.loc	1 8 9, function_name $L__info_string2, inlined_at 2 40 3
	.loc	3 20 1, function_name $L__info_string3, inlined_at 1 8 9
	ld.f32 	%f9, [%rd1];
	.loc	3 21 1, function_name $L__info_string3, inlined_at 2 40 3
	st.f32 	[%rd1], %f9;
	.loc	3 30 1
	ret;
	.file	1 "/somewhere/scan.cu"
	.file	2 "/somewhere/Types.h"
	.file	3 "/somewhere/Memory.h"
)";

TEST(PtxLines, TheInnermostOfTheSource) {
  EXPECT_EQ(sourceLineOf(ptx, 3, "scan.cu"), 7);
  EXPECT_EQ(sourceLineOf(ptx, 7, "scan.cu"), 8) << "a body that a header's loop calls";
  EXPECT_EQ(sourceLineOf(ptx, 9, "scan.cu"), 9);
  EXPECT_EQ(sourceLineOf(ptx, 7, "Types.h"), 40);
}

TEST(PtxLines, NothingWhereNothingIsSaid) {
  EXPECT_EQ(sourceLineOf(ptx, 1, "scan.cu"), std::nullopt);
  EXPECT_EQ(sourceLineOf(ptx, 11, "scan.cu"), std::nullopt) << "a header that nobody calls";
  EXPECT_EQ(sourceLineOf(ptx, 3, "can.cu"), std::nullopt);
  EXPECT_EQ(sourceLineOf("", 3, "scan.cu"), std::nullopt);
}

TEST(MachineCode, RefusesWhatIsNoCubin) {
  EXPECT_EQ(errorOf([] { figuresOfCubin(""); }), "expected a cubin, got something else");
  EXPECT_EQ(errorOf([] { figuresOfCubin(std::string(200, 'x')); }), "expected a cubin, got something else");
  std::string cubin = compileForDevice({"k.cu", "extern \"C\" __global__ void k() {}", {}}, "sm_80").cubin;
  EXPECT_EQ(figuresOfCubin(cubin).count("k"), 1u);
  // Cut anywhere, it is refused or lacks the figures; it is never read beyond its end.
  for (size_t bytes = 0; bytes < cubin.size(); bytes += 7) {
    std::string error = errorOf([&] { figuresOfCubin(cubin.substr(0, bytes)); });
    EXPECT_TRUE(error == "expected a cubin, got something else" || error == "no error") << bytes;
  }
}

LaunchRecord recordOf(int64_t threads, int64_t blocks) {
  LaunchRecord record;
  record.kernel = "k";
  record.threads = threads;
  record.blocksPerSm = blocks;
  return record;
}

TEST(Gates, RegistersWithinTheLaunchBounds) {
  EXPECT_EQ(registerBound(128, 1), 255);
  EXPECT_EQ(registerBound(256, 1), 255);
  EXPECT_EQ(registerBound(384, 1), 168);
  EXPECT_EQ(registerBound(1024, 1), 64);
  EXPECT_EQ(registerBound(1024, 2), 32);
  KernelResources resources;
  resources.registers = 168;
  EXPECT_EQ(errorOf([&] { checkResources("k", resources, recordOf(384, 1), 384); }), "no error");
  resources.registers = 169;
  EXPECT_EQ(
      errorOf([&] { checkResources("k", resources, recordOf(384, 1), 384); }),
      "kernel 'k': expected at most 168 registers for 1 blocks of 384 threads on a multiprocessor, got 169");
}

TEST(Gates, RecordsWithoutThreadsOrBlocksAreRefused) {
  const std::string expected = "kernel 'k': expected at least 1 thread and 1 block per multiprocessor, got ";
  EXPECT_EQ(errorOf([&] { checkResources("k", {}, recordOf(64, 0), 64); }), expected + "64 and 0");
  EXPECT_EQ(errorOf([&] { checkResources("k", {}, recordOf(0, 1), 0); }), expected + "0 and 1");
  EXPECT_EQ(errorOf([&] { checkResources("k", {}, recordOf(64, -2), 64); }), expected + "64 and -2");
}

TEST(Gates, RolesShareTheRegistersOfTheLaunch) {
  KernelResources resources;
  resources.registers = 168;
  LaunchRecord record = recordOf(384, 1);
  record.roles = {{"load", 128, 24}, {"multiply", 256, 240}};
  EXPECT_EQ(errorOf([&] { checkResources("k", resources, record, 384); }), "no error");
  record.roles[0].registers = 32;
  EXPECT_EQ(errorOf([&] { checkResources("k", resources, record, 384); }),
            "kernel 'k': expected roles of at most 64512 registers together, what 384 threads get at launch, "
            "got 65536");
  record.roles[0].registers = 0;
  EXPECT_THAT(errorOf([&] { checkResources("k", resources, record, 384); }), HasSubstr("got 82944"))
      << "a role without setmaxnreg keeps its registers";
}

TEST(Gates, BlocksPerMultiprocessorAsTheRecordStates) {
  std::string ptx = ".visible .entry other(\n.param .u64 a\n)\n.maxntid 64\n.minnctapersm 3\n{\nret;\n}\n"
                    ".visible .entry k(\n\n)\n.maxntid 64\n.minnctapersm 2\n{\nret;\n}\n"
                    ".visible .entry bare()\n.maxntid 64\n{\n.minnctapersm 7\n}\n";
  EXPECT_EQ(blocksPerSmOfPtx(ptx, "k"), 2);
  EXPECT_EQ(blocksPerSmOfPtx(ptx, "other"), 3);
  EXPECT_EQ(blocksPerSmOfPtx(ptx, "bare"), 0);
  EXPECT_EQ(errorOf([&] { blocksPerSmOfPtx(ptx, "absent"); }),
            "expected an entry point 'absent' in the PTX, got none");
  EXPECT_EQ(errorOf([&] { checkBlocksPerSm("k", 2, recordOf(64, 2)); }), "no error");
  EXPECT_EQ(errorOf([&] { checkBlocksPerSm("k", 2, recordOf(64, 1)); }),
            "kernel 'k': expected launch bounds of 1 blocks per multiprocessor, as the record states, got 2");
  EXPECT_EQ(
      errorOf([&] { checkBlocksPerSm("k", 0, recordOf(64, 1)); }),
      "kernel 'k': expected launch bounds of 1 blocks per multiprocessor, as the record states, got none");
}

TEST(Gates, SpillsAndStack) {
  KernelResources resources;
  resources.spillStoreBytes = 4;
  EXPECT_EQ(errorOf([&] { checkResources("k", resources); }),
            "kernel 'k': expected no spills, got 4 bytes stored and 0 loaded");
  resources = {};
  resources.spillLoadBytes = 8;
  EXPECT_EQ(errorOf([&] { checkResources("k", resources); }),
            "kernel 'k': expected no spills, got 0 bytes stored and 8 loaded");
  resources = {};
  resources.stackBytes = 16;
  EXPECT_EQ(errorOf([&] { checkResources("k", resources); }),
            "kernel 'k': expected no stack frame, got 16 bytes");
}

} // namespace
} // namespace sluice
