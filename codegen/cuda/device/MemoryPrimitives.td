// Primitives of one thread on memory: loads, stores, counters, atomics, and the types that stand for memory.

//===--- Types ----------------------------------------------------------------------------------------------------===//

def Vec : DeviceType<"Types.h", ["operator()", "data"]> {
  let summary = "N values in registers, accessed together: 2, 4, 8 or 16 bytes";
}
def Shared : DeviceType<"Operands.h", ["fromAddress", "address", "operator+", "cast"]> {
  let summary = "elements of type T at an address of shared memory; cannot be dereferenced";
}
def Global : DeviceType<"Operands.h", ["Global", "operator+", "cast", "isNull"]> {
  let summary = "elements of type T in global memory; cannot be dereferenced; converts to Global<const T>";
}

class Choice<list<string> names> : DeviceType<"Types.h", names>;
def Cache : Choice<["all", "level2", "streaming", "lastUse"]> {
  let summary = "where a global access may be cached: everywhere, in L2 only, evicted first, not again";
}
def Eviction : Choice<["normal", "first", "last", "unchanged"]> {
  let summary = "what L2 does with the lines of an asynchronous copy";
}
def Order : Choice<["relaxed", "acquire", "release", "acquireRelease"]> {
  let summary = "the memory order of an access to a counter, at the scope of the GPU";
}
def Major : Choice<["k", "mn"]> {
  let summary = "which dimension of an operand of wgmma is contiguous";
}
def Swizzle : Choice<["none", "bytes32", "bytes64", "bytes128"]> {
  let summary = "how 16-byte pieces of a tile are permuted, by the bytes of its rows";
}

//===--- Loads and stores -----------------------------------------------------------------------------------------===//

/// ptxas either predicates the access or branches around it.
class IsPredicated {
  string pattern = "@!?U?P\\d (LDG|STG|LDS|STS|BRA|EXIT)";
}
def Predicated : IsPredicated;

class Access : Primitive<"Memory.h"> {
  let proxy = Generic;
}
def sharedMemory : Primitive<"Memory.h"> {
  let summary = "the block's dynamic shared memory from an offset in bytes on; its start is aligned to 1024";
  let overloads = [Overload<"template <class T> Shared<T> sharedMemory(u32 byteOffset)", [
      Use<"sharedMemory<f32>(i).address()", []>]>];
}
def loadGlobal : Access {
  let summary = "N elements from global memory in one access, aligned to their size together, 1 to 16 bytes";
  let ptx = "ld.global{.cg,.cs,.lu}";
  let complete = "the value";
  let valueArguments = ["source", "predicate", "otherwise"];
  let overloads = [
    Overload<"template <int N = 1, Cache C = Cache::all, class T> Loaded<T, N> loadGlobal(Global<T> source)", [
      Use<"loadGlobal(c)", ["LDG.E R"], ["LDG.E R"]>, Use<"loadGlobal<2>(c)", ["LDG.E.64"]>,
      Use<"loadGlobal<4>(c)", ["LDG.E.128"]>, Use<"loadGlobal(g)", ["LDG.E R"]>,
      Use<"loadGlobal(ch)", ["LDG.E.U16"]>, Use<"loadGlobal<8>(ch)", ["LDG.E.128"]>,
      Use<"loadGlobal(g.cast<u8>())", ["LDG.E.U8"]>, Use<"loadGlobal(l)", ["LDG.E.64"]>,
      Use<"loadGlobal<1, Cache::level2>(c)", ["LDG.E.STRONG.GPU"]>,
      Use<"loadGlobal<1, Cache::streaming>(c)", ["LDG.E.EF"]>,
      Use<"loadGlobal<1, Cache::lastUse>(c)", ["LDG.E.LU"]>]>,
    Overload<"template <int N = 1, Cache C = Cache::all, class T> "
             "Loaded<T, N> loadGlobal(Global<T> source, bool predicate, Value<T> otherwise)", [
      Use<"loadGlobal(c, b, 1.0f)", ["LDG.E R", Predicated.pattern]>,
      Use<"loadGlobal<4>(c, b, 0)", ["LDG.E.128", Predicated.pattern]>,
      Use<"loadGlobal<8, Cache::level2>(ch, b, bf16{0})", ["LDG.E.128.STRONG.GPU", Predicated.pattern]>,
      Use<"loadGlobal(ch, b, bf16{0})", ["LDG.E.U16", Predicated.pattern]>]>];
}
def storeGlobal : Access {
  let summary = "elements to global memory in one access, aligned to their size together, 1 to 16 bytes";
  let ptx = "st.global{.cg,.cs}";
  let complete = "visible to the thread, to others after synchronisation";
  let valueArguments = ["destination", "value", "predicate"];
  let overloads = [
    Overload<"template <Cache C = Cache::all, class T> void storeGlobal(Global<T> destination, Value<T> value)", [
      Use<"storeGlobal(g, f)", ["STG.E (\\[|desc)"]>, Use<"storeGlobal(gh, toBf16(f))", ["STG.E.U16"]>,
      Use<"storeGlobal(g.cast<u8>(), u8(i))", ["STG.E.U8"]>, Use<"storeGlobal(l, u64(n))", ["STG.E.64"]>,
      Use<"storeGlobal<Cache::level2>(g, f)", ["STG.E.STRONG.GPU"]>,
      Use<"storeGlobal<Cache::streaming>(g, f)", ["STG.E.EF"]>]>,
    Overload<"template <Cache C = Cache::all, class T> "
             "void storeGlobal(Global<T> destination, Value<T> value, bool predicate)", [
      Use<"storeGlobal(g, f, b)", ["STG.E (\\[|desc)", Predicated.pattern]>]>,
    Overload<"template <Cache C = Cache::all, class T, int N> "
             "void storeGlobal(Global<T> destination, Vec<T, N> value)", [
      Use<"storeGlobal(g, Vec<f32, 4>{f, e, f, e})", ["STG.E.128"]>,
      Use<"storeGlobal(gh, Vec<bf16, 4>{})", ["STG.E.64"]>]>,
    Overload<"template <Cache C = Cache::all, class T, int N> "
             "void storeGlobal(Global<T> destination, Vec<T, N> value, bool predicate)", [
      Use<"storeGlobal(g, Vec<f32, 2>{f, e}, b)", ["STG.E.64", Predicated.pattern]>]>];
}
def loadShared : Access {
  let summary = "N elements from shared memory in one access, aligned to their size together";
  let ptx = "ld.shared";
  let complete = "the value";
  let valueArguments = ["source", "predicate", "otherwise"];
  let overloads = [
    Overload<"template <int N = 1, class T> Loaded<T, N> loadShared(Shared<T> source)", [
      Use<"loadShared(s)", ["LDS R"]>, Use<"loadShared<4>(s)", ["LDS.128"]>, Use<"loadShared<4>(h)", ["LDS.64"]>,
      Use<"loadShared(h)", ["LDS.U16"]>, Use<"loadShared(s.cast<u8>())", ["LDS.U8"]>]>,
    Overload<"template <int N = 1, class T> Loaded<T, N> "
             "loadShared(Shared<T> source, bool predicate, Value<T> otherwise)", [
      Use<"loadShared(s, b, 1.0f)", ["LDS R", Predicated.pattern]>,
      Use<"loadShared<4>(s, b, 0)", ["LDS.128", Predicated.pattern]>]>];
}
def storeShared : Access {
  let summary = "elements to shared memory in one access, aligned to their size together";
  let ptx = "st.shared";
  let complete = "visible to the thread, to others after synchronisation";
  let valueArguments = ["destination", "value", "predicate"];
  let overloads = [
    Overload<"template <class T> void storeShared(Shared<T> destination, Value<T> value)", [
      Use<"storeShared(s, f)", ["STS \\["]>, Use<"storeShared(h, toBf16(f))", ["STS.U16"]>]>,
    Overload<"template <class T> void storeShared(Shared<T> destination, Value<T> value, bool predicate)", [
      Use<"storeShared(s, f, b)", ["STS \\[", Predicated.pattern]>]>,
    Overload<"template <class T, int N> void storeShared(Shared<T> destination, Vec<T, N> value)", [
      Use<"storeShared(s, Vec<f32, 4>{f, e, f, e})", ["STS.128"]>]>,
    Overload<"template <class T, int N> void storeShared(Shared<T> destination, Vec<T, N> value, bool predicate)", [
      Use<"storeShared(s, Vec<f32, 4>{f, e, f, e}, b)", ["STS.128", Predicated.pattern]>]>];
}
def prefetchLevel2 : Access {
  let summary = "a hint that brings a line into L2";
  let ptx = "prefetch.global.L2";
  let complete = "nothing that can be observed";
  let overloads = [Overload<"template <class T> void prefetchLevel2(Global<T> source)", [
      Use<"prefetchLevel2(c)", ["CCTL.E.PF2"]>]>];
}

//===--- Counters: words by which blocks signal each other, at the scope of the GPU ---------------------------===//

def loadCounter : Access {
  let summary = "a counter's value, relaxed or with acquire";
  let ptx = "ld.{relaxed,acquire}.gpu.global.u32";
  let complete = "the value; with acquire, what was released to it";
  let mutations = ["relaxed"];
  let overloads = [Overload<"template <Order O = Order::relaxed> u32 loadCounter(Global<const u32> counter)", [
      Use<"loadCounter(w)", ["LDG.E.STRONG.GPU", "!CCTL.IVALL"]>,
      Use<"loadCounter<Order::acquire>(w)", ["LDG.E.STRONG.GPU", "CCTL.IVALL"]>]>];
}
def storeCounter : Access {
  let summary = "sets a counter, relaxed or with release";
  let ptx = "st.{relaxed,release}.gpu.global.u32";
  let complete = "visible to the thread; with release, after what it did before";
  let mutations = ["skip", "relaxed"];
  let valueArguments = ["value"];
  let overloads = [Overload<"template <Order O = Order::relaxed> "
                            "void storeCounter(Global<u32> counter, u32 value)", [
      Use<"storeCounter(w, i)", ["STG.E.STRONG.GPU", "!MEMBAR.ALL.GPU"]>,
      Use<"storeCounter<Order::release>(w, i)", ["MEMBAR.ALL.GPU", "STG.E.STRONG.GPU"]>]>];
}
def addCounter : Access {
  let summary = "adds to a counter, relaxed or with release; returns nothing and waits for nothing";
  let ptx = "red.{relaxed,release}.gpu.global.add.u32";
  let complete = "nothing; with release, it comes after what the thread did before";
  let mutations = ["skip", "relaxed", "moreArrivals", "fewerArrivals"];
  let valueArguments = ["value"];
  let overloads = [Overload<"template <Order O = Order::relaxed> void addCounter(Global<u32> counter, u32 value)", [
      Use<"addCounter(w, i)", ["REDG?.E.ADD.STRONG.GPU", "!MEMBAR.ALL.GPU"]>,
      Use<"addCounter<Order::release>(w, i)", ["MEMBAR.ALL.GPU", "REDG?.E.ADD.STRONG.GPU"]>]>];
}
def waitCounter : Access {
  let summary = "polls with acquire until the counter is at least a value";
  let ptx = "ld.acquire.gpu.global.u32 in a loop";
  let complete = "what was released to the counter up to that value";
  let mutations = ["skip", "relaxed", "fewerArrivals"];
  let overloads = [Overload<"void waitCounter(Global<const u32> counter, u32 atLeast)", [
      Use<"waitCounter(w, i)", ["LDG.E.STRONG.GPU", "CCTL.IVALL", "BRA"]>]>];
}

//===--- Atomics: what the memory held before ---------------------------------------------------------------===//

class Atomic<string operation> : Access {
  let ptx = "atom.{relaxed,acquire,release,acq_rel}.gpu.global." # operation;
  let complete = "the value before; ordered as asked";
  let mutations = ["relaxed"];
}
class AtomicOf<string word, string operation, string opcode> : Atomic<operation # ".b32"> {
  let overloads = [Overload<"template <Order O = Order::relaxed> u32 " # word # "(Global<u32> target, u32 value)", [
      Use<word # "(w, i)", [opcode, "!MEMBAR.ALL.GPU", "!CCTL.IVALL"]>,
      Use<word # "<Order::acquireRelease>(w, i)", [opcode, "MEMBAR.ALL.GPU", "CCTL.IVALL"]>]>];
}
def atomicAdd : Atomic<"add.{u32,u64}"> {
  let summary = "addition; in shared memory relaxed, for the block";
  let overloads = [
    Overload<"template <Order O = Order::relaxed> u32 atomicAdd(Global<u32> target, u32 value)", [
      Use<"atomicAdd(w, i)", ["ATOMG.E.ADD.STRONG.GPU", "!MEMBAR.ALL.GPU", "!CCTL.IVALL"]>,
      Use<"atomicAdd<Order::acquire>(w, i)", ["ATOMG.E.ADD.STRONG.GPU", "CCTL.IVALL"]>,
      Use<"atomicAdd<Order::release>(w, i)", ["MEMBAR.ALL.GPU", "ATOMG.E.ADD.STRONG.GPU"]>]>,
    Overload<"template <Order O = Order::relaxed> u64 atomicAdd(Global<u64> target, u64 value)", [
      Use<"atomicAdd(l, u64(n))", ["ATOMG.E.ADD.64.STRONG.GPU"]>]>,
    Overload<"u32 atomicAdd(Shared<u32> target, u32 value)", [Use<"atomicAdd(s.cast<u32>(), i)", ["ATOMS.ADD"]>]>];
}
def atomicMin : AtomicOf<"atomicMin", "min.u32", "ATOMG.E.MIN.STRONG.GPU"> {
  let summary = "the lesser, unsigned";
}
def atomicMax : AtomicOf<"atomicMax", "max.u32", "ATOMG.E.MAX.STRONG.GPU"> {
  let summary = "the greater, unsigned";
}
def atomicAnd : AtomicOf<"atomicAnd", "and", "ATOMG.E.AND.STRONG.GPU"> {
  let summary = "bitwise and";
}
def atomicOr : AtomicOf<"atomicOr", "or", "ATOMG.E.OR.STRONG.GPU"> {
  let summary = "bitwise or";
}
def atomicXor : AtomicOf<"atomicXor", "xor", "ATOMG.E.XOR.STRONG.GPU"> {
  let summary = "bitwise exclusive or";
}
def atomicExchange : AtomicOf<"atomicExchange", "exch", "ATOMG.E.EXCH.STRONG.GPU"> {
  let summary = "the new value";
}
def atomicCompareExchange : Atomic<"cas.b32"> {
  let summary = "the desired value if the memory holds the expected one";
  let overloads = [Overload<"template <Order O = Order::relaxed> "
                            "u32 atomicCompareExchange(Global<u32> target, u32 expected, u32 desired)", [
      Use<"atomicCompareExchange(w, i, 1)", ["ATOMG.E.CAS.STRONG.GPU"]>,
      Use<"atomicCompareExchange<Order::acquire>(w, i, 1)", ["ATOMG.E.CAS.STRONG.GPU", "CCTL.IVALL"]>]>];
}

class MemoryFence<string instruction> : Access {
  let ptx = instruction;
  let mutations = ["skip"];
}
def fenceBlock : MemoryFence<"fence.acq_rel.cta"> {
  let summary = "orders the thread's accesses before and after it for its block";
  let complete = "earlier accesses are ordered before later ones, for threads of the block";
  let overloads = [Overload<"void fenceBlock()", [Use<"fenceBlock()", ["MEMBAR.ALL.CTA"]>]>];
}
def fenceDevice : MemoryFence<"fence.acq_rel.gpu"> {
  let summary = "orders the thread's accesses before and after it for the whole GPU";
  let complete = "earlier accesses are ordered before later ones, for all threads of the GPU";
  let overloads = [Overload<"void fenceDevice()", [Use<"fenceDevice()", ["MEMBAR.ALL.GPU"]>]>];
}
