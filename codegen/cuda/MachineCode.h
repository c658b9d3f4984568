// What the assembler says of compiled kernels, without a GPU: registers, spills, stack, shared memory and
// warnings; and the gates that a kernel must pass before it is run.
#pragma once

#include "runtime/KernelPackage.h"

#include <map>
#include <string>
#include <vector>

namespace sluice {

/// All entry points of the log of `ptxas -v`, by name, each with the functions that it calls: the largest
/// stack frame, and all that they spill. Throws UserError if the log lacks a figure.
std::map<std::string, KernelResources> resourcesOfLog(const std::string &log);

/// What the machine code itself states.
struct CodeFigures {
  int64_t registers = 0;
  int64_t stackBytes = 0;
  int64_t maxThreads = 0;              ///< Of the launch bounds; 0: none.
  std::vector<int64_t> parameterBytes; ///< In the order of the parameters.
};
/// By entry point, from the attribute sections of a cubin. Throws UserError for what is no cubin.
std::map<std::string, CodeFigures> figuresOfCubin(const std::string &cubin);

/// The lines of ptxas that tell of lost performance, codes C7500 to C7599: setmaxnreg ignored, wgmma
/// serialised, waits injected. Each as "C7510: text". Those that name another entry point than `kernel` are
/// left out; functions that were not inlined may belong to any.
std::vector<std::string> lossWarnings(const std::string &log, const std::string &kernel);

/// Registers that a thread can have if `blocks` blocks of `threads` threads share a multiprocessor: the
/// register file's 65536, in the units of 8 that it is handed out in, at most 255. Both are at least 1.
int64_t registerBound(int64_t threads, int64_t blocks);

/// Throws UserError in one line, naming the kernel, for spills, a stack frame, threads or blocks below 1,
/// more registers than launch bounds of `threads` and the record's blocks per multiprocessor leave, or roles
/// that together want more registers than the block gets at launch.
void checkResources(const std::string &kernel, const KernelResources &resources, const LaunchRecord &record,
                    int64_t threads);
/// Without a record: spills and stack.
void checkResources(const std::string &kernel, const KernelResources &resources);

/// Blocks per multiprocessor of the kernel's launch bounds; 0: none stated. Throws UserError without the
/// entry point.
int64_t blocksPerSmOfPtx(const std::string &ptx, const std::string &kernel);
/// Throws UserError if the record states others.
void checkBlocksPerSm(const std::string &kernel, int64_t blocks, const LaunchRecord &record);

/// Throws UserError if the record passes other parameters than the kernel takes, or states other threads than
/// its launch bounds; threads that depend on sizes are compared at the launch.
void checkInterface(const std::string &kernel, const CodeFigures &figures, const LaunchRecord &record);

} // namespace sluice
