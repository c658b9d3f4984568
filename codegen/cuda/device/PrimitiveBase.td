// The classes of the table of primitives; Primitives.td says what the table is for.

/// Which threads come to a call together. `thread`: any by itself.
class Caller<string text> {
  string name = text;
}
def ByThread : Caller<"thread">;
def ByWarp : Caller<"warp">;             // All 32 lanes, from the same call in the source.
def ByWarps : Caller<"warps">;           // As many whole warps as the call says.
def ByWarpgroup : Caller<"warpgroup">;   // Four warps, the first a multiple of four; each comes by itself.
def ByBlock : Caller<"block">;           // Every thread that has not exited.
def ByCluster : Caller<"cluster">;       // Every thread of every block.

/// What says that an operation has finished that is not complete when the call returns.
class Completion<string text> {
  string name = text;
}
def OnReturn : Completion<"return">;
def ByCopyGroup : Completion<"cp.async group">;        // Of the thread.
def ByMbarrier : Completion<"mbarrier bytes">;         // complete_tx on the barrier that the call names.
def ByMbarrierArrival : Completion<"mbarrier arrival">;
def ByBulkGroup : Completion<"bulk group">;            // Of the thread; reads and writes finish apart.
def ByProductGroup : Completion<"wgmma group">;        // Of the warp.

/// Through which proxy memory is reached. What the other one did is ordered by a proxy fence only.
class Proxy<string text> {
  string name = text;
}
def NoMemory : Proxy<"none">;
def Generic : Proxy<"generic">;
def Async : Proxy<"async">;

/// A call that must compile on both sides. Its operands are the variables that test/device/uses.py declares;
/// `$N` stands for each of `sizes`. Every one of `sm80` must match an instruction of the machine code for sm_80, of
/// `sm90` for sm_90a: the whole opcode or, with a space in it, the beginning of the instruction. After a `!` none may.
class Use<string text, list<string> opcodes, list<string> hopper = opcodes> {
  string call = text;          // Statements, or one expression whose value is used.
  list<string> sm80 = opcodes;
  list<string> sm90 = hopper;
  list<int> sizes = [];
}
class UseOf<string text, list<string> opcodes, list<int> numbers> : Use<text, opcodes> {
  let sizes = numbers;
}

/// A declaration as both headers spell it, but for the trailing Site on the emulator, the macros in front and the names
/// of parameters.
class Overload<string text, list<Use> calls> {
  string signature = text;
  list<Use> uses = calls;
  string architecture = "";   // If it is not the primitive's.
}

class HopperOverload<string text, list<Use> calls> : Overload<text, calls> {
  let architecture = "sm_90";
}

class Entry<string file, string target> {
  string name = NAME;
  string header = file;
  /// The lowest of sm_80, sm_90 and sm_90a that has it; sm_90a ones exist on no later chip.
  string architecture = target;
  string summary = "";
}

class Primitive<string file, Caller threads = ByThread, string target = "sm_80"> : Entry<file, target> {
  Caller caller = threads;
  Proxy proxy = NoMemory;
  Completion completion = OnReturn;
  /// What is complete, visible or ordered when the call returns or, if asynchronous, once it has completed.
  string complete = "the result";
  string ptx = "";
  /// Fragments and tiles, by their names in Layouts.h.
  list<string> layouts = [];
  /// How the emulator can alter every execution of one call; test/gpukernels expects each to be reported.
  list<string> mutations = [];
  /// Parameters whose alteration must change results.
  list<string> valueArguments = [];
  list<Overload> overloads = [];
}

/// A type that kernels name, with its public members.
class DeviceType<string file, list<string> names, string target = "sm_80"> : Entry<file, target> {
  list<string> members = names;
}

/// A macro of kernel sources.
class Macro<string file> : Entry<file, "sm_80">;
