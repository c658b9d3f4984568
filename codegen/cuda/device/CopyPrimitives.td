// Primitives that copy asynchronously: cp.async by each thread, boxes and contiguous pieces by one thread. Also access
// to the shared memory of a cluster's blocks.

//===--- AsyncCopy.h ----------------------------------------------------------------------------------------------===//

def cpAsync : Primitive<"AsyncCopy.h"> {
  let summary = "copies 4, 8 or 16 bytes to shared memory, the rest of them zeros beyond `sourceBytes`";
  let ptx = "cp.async.{ca,cg}.shared.global";
  let proxy = Generic;
  let completion = ByCopyGroup;
  let complete = "the destination is written, for this thread";
  let mutations = ["skip", "lessBytes"];
  let valueArguments = ["sourceBytes", "predicate"];
  let overloads = [
    Overload<"template <int Bytes, class T, class U> void cpAsync(Shared<T> destination, Global<U> source)", [
      Use<"cpAsync<16>(h, ch)", ["LDGSTS.E.BYPASS.128(.ZFILL)?"]>, Use<"cpAsync<8>(h, gh)", ["LDGSTS.E.64"]>,
      Use<"cpAsync<4>(s, c)", ["LDGSTS.E"]>]>,
    Overload<"template <int Bytes, class T, class U> "
             "void cpAsync(Shared<T> destination, Global<U> source, u32 sourceBytes)", [
      Use<"cpAsync<16>(h, ch, i)", ["LDGSTS.E.BYPASS.128(.ZFILL)?"]>,
      Use<"cpAsync<4>(h, ch, 2u)", ["LDGSTS.E.ZFILL"]>]>,
    Overload<"template <int Bytes, class T, class U> "
             "void cpAsync(Shared<T> destination, Global<U> source, bool predicate)", [
      Use<"cpAsync<16>(h, ch, b)", ["LDGSTS.E.BYPASS.128(.ZFILL)?"]>, Use<"cpAsync<4>(s, c, b)", ["LDGSTS.E"]>]>];
}
def cpAsyncCommit : Primitive<"AsyncCopy.h"> {
  let summary = "the thread's copies since the last commit form a group";
  let ptx = "cp.async.commit_group";
  let complete = "nothing";
  let mutations = ["skip"];
  let overloads = [Overload<"void cpAsyncCommit()", [Use<"cpAsyncCommit()", ["LDGDEPBAR"]>]>];
}
def cpAsyncWait : Primitive<"AsyncCopy.h"> {
  let summary = "waits until at most so many of the thread's youngest groups are unfinished";
  let ptx = "cp.async.wait_group";
  let complete = "what the other groups copied, for this thread only";
  let mutations = ["skip", "pendingPlusOne"];
  let overloads = [Overload<"template <int Pending> void cpAsyncWait()", [
      Use<"cpAsyncWait<0>()", ["DEPBAR.LE SB0, 0x0"]>, Use<"cpAsyncWait<2>()", ["DEPBAR.LE SB0, 0x2"]>]>];
}
def cpAsyncArrive : Primitive<"AsyncCopy.h"> {
  let summary = "one arrival on a barrier, which its count includes, when the thread's copies so far have landed";
  let ptx = "cp.async.mbarrier.arrive.noinc.shared.b64";
  let completion = ByMbarrierArrival;
  let complete = "the thread's copies, for whoever waits for the phase";
  let mutations = ["skip"];
  let overloads = [Overload<"void cpAsyncArrive(Mbarrier barrier)", [
      Use<"cpAsyncArrive(bar)", ["ARRIVES.LDGSTSBAR.64"], ["ARRIVES.LDGSTSBAR.64.ARVCNT"]>]>];
}

//===--- TensorCopy.h ---------------------------------------------------------------------------------------------===//

def TensorMap : DeviceType<"TensorCopy.h", ["opaque"]> {
  let summary = "a tensor map as the driver encodes it, 128 bytes";
}

class BulkCopy<Completion how, string instruction> : Primitive<"TensorCopy.h", ByThread, "sm_90"> {
  let ptx = instruction;
  let proxy = Async;
  let completion = how;
  let layouts = ["swizzled"];
  let mutations = ["skip"];
}
/// A signature and a use for each number of coordinates, after `before`.
class Ranks<string template, string word, string before, string call, string opcode, string hint,
            string tail = ""> {
  string s1 = template # " void " # word # "(" # before # ", i32 c0";
  string s2 = s1 # ", i32 c1";
  string s3 = s2 # ", i32 c2";
  string s4 = s3 # ", i32 c3";
  string s5 = s4 # ", i32 c4";
  string w = word # "(" # call;
  string hinted = word # "<Eviction::first>(" # call;
  list<Overload> of = [
    Overload<s1 # ")", [Use<w # ", k)", [], [opcode # "1D" # tail]>,
                        Use<hinted # ", k)", [], [opcode # "1D" # tail # hint]>]>,
    Overload<s2 # ")", [Use<w # ", k, 1)", [], [opcode # "2D" # tail]>,
                        Use<hinted # ", k, 1)", [], [opcode # "2D" # tail # hint]>]>,
    Overload<s3 # ")", [Use<w # ", k, 1, 2)", [], [opcode # "3D" # tail]>,
                        Use<hinted # ", k, 1, 2)", [], [opcode # "3D" # tail # hint]>]>,
    Overload<s4 # ")", [Use<w # ", k, 1, 2, 3)", [], [opcode # "4D" # tail]>,
                        Use<hinted # ", k, 1, 2, 3)", [], [opcode # "4D" # tail # hint]>]>,
    Overload<s5 # ")", [Use<w # ", k, 1, 2, 3, 4)", [], [opcode # "5D" # tail]>,
                        Use<hinted # ", k, 1, 2, 3, 4)", [], [opcode # "5D" # tail # hint]>]>];
}
def tensorLoad : BulkCopy<ByMbarrier, "cp.async.bulk.tensor.shared::cluster.global.tile.mbarrier::complete_tx::bytes"> {
  let summary = "loads a box, what lies outside the tensor filled; the destination is aligned to 128 bytes";
  let complete = "the box, its bytes counted on the barrier, for whoever waits for that phase";
  let valueArguments = ["destination", "c0", "c1", "c2", "c3", "c4"];
  let overloads = Ranks<"template <Eviction E = Eviction::normal, class T>", "tensorLoad",
      "Shared<T> destination, const TensorMap &map, Mbarrier barrier", "h, map, bar", "UTMALDG.", " .*desc\\[">.of;
}
def tensorLoadMulticast
    : BulkCopy<ByMbarrier, "cp.async.bulk.tensor...mbarrier::complete_tx::bytes.multicast::cluster"> {
  let summary = "tensorLoad into the same place of every block of the cluster that the mask names";
  let complete = "in each block the box, counted on that block's barrier";
  let valueArguments = ["destination", "mask", "c0", "c1", "c2", "c3", "c4"];
  let overloads = Ranks<"template <Eviction E = Eviction::normal, class T>", "tensorLoadMulticast",
      "Shared<T> destination, const TensorMap &map, Mbarrier barrier, u16 mask", "h, map, bar, u16(i)",
      "UTMALDG.", " .*desc\\[", ".MULTICAST">.of;
}
def tensorStore : BulkCopy<ByBulkGroup, "cp.async.bulk.tensor.global.shared::cta.tile.bulk_group"> {
  let summary = "stores a box; what lies outside the tensor is dropped";
  let complete = "with bulkWaitRead the source is free; with bulkWait the writes are done";
  let valueArguments = ["source", "c0", "c1", "c2", "c3", "c4"];
  let overloads = Ranks<"template <Eviction E = Eviction::normal, class T>", "tensorStore",
      "const TensorMap &map, Shared<T> source", "map, h", "UTMASTG.", " .*desc\\[">.of;
}
def prefetchTensorMap : Primitive<"TensorCopy.h", ByThread, "sm_90"> {
  let summary = "a hint that brings the map into the cache";
  let ptx = "prefetch.tensormap";
  let complete = "nothing that can be observed";
  let overloads = [Overload<"void prefetchTensorMap(const TensorMap &map)", [
      Use<"prefetchTensorMap(map)", [], ["UTMACCTL.PF"]>]>];
}
def bulkLoad : BulkCopy<ByMbarrier, "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes"> {
  let summary = "loads contiguous bytes; addresses and count are multiples of 16";
  let complete = "the bytes, counted on the barrier, for whoever waits for that phase";
  let mutations = ["skip", "lessBytes"];
  let overloads = [Overload<"template <Eviction E = Eviction::normal, class T, class U> "
      "void bulkLoad(Shared<T> destination, Global<U> source, u32 bytes, Mbarrier barrier)", [
      Use<"bulkLoad(h, ch, i, bar)", [], ["UBLKCP.S.G \\["]>,
      Use<"bulkLoad<Eviction::last>(h, gh, 64, bar)", [], ["UBLKCP.S.G \\[.*desc"]>]>];
}
def bulkLoadMulticast
    : BulkCopy<ByMbarrier, "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster"> {
  let summary = "bulkLoad into the same place of every block of the cluster that the mask names";
  let complete = "in each block the bytes, counted on that block's barrier";
  let mutations = ["skip", "lessBytes"];
  let valueArguments = ["mask"];
  let overloads = [Overload<"template <Eviction E = Eviction::normal, class T, class U> "
      "void bulkLoadMulticast(Shared<T> destination, Global<U> source, u32 bytes, Mbarrier barrier, u16 mask)", [
      Use<"bulkLoadMulticast(h, ch, i, bar, u16(i))", [], ["UBLKCP.S.G.MULTICAST"]>,
      Use<"bulkLoadMulticast<Eviction::unchanged>(h, ch, i, bar, u16(i))", [], ["UBLKCP.S.G.MULTICAST .*desc"]>]>];
}
def bulkStore : BulkCopy<ByBulkGroup, "cp.async.bulk.global.shared::cta.bulk_group"> {
  let summary = "stores contiguous bytes; addresses and count are multiples of 16";
  let complete = "with bulkWaitRead the source is free; with bulkWait the writes are done";
  let mutations = ["skip", "lessBytes"];
  let overloads = [Overload<"template <Eviction E = Eviction::normal, class T> "
      "void bulkStore(Global<T> destination, Shared<T> source, u32 bytes)", [
      Use<"bulkStore(gh, h, i)", [], ["UBLKCP.G.S"]>,
      Use<"bulkStore<Eviction::first>(gh, h, i)", [], ["UBLKCP.G.S .*desc"]>]>];
}
def bulkCopyToPeer : BulkCopy<ByMbarrier, "cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes"> {
  let summary = "copies contiguous bytes to a block of the cluster";
  let complete = "the bytes, counted on the peer's barrier; that phase also says that the source has been read";
  let mutations = ["skip", "lessBytes"];
  let overloads = [Overload<"template <class T> void bulkCopyToPeer(RemoteShared<T> destination, Shared<T> source, "
      "u32 bytes, RemoteMbarrier barrier)", [
      Use<"bulkCopyToPeer(mapShared(h, i), h, i, mapMbarrier(bar, i))", [], ["UBLKCP.S.S"]>]>];
}

class BulkGroup<string instruction> : Primitive<"TensorCopy.h", ByThread, "sm_90"> {
  let ptx = instruction;
}
def bulkCommit : BulkGroup<"cp.async.bulk.commit_group"> {
  let summary = "the thread's stores since the last commit form a group";
  let complete = "nothing";
  let mutations = ["skip"];
  let overloads = [Overload<"void bulkCommit()", [Use<"bulkCommit()", [], ["UTMACMDFLUSH"]>]>];
}
def bulkWait : BulkGroup<"cp.async.bulk.wait_group"> {
  let summary = "waits until at most so many of the thread's youngest groups are unfinished";
  let complete = "the writes of the other groups, visible to the thread";
  let mutations = ["skip", "pendingPlusOne", "readForFull"];
  let overloads = [Overload<"template <int Pending> void bulkWait()", [
      Use<"bulkWait<0>()", [], ["DEPBAR.LE SB0, 0x0", "CCTL.IVALL"]>,
      Use<"bulkWait<1>()", [], ["DEPBAR.LE SB0, 0x1", "CCTL.IVALL"]>]>];
}
def bulkWaitRead : BulkGroup<"cp.async.bulk.wait_group.read"> {
  let summary = "waits until at most so many of the thread's youngest groups still read their sources";
  let complete = "the sources of the other groups are free; nothing is said of what they wrote";
  let mutations = ["skip", "pendingPlusOne"];
  let overloads = [Overload<"template <int Pending> void bulkWaitRead()", [
      Use<"bulkWaitRead<0>()", [], ["DEPBAR.LE SB0, 0x0", "!CCTL.IVALL"]>,
      Use<"bulkWaitRead<1>()", [], ["DEPBAR.LE SB0, 0x1"]>]>];
}

//===--- Cluster.h ------------------------------------------------------------------------------------------------===//

def RemoteShared : DeviceType<"Cluster.h", ["fromAddress", "address", "operator+", "cast"], "sm_90"> {
  let summary = "elements of type T in the shared memory of a block of the cluster";
}
def RemoteMbarrier : DeviceType<"Cluster.h", ["RemoteMbarrier", "at", "address"], "sm_90"> {
  let summary = "an mbarrier of a block of the cluster";
}
class Remote<string instruction> : Primitive<"Cluster.h", ByThread, "sm_90"> {
  let ptx = instruction;
  let proxy = Generic;
}
def mapShared : Remote<"mapa.shared::cluster.u32"> {
  let summary = "the same place in the shared memory of a block of the cluster";
  let proxy = NoMemory;
  let valueArguments = ["rank"];
  let overloads = [Overload<"template <class T> RemoteShared<T> mapShared(Shared<T> place, u32 rank)", [
      Use<"mapShared(s, i).address()", [], ["PRMT .* 0x654,"]>]>];
}
def mapMbarrier : Remote<"mapa.shared::cluster.u32"> {
  let summary = "the barrier in the same place of a block of the cluster";
  let proxy = NoMemory;
  let valueArguments = ["rank"];
  let overloads = [Overload<"RemoteMbarrier mapMbarrier(Mbarrier barrier, u32 rank)", [
      Use<"mapMbarrier(bar, i).address()", [], ["PRMT .* 0x654,"]>]>];
}
def loadRemote : Remote<"ld.shared::cluster"> {
  let summary = "an element of a peer's shared memory, 1 to 16 bytes";
  let complete = "the value";
  let overloads = [Overload<"template <class T> T loadRemote(RemoteShared<T> place)", [
      Use<"loadRemote(mapShared(s, i))", [], ["LD.E R"]>]>];
}
def storeRemote : Remote<"st.shared::cluster"> {
  let summary = "an element to a peer's shared memory, 1 to 16 bytes";
  let complete = "visible after the cluster's barrier or another release to the peer";
  let overloads = [Overload<"template <class T> void storeRemote(RemoteShared<T> place, Value<T> value)", [
      Use<"storeRemote(mapShared(s, i), f)", [], ["ST.E \\["]>]>];
}
def storeAsync : Remote<"st.async.weak.shared::cluster.mbarrier::complete_tx::bytes"> {
  let summary = "stores 4, 8 or 16 bytes in a block of the cluster and counts them on a barrier of that block";
  let proxy = Async;
  let completion = ByMbarrier;
  let complete = "the value, for whoever waits for the phase";
  let mutations = ["skip"];
  let overloads = [
    Overload<"template <class T> void storeAsync(RemoteShared<T> place, Value<T> value, RemoteMbarrier barrier)", [
      Use<"storeAsync(mapShared(s, i), f, mapMbarrier(bar, i))", [], ["STAS"]>]>,
    Overload<"template <class T, int N> "
             "void storeAsync(RemoteShared<T> place, Vec<T, N> value, RemoteMbarrier barrier)", [
      Use<"storeAsync(mapShared(s, i), Vec<f32, 2>{f, e}, mapMbarrier(bar, i))", [], ["STAS.64"]>,
      Use<"storeAsync(mapShared(s, i), Vec<f32, 4>{f, e, f, e}, mapMbarrier(bar, i))", [], ["STAS.128"]>]>];
}
