// Primitives of threads among each other: where a thread is, warps, barriers, fences, collectives.

//===--- Kernel.h -------------------------------------------------------------------------------------------------===//

def SLUICE_KERNEL : Macro<"Kernel.h"> {
  let summary = "SLUICE_KERNEL(name, threads)(parameters): an entry point, launch bounds (threads, 1)";
}
def SLUICE_KERNEL_RESIDENT : Macro<"Kernel.h"> {
  let summary = "SLUICE_KERNEL_RESIDENT(name, threads, blocksPerSm)(parameters): launch bounds (threads, blocksPerSm)";
}
def SLUICE_EXPORT : Macro<"Kernel.h"> {
  let summary = "SLUICE_EXPORT(name) after the body: how the emulator finds the entry point";
}
def SLUICE_TENSOR_MAP : Macro<"Kernel.h"> {
  let summary = "SLUICE_TENSOR_MAP(name): a parameter that is a tensor map, as a grid constant";
}

def SLUICE_DEVICE : Macro<"Types.h"> {
  let summary = "SLUICE_DEVICE in front of a function that kernels call: always inlined";
}

class Place<string register> : Primitive<"Kernel.h"> {
  let ptx = register;
}
def threadIndex : Place<"%tid.x"> {
  let summary = "index of the thread in its block";
  let overloads = [Overload<"u32 threadIndex()", [Use<"threadIndex()", ["S2R R\\d+, SR_TID.X"]>]>];
}
def laneIndex : Place<"%tid.x"> {
  let summary = "index of the thread in its warp";
  let overloads = [Overload<"u32 laneIndex()", [Use<"laneIndex()", [".* SR_TID.X", "LOP3.LUT .* 0x1f,"]>]>];
}
def warpIndex : Place<"%tid.x"> {
  let summary = "index of the warp in its block";
  let overloads = [Overload<"u32 warpIndex()", [Use<"warpIndex()", [".* SR_TID.X", "SHF.R.U32.HI .* 0x5,"]>]>];
}
def blockIndex : Place<"%ctaid"> {
  let summary = "index of the block in the grid along an axis";
  let overloads = [Overload<"template <int Axis = 0> u32 blockIndex()", [
      Use<"blockIndex()", [".* SR_CTAID.X"]>, Use<"blockIndex<1>()", [".* SR_CTAID.Y"]>,
      Use<"blockIndex<2>()", [".* SR_CTAID.Z"]>]>];
}
def gridBlocks : Place<"%nctaid"> {
  let summary = "blocks of the grid along an axis";
  let overloads = [Overload<"template <int Axis = 0> u32 gridBlocks()", [
      Use<"gridBlocks()", []>, Use<"gridBlocks<1>()", []>, Use<"gridBlocks<2>()", []>]>];
}
def blockThreads : Place<"%ntid.x"> {
  let summary = "threads of the block";
  let overloads = [Overload<"u32 blockThreads()", [Use<"blockThreads()", []>]>];
}

//===--- Warp.h ---------------------------------------------------------------------------------------------------===//

class WarpExchange<string instruction> : Primitive<"Warp.h", ByWarp> {
  let ptx = instruction;
  let complete = "the result; memory is not ordered";
}
def shuffle : WarpExchange<"shfl.sync.idx.b32"> {
  let summary = "what a given lane gives";
  let valueArguments = ["lane"];
  let overloads = [Overload<"template <class T> T shuffle(T value, u32 lane)", [
      Use<"shuffle(f, i)", ["SHFL.IDX"]>, Use<"shuffle(i, 3u)", ["SHFL.IDX"]>, Use<"shuffle(k, i)", ["SHFL.IDX"]>]>];
}
def shuffleXor : WarpExchange<"shfl.sync.bfly.b32"> {
  let summary = "what the lane gives whose index differs in the bits of the mask";
  let valueArguments = ["mask"];
  let overloads = [Overload<"template <class T> T shuffleXor(T value, u32 mask)", [
      Use<"shuffleXor(f, 1u)", ["SHFL.BFLY .* 0x1,"]>]>];
}
def shuffleUp : WarpExchange<"shfl.sync.up.b32"> {
  let summary = "what the lane `delta` below gives; the lowest lanes keep their own";
  let valueArguments = ["delta"];
  let overloads = [Overload<"template <class T> T shuffleUp(T value, u32 delta)", [
      Use<"shuffleUp(f, 2u)", ["SHFL.UP .* 0x2,"]>]>];
}
def shuffleDown : WarpExchange<"shfl.sync.down.b32"> {
  let summary = "what the lane `delta` above gives; the highest lanes keep their own";
  let valueArguments = ["delta"];
  let overloads = [Overload<"template <class T> T shuffleDown(T value, u32 delta)", [
      Use<"shuffleDown(f, 4u)", ["SHFL.DOWN .* 0x4,"]>]>];
}
def ballotLanes : WarpExchange<"vote.sync.ballot.b32"> {
  let summary = "bit i: lane i's predicate";
  let overloads = [Overload<"u32 ballotLanes(bool predicate)", [Use<"ballotLanes(b)", ["VOTE.ANY R"]>]>];
}
def anyLane : WarpExchange<"vote.sync.any.pred"> {
  let summary = "whether any lane's predicate holds";
  let overloads = [Overload<"bool anyLane(bool predicate)", [Use<"anyLane(b)", ["VOTE.ANY"]>]>];
}
def allLanes : WarpExchange<"vote.sync.all.pred"> {
  let summary = "whether every lane's predicate holds";
  let overloads = [Overload<"bool allLanes(bool predicate)", [Use<"allLanes(b)", ["VOTE.ALL"]>]>];
}
def electLane : WarpExchange<"elect.sync"> {
  let summary = "true in one lane, which one is not said; before sm_90 in lane 0";
  let overloads = [Overload<"bool electLane()", [Use<"electLane()", [".* SR_TID.X"], ["ELECT"]>]>];
}
def warpUniform : WarpExchange<"shfl.sync.idx.b32"> {
  let summary = "lane 0's value in every lane, known to ptxas as uniform";
  let overloads = [Overload<"template <class T> T warpUniform(T value)", [
      Use<"warpUniform(i)", ["SHFL.IDX .* RZ"]>]>];
}
def opaque : Primitive<"Warp.h"> {
  let summary = "the value, as the compiler cannot know it";
  let overloads = [Overload<"template <class T> T opaque(T value)", [
      Use<"opaque(i)", []>, Use<"opaque(f)", []>, Use<"opaque(k)", []>, Use<"opaque(n)", []>]>];
}

//===--- Sync.h ---------------------------------------------------------------------------------------------------===//

class Barrier<Caller threads, string instruction> : Primitive<"Sync.h", threads> {
  let ptx = instruction;
  let proxy = Generic;
}
def syncThreads : Barrier<ByBlock, "barrier.sync.aligned 0"> {
  let summary = "barrier of the block";
  let complete = "accesses of all threads before it, for all threads after it";
  let mutations = ["skip"];
  let overloads = [Overload<"void syncThreads()", [Use<"syncThreads()", ["BAR.SYNC.DEFER_BLOCKING"]>]>];
}
def barrierSync : Barrier<ByWarps, "barrier.sync.aligned"> {
  let summary = "named barrier (1 to 15) of so many threads: arrives and waits";
  let complete = "accesses before the barrier of all who came";
  let mutations = ["skip", "moreArrivals", "fewerArrivals"];
  let overloads = [Overload<"void barrierSync(u32 id, u32 threads)", [
      Use<"barrierSync(3, 64)", ["BAR.SYNC.DEFER_BLOCKING 0x3, 0x40"]>,
      Use<"barrierSync(i, 128)", ["BAR.SYNC.DEFER_BLOCKING"]>]>];
}
def barrierArrive : Barrier<ByWarps, "barrier.arrive.aligned"> {
  let summary = "named barrier of so many threads: arrives and goes on";
  let complete = "nothing here; its accesses before, for those who wait";
  let mutations = ["skip", "moreArrivals", "fewerArrivals"];
  let overloads = [Overload<"void barrierArrive(u32 id, u32 threads)", [
      Use<"barrierArrive(3, 64)", ["BAR.ARV 0x3, 0x40"]>]>];
}
def syncWarp : Barrier<ByWarp, "bar.warp.sync"> {
  let summary = "barrier of the warp";
  let complete = "accesses of all lanes before it, for all lanes after it";
  let mutations = ["skip"];
  let overloads = [Overload<"void syncWarp()", [Use<"syncWarp()", []>]>];
}
class ProxyFence<string space> : Primitive<"Sync.h", ByThread, "sm_90"> {
  let proxy = Generic;
  let complete = "the thread's generic accesses before it are ordered before asynchronous ones that come after";
  let mutations = ["skip"];
  let ptx = "fence.proxy.async" # space;
}
def fenceProxyAsyncShared : ProxyFence<".shared::cta"> {
  let summary = "fence between the proxies on the block's shared memory";
  let overloads = [Overload<"void fenceProxyAsyncShared()", [
      Use<"fenceProxyAsyncShared()", [], ["FENCE.VIEW.ASYNC.S"]>]>];
}
def fenceProxyAsyncGlobal : ProxyFence<".global"> {
  let summary = "fence between the proxies on global memory";
  let overloads = [Overload<"void fenceProxyAsyncGlobal()", [
      Use<"fenceProxyAsyncGlobal()", [], ["FENCE.VIEW.ASYNC.G"]>]>];
}
def fenceProxyAsync : ProxyFence<""> {
  let summary = "fence between the proxies on all memory";
  let overloads = [Overload<"void fenceProxyAsync()", [
      Use<"fenceProxyAsync()", [], ["MEMBAR.ALL.GPU", "FENCE.VIEW.ASYNC.S"]>]>];
}
def increaseRegisters : Primitive<"Sync.h", ByWarpgroup, "sm_90a"> {
  let summary = "waits until the block has so many registers per thread to give (24 to 256, a multiple of 8)";
  let ptx = "setmaxnreg.inc.sync.aligned.u32";
  let complete = "the registers are there";
  let mutations = ["skip"];
  let overloads = [Overload<"template <int Registers> void increaseRegisters()", [
      Use<"increaseRegisters<232>()", [], ["USETMAXREG.* 0xe8"]>]>];
}
def decreaseRegisters : Primitive<"Sync.h", ByWarpgroup, "sm_90a"> {
  let summary = "frees the registers above that number";
  let ptx = "setmaxnreg.dec.sync.aligned.u32";
  let complete = "the registers are free for other warpgroups";
  let mutations = ["skip"];
  let overloads = [Overload<"template <int Registers> void decreaseRegisters()", [
      Use<"decreaseRegisters<24>()", [], ["USETMAXREG.* 0x18"]>]>];
}

//===--- Collectives.h --------------------------------------------------------------------------------------------===//

class Collective<Caller threads> : Primitive<"Collectives.h", threads>;
def warpSum : Collective<ByWarp> {
  let summary = "sum over the lanes, a butterfly: the same bits in every lane";
  let overloads = [Overload<"template <class T> T warpSum(T value)", [
      Use<"warpSum(f)", ["SHFL.BFLY .* 0x10,", "FADD"]>, Use<"warpSum(i)", ["SHFL.BFLY"]>,
      Use<"warpSum(k)", ["SHFL.BFLY"]>]>];
}
def warpMax : Collective<ByWarp> {
  let summary = "largest over the lanes; of floats, a NaN loses";
  let overloads = [
    Overload<"f32 warpMax(f32 value)", [Use<"warpMax(f)", ["SHFL.BFLY", "FMNMX .*!PT"]>]>,
    Overload<"u32 warpMax(u32 value)", [Use<"warpMax(i)", ["SHFL.BFLY", "IMNMX.U32|VIMNMX.U32"]>]>,
    Overload<"i32 warpMax(i32 value)", [Use<"warpMax(k)", ["SHFL.BFLY", "IMNMX|VIMNMX"]>]>];
}
def warpInclusiveSum : Collective<ByWarp> {
  let summary = "sum over this lane and those below";
  let overloads = [Overload<"f32 warpInclusiveSum(f32 value)", [Use<"warpInclusiveSum(f)", ["SHFL.UP", "FADD"]>]>];
}
class BlockCollective : Collective<ByBlock> {
  let proxy = Generic;
  let complete = "the result; the scratch, an f32 for each warp, is free again";
}
def blockSum : BlockCollective {
  let summary = "sum over the block, warps in order: the same bits in every thread";
  let overloads = [Overload<"f32 blockSum(f32 value, Shared<f32> scratch)", [
      Use<"blockSum(f, s)", ["BAR.SYNC.DEFER_BLOCKING", "SHFL.BFLY", "STS", "LDS"]>]>];
}
def blockMax : BlockCollective {
  let summary = "largest over the block; a NaN loses";
  let overloads = [Overload<"f32 blockMax(f32 value, Shared<f32> scratch)", [
      Use<"blockMax(f, s)", ["BAR.SYNC.DEFER_BLOCKING", "SHFL.BFLY", "FMNMX"]>]>];
}
def blockInclusiveSum : BlockCollective {
  let summary = "sum over this thread and those below";
  let overloads = [Overload<"f32 blockInclusiveSum(f32 value, Shared<f32> scratch)", [
      Use<"blockInclusiveSum(f, s)", ["BAR.SYNC.DEFER_BLOCKING", "SHFL.UP", "FADD"]>]>];
}
def exp2Fma : Collective<ByThread> {
  let summary = "2^x of fma and products only, within 1 ulp, the same bits everywhere";
  let overloads = [Overload<"f32 exp2Fma(f32 x)", [Use<"exp2Fma(f)", ["FFMA", "FMUL"]>]>];
}

//===--- Cluster.h, the barrier -----------------------------------------------------------------------------------===//

class ClusterPlace<string register> : Primitive<"Cluster.h", ByThread, "sm_90"> {
  let ptx = register;
}
def clusterRank : ClusterPlace<"%cluster_ctarank"> {
  let summary = "index of the block in its cluster";
  let overloads = [Overload<"u32 clusterRank()", [Use<"clusterRank()", [], [".* SR_CgaCtaId"]>]>];
}
def clusterBlocks : ClusterPlace<"%cluster_nctarank"> {
  let summary = "blocks of the cluster";
  let overloads = [Overload<"u32 clusterBlocks()", [Use<"clusterBlocks()", [], []>]>];
}
class ClusterBarrier<string instruction> : Primitive<"Cluster.h", ByCluster, "sm_90"> {
  let ptx = instruction;
  let proxy = Generic;
}
def clusterArrive : ClusterBarrier<"barrier.cluster.arrive.release.aligned"> {
  let summary = "arrives at the cluster's barrier, with release";
  let complete = "nothing here; its accesses before, for those who have waited";
  let mutations = ["skip", "relaxed"];
  let overloads = [Overload<"void clusterArrive()", [Use<"clusterArrive()", [], ["MEMBAR.ALL.GPU", "UCGABAR_ARV"]>]>];
}
def clusterArriveRelaxed : ClusterBarrier<"barrier.cluster.arrive.relaxed.aligned"> {
  let summary = "arrives without ordering memory";
  let complete = "nothing";
  let mutations = ["skip"];
  let overloads = [Overload<"void clusterArriveRelaxed()", [
      Use<"clusterArriveRelaxed()", [], ["UCGABAR_ARV", "!MEMBAR.ALL.GPU"]>]>];
}
def clusterWait : ClusterBarrier<"barrier.cluster.wait.acquire.aligned"> {
  let summary = "waits for the arrival of every thread of the cluster, with acquire";
  let complete = "accesses of all before their releasing arrivals";
  let mutations = ["skip"];
  let overloads = [Overload<"void clusterWait()", [Use<"clusterWait()", [], ["UCGABAR_WAIT"]>]>];
}
