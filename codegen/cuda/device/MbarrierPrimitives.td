// Primitives on barriers in shared memory that count arrivals and bytes.

def Mbarrier : DeviceType<"Mbarrier.h", ["Mbarrier", "at", "address"]> {
  let summary = "one or several mbarriers in shared memory, 8 bytes each";
}

class OnBarrier<string instruction, string target = "sm_80"> : Primitive<"Mbarrier.h", ByThread, target> {
  let ptx = instruction;
  let proxy = Generic;
}
class OnRemoteBarrier<string instruction> : Primitive<"Cluster.h", ByThread, "sm_90"> {
  let ptx = instruction;
  let proxy = Generic;
}

def mbarrierInit : OnBarrier<"mbarrier.init.shared.b64"> {
  let summary = "a new barrier in phase 0 that waits for so many arrivals in each phase";
  let complete = "visible to the thread, to others after synchronisation";
  let mutations = ["skip", "moreArrivals", "fewerArrivals"];
  let overloads = [Overload<"void mbarrierInit(Mbarrier barrier, u32 count)", [
      Use<"mbarrierInit(bar, i)", ["STS.64"], ["SYNCS.EXCH.64"]>]>];
}
def mbarrierInvalidate : OnBarrier<"mbarrier.inval.shared.b64"> {
  let summary = "the barrier's memory is free for other uses";
  let complete = "the barrier is gone";
  let overloads = [Overload<"void mbarrierInvalidate(Mbarrier barrier)", [
      Use<"mbarrierInvalidate(bar)", [], ["SYNCS.CCTL.IV"]>]>];
}
def mbarrierFenceInit : OnBarrier<"fence.mbarrier_init.release.cluster", "sm_90"> {
  let summary = "after a barrier, the thread's initialisations are visible to asynchronous copies and to peers";
  let complete = "initialisations before it are ordered before what follows";
  let mutations = ["skip"];
  // Of the thread's own order; ptxas needs no instruction where a barrier follows.
  let overloads = [Overload<"void mbarrierFenceInit()", [
      Use<"mbarrierInit(bar, i); mbarrierFenceInit()", [], ["SYNCS.EXCH.64"]>]>];
}
def mbarrierArrive : OnBarrier<"mbarrier.arrive.release.cta.shared.b64"> {
  let summary = "one arrival, from sm_90 on a number of them";
  let complete = "nothing here; what the thread did before, for those who wait for the phase";
  let mutations = ["skip", "moreArrivals", "fewerArrivals"];
  let overloads = [
    Overload<"void mbarrierArrive(Mbarrier barrier)", [
      Use<"mbarrierArrive(bar)", ["ATOMS.ARRIVE.64"], ["SYNCS.ARRIVE.TRANS64.A1T0"]>]>,
    HopperOverload<"void mbarrierArrive(Mbarrier barrier, u32 count)", [
      Use<"mbarrierArrive(bar, i)", [], ["SYNCS.ARRIVE.TRANS64.ART0"]>]>];
}
def mbarrierExpect : OnBarrier<"mbarrier.expect_tx.relaxed.cta.shared::cta.b64", "sm_90"> {
  let summary = "the current phase waits for so many bytes more";
  let complete = "the bytes are expected; memory is not ordered";
  let mutations = ["skip", "lessBytes", "moreBytes"];
  let overloads = [Overload<"void mbarrierExpect(Mbarrier barrier, u32 bytes)", [
      Use<"mbarrierExpect(bar, i)", [], ["SYNCS.ARRIVE.TRANS64.RED.A0TR"]>]>];
}
def mbarrierArriveExpect : OnBarrier<"mbarrier.arrive.expect_tx.release.cta.shared::cta.b64", "sm_90"> {
  let summary = "expects bytes, then arrives once";
  let complete = "nothing here; what the thread did before, for those who wait for the phase";
  let mutations = ["skip", "lessBytes", "moreBytes", "moreArrivals", "fewerArrivals"];
  let overloads = [Overload<"void mbarrierArriveExpect(Mbarrier barrier, u32 bytes)", [
      Use<"mbarrierArriveExpect(bar, i)", [], ["SYNCS.ARRIVE.TRANS64"]>]>];
}
class BarrierWait<string instruction, string target = "sm_80"> : OnBarrier<instruction, target> {
  let complete = "what was released to the phase, and the bytes counted on it";
  let mutations = ["skip", "flipParity"];
}
def mbarrierWait : BarrierWait<"mbarrier.{try_wait,test_wait}.parity.acquire.cta in a loop"> {
  let summary = "waits for the phase of a parity";
  let overloads = [Overload<"void mbarrierWait(Mbarrier barrier, u32 parity)", [
      Use<"mbarrierWait(bar, i)", ["LDS R", "BRA"], ["SYNCS.PHASECHK.TRANS64.TRYWAIT"]>]>];
}
def mbarrierWaitCluster : BarrierWait<"mbarrier.try_wait.parity.acquire.cluster in a loop", "sm_90"> {
  let summary = "waits for the phase of a parity and acquires what peers released";
  let overloads = [Overload<"void mbarrierWaitCluster(Mbarrier barrier, u32 parity)", [
      Use<"mbarrierWaitCluster(bar, i)", [], ["SYNCS.PHASECHK.TRANS64.TRYWAIT"]>]>];
}
def mbarrierTest : BarrierWait<"mbarrier.test_wait.parity.acquire.cta"> {
  let summary = "whether the phase of a parity has completed; acquires if so";
  let mutations = ["flipParity"];
  let overloads = [Overload<"bool mbarrierTest(Mbarrier barrier, u32 parity)", [
      Use<"mbarrierTest(bar, i)", ["LDS R"], ["SYNCS.PHASECHK.TRANS64"]>]>];
}
def mbarrierArriveRemote : OnRemoteBarrier<"mbarrier.arrive.release.cluster.shared::cluster.b64"> {
  let summary = "arrivals on a peer's barrier, with release for the cluster";
  let complete = "nothing here; what the thread did before, for those who mbarrierWaitCluster";
  let mutations = ["skip", "moreArrivals", "fewerArrivals"];
  let overloads = [Overload<"void mbarrierArriveRemote(RemoteMbarrier barrier, u32 count = 1)", [
      Use<"mbarrierArriveRemote(mapMbarrier(bar, i), i)", [], ["SYNCS.ARRIVE.TRANS64.RED.ART0"]>,
      Use<"mbarrierArriveRemote(mapMbarrier(bar, i))", [], ["SYNCS.ARRIVE.TRANS64.RED.A1T0"]>]>];
}
def mbarrierExpectRemote : OnRemoteBarrier<"mbarrier.expect_tx.relaxed.cluster.shared::cluster.b64"> {
  let summary = "the current phase of a peer's barrier waits for so many bytes more";
  let complete = "the bytes are expected; memory is not ordered";
  let mutations = ["skip", "lessBytes", "moreBytes"];
  let overloads = [Overload<"void mbarrierExpectRemote(RemoteMbarrier barrier, u32 bytes)", [
      Use<"mbarrierExpectRemote(mapMbarrier(bar, i), i)", [], ["SYNCS.ARRIVE.TRANS64.RED.A0TR"]>]>];
}
