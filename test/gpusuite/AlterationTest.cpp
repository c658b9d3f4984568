// A comparison that misses a difference is worth nothing: each primitive is altered on one side, in one lane,
// one bit, one address, one swizzle or the chip, and the probes must tell the two sides apart.
#include "tools/gpu/Compare.h"

#include "codegen/cuda/HostCompiler.h"
#include "runtime/Files.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <dlfcn.h>
#include <filesystem>
#include <regex>
#include <set>
#include <unistd.h>

using namespace sluice;
using namespace sluice::gpusuite;
namespace fs = std::filesystem;

namespace {

const Bundle bundle{SLUICE_GPU_BUNDLE};

/// How a primitive is wrapped; $ID is its number, $NAME its name. A value is altered in lane 17 only.
const char *const value = R"(
template <class... A> SLUICE_DEVICE auto $NAME(A... a) { return flip($ID, sluice::device::$NAME(a...)); })";
const char *const ordered = R"(
template <Order O = Order::relaxed, class... A> SLUICE_DEVICE auto $NAME(A... a) {
  return flip($ID, sluice::device::$NAME<O>(a...));
})";
const char *const load = R"(
template <int N = 1, Cache C = Cache::all, class... A> SLUICE_DEVICE auto loadGlobal(A... a) {
  return flip($ID, sluice::device::loadGlobal<N, C>(a...));
})";
const char *const sharedLoad = R"(
template <int N = 1, class... A> SLUICE_DEVICE auto loadShared(A... a) {
  return flip($ID, sluice::device::loadShared<N>(a...));
})";
const char *const orderedStore = R"(
template <Order O = Order::relaxed> SLUICE_DEVICE void $NAME(Global<u32> to, u32 value) {
  sluice::device::$NAME<O>(to, value + on($ID));
})";
const char *const store = R"(
template <Cache C = Cache::all, class T, class V> SLUICE_DEVICE void storeGlobal(Global<T> to, V v) {
  sluice::device::storeGlobal<C>(to, flip($ID, v));
})";
const char *const storeIf = R"(
template <Cache C = Cache::all, class T, class V> SLUICE_DEVICE void storeGlobal(Global<T> to, V v, bool p) {
  sluice::device::storeGlobal<C>(to, v, p != (hit($ID) != 0));
})";
const char *const sharedStore = R"(
template <class T> struct Own { using type = T; };
template <class T> SLUICE_DEVICE void storeShared(Shared<T> to, typename Own<T>::type v) {
  sluice::device::storeShared(to, flip($ID, v));
})";
const char *const sharedStoreMany = R"(
template <class T, int N> SLUICE_DEVICE void storeShared(Shared<T> to, Vec<T, N> v) {
  sluice::device::storeShared(to, flip($ID, v));
})";
const char *const sharedStoreIf = R"(
template <class T, class V> SLUICE_DEVICE void storeShared(Shared<T> to, V v, bool p) {
  sluice::device::storeShared(to, v, p != (hit($ID) != 0));
})";
const char *const product = R"(
template <class A, class B> SLUICE_DEVICE void mma(MmaAccumulator &d, const A &a, const B &b) {
  sluice::device::mma(d, a, b);
  d.r(1) = flip($ID, d.r(1));
})";
const char *const matrixLoad = R"(
template <int Count, bool Transposed = false, class T> SLUICE_DEVICE auto ldmatrix(Shared<T> row) {
  return sluice::device::ldmatrix<Count, Transposed>(row + i32(hit($ID) * 8));
})";
const char *const operandLoad = R"(
template <bool Transposed = false, class A, class T> SLUICE_DEVICE void ldmatrix(A &a, Shared<T> row) {
  sluice::device::ldmatrix<Transposed>(a, row + i32((laneIndex() == 1 && on($ID)) * 8));
})";
const char *const matrixStore = R"(
template <int Count, bool Transposed = false, class T, class R>
SLUICE_DEVICE void stmatrix(Shared<T> row, const R &r) {
  R changed = r;
  changed.r(0) = flip($ID, changed.r(0));
  sluice::device::stmatrix<Count, Transposed>(row, changed);
})";
const char *const asyncCopy = R"(
template <int Bytes, class T, class U> SLUICE_DEVICE void cpAsync(Shared<T> to, Global<U> from) {
  sluice::device::cpAsync<Bytes>(to, from + i64(hit($ID) * 8));
})";
const char *const asyncCopyPart = R"(
template <int Bytes, class T, class U> SLUICE_DEVICE void cpAsync(Shared<T> to, Global<U> from, u32 bytes) {
  sluice::device::cpAsync<Bytes>(to, from, hit($ID) && bytes > 0 ? bytes - 1 : bytes);
})";
const char *const asyncCopyIf = R"(
template <int Bytes, class T, class U> SLUICE_DEVICE void cpAsync(Shared<T> to, Global<U> from, bool p) {
  sluice::device::cpAsync<Bytes>(to, from, p != (hit($ID) != 0));
})";
const char *const bulkIn = R"(
template <Eviction E = Eviction::normal, class T, class U>
SLUICE_DEVICE void bulkLoad(Shared<T> to, Global<U> from, u32 bytes, Mbarrier bar) {
  sluice::device::bulkLoad<E>(to, from + i64(on($ID) * 4), bytes, bar);
})";
const char *const bulkOut = R"(
template <Eviction E = Eviction::normal, class T>
SLUICE_DEVICE void bulkStore(Global<T> to, Shared<T> from, u32 bytes) {
  sluice::device::bulkStore<E>(to, from, bytes - on($ID) * 16);
})";
const char *const bulkPeer = R"(
template <class A, class B> SLUICE_DEVICE void bulkCopyToPeer(A to, Shared<u32> from, u32 bytes, B bar) {
  sluice::device::bulkCopyToPeer(to, from + i32(on($ID) * 4), bytes, bar);
})";
const char *const bulkMany = R"(
template <Eviction E = Eviction::normal, class T, class U>
SLUICE_DEVICE void bulkLoadMulticast(Shared<T> to, Global<U> from, u32 bytes, Mbarrier bar, u16 mask) {
  sluice::device::bulkLoadMulticast<E>(to, from + i64(on($ID) * 4), bytes, bar, mask);
})";
const char *const remoteStore = R"(
template <class T, class V> SLUICE_DEVICE void storeRemote(RemoteShared<T> to, V v) {
  sluice::device::storeRemote(to, flip($ID, v));
})";
const char *const remoteAsync = R"(
template <class T, class V, class B> SLUICE_DEVICE void storeAsync(RemoteShared<T> to, V v, B bar) {
  sluice::device::storeAsync(to, flip($ID, v), bar);
})";
const char *const tensorIn = R"(
template <Eviction E = Eviction::normal, class T, class... C>
SLUICE_DEVICE void tensorLoad(Shared<T> to, const TensorMap &map, Mbarrier bar, i32 c, C... rest) {
  sluice::device::tensorLoad<E>(to, map, bar, c + i32(on($ID)), rest...);
})";
const char *const tensorOut = R"(
template <Eviction E = Eviction::normal, class T, class... C>
SLUICE_DEVICE void tensorStore(const TensorMap &map, Shared<T> from, i32 c, C... rest) {
  sluice::device::tensorStore<E>(map, from, c + i32(on($ID)), rest...);
})";
const char *const tensorMany = R"(
template <Eviction E = Eviction::normal, class T, class... C>
SLUICE_DEVICE void tensorLoadMulticast(Shared<T> to, const TensorMap &map, Mbarrier bar, u16 mask, i32 c, C... rest) {
  sluice::device::tensorLoadMulticast<E>(to, map, bar, mask, c + i32(on($ID)), rest...);
})";
const char *const descriptor = R"(
template <class T> SLUICE_DEVICE auto wgmmaDescriptor(Shared<T> at, Swizzle swizzle, u32 leading, u32 stride) {
  return sluice::device::wgmmaDescriptor(at, on($ID) ? Swizzle::bytes64 : swizzle, leading, stride);
})";
const char *const groupProduct = R"(
template <Major A = Major::k, Major B = Major::k, bool NA = false, bool NB = false, int N, class T>
SLUICE_DEVICE void wgmma(WgmmaAccumulator<N> &d, WgmmaDescriptor<T> a, WgmmaDescriptor<T> b, bool accumulate) {
  sluice::device::wgmma<A, B, NA, NB>(d, a, b.advance(on($ID) * 16), accumulate);
})";
const char *const registerProduct = R"(
template <Major B = Major::k, bool NA = false, bool NB = false, int N, class T>
SLUICE_DEVICE void wgmma(WgmmaAccumulator<N> &d, WgmmaA<T> &a, WgmmaDescriptor<T> b, bool accumulate) {
  if (hit($ID))
    a.r(2) = a.r(2) ^ 0x2000;
  sluice::device::wgmma<B, NA, NB>(d, a, b, accumulate);
})";
const char *const place = R"(
template <class T> SLUICE_DEVICE auto sharedMemory(u32 offset) {
  return sluice::device::sharedMemory<T>(offset + (threadIndex() == 17 && on($ID)) * 16);
})";
const char *const peer = R"(
template <class A> SLUICE_DEVICE auto $NAME(A a, u32 rank) { return sluice::device::$NAME(a, rank ^ on($ID)); })";

struct Wrapped {
  const char *source, *wrapper;
  std::vector<const char *> names;
};

const std::vector<Wrapped> &wrapped() {
  static const std::vector<Wrapped> list = {
      {"values.cu",
       value,
       {"toBf16",
        "toF16",
        "toF16Saturated",
        "toTf32",
        "packBf16",
        "packF16",
        "packF16Saturated",
        "toFloat",
        "unpackLowBf16",
        "unpackHighBf16",
        "unpackLowF16",
        "unpackHighF16",
        "toIntegerTowardZero",
        "toIntegerNearest",
        "bitsOf",
        "floatOf",
        "divide",
        "remainder",
        "shiftLeft",
        "shiftRight",
        "shiftRightSigned",
        "multiplyAdd",
        "minimum",
        "maximum",
        "sqrtRounded",
        "divideRounded",
        "exp2Fma",
        "opaque"}},
      {"values.cu",
       value,
       {"exp2Approx", "log2Approx", "reciprocalApprox", "rsqrtApprox", "sqrtApprox", "tanhApprox"}},
      {"threads.cu",
       value,
       {"shuffle", "shuffleXor", "shuffleUp", "shuffleDown", "ballotLanes", "anyLane", "allLanes",
        "electLane", "warpUniform", "warpSum", "warpMax", "warpInclusiveSum", "blockSum", "blockMax",
        "blockInclusiveSum", "laneIndex", "warpIndex", "blockThreads"}},
      {"threads.cu",
       R"(
SLUICE_DEVICE u32 $NAME() { return sluice::device::$NAME() ^ u32(sluice::device::threadIndex() == 17 && on($ID)); })",
       {"threadIndex"}},
      {"threads.cu",
       R"(
template <int Axis = 0> SLUICE_DEVICE u32 $NAME() {
  return sluice::device::$NAME<Axis>() + (Axis > 0 ? hit($ID) : 0);
})",
       {"blockIndex", "gridBlocks"}},
      {"memory.cu",
       R"(
template <Order O = Order::relaxed, class T> SLUICE_DEVICE auto atomicAdd(Global<T> to, T value) {
  return flip($ID, sluice::device::atomicAdd<O>(to, value));
})",
       {"atomicAdd"}},
      {"memory.cu",
       R"(
SLUICE_DEVICE u32 atomicAdd(Shared<u32> to, u32 value) { return sluice::device::atomicAdd(to, flip($ID, value)); })",
       {"atomicAdd"}},
      {"memory.cu",
       ordered,
       {"atomicMin", "atomicMax", "atomicAnd", "atomicOr", "atomicXor", "atomicExchange",
        "atomicCompareExchange", "loadCounter"}},
      {"memory.cu", orderedStore, {"storeCounter", "addCounter"}},
      {"memory.cu", load, {"loadGlobal"}},
      {"memory.cu", sharedLoad, {"loadShared"}},
      {"memory.cu", store, {"storeGlobal"}},
      {"memory.cu", storeIf, {"storeGlobal"}},
      {"memory.cu", sharedStore, {"storeShared"}},
      {"memory.cu", sharedStoreMany, {"storeShared"}},
      {"memory.cu", sharedStoreIf, {"storeShared"}},
      {"memory.cu", place, {"sharedMemory"}},
      {"matrices.cu", product, {"mma"}},
      {"matrices.cu", matrixLoad, {"ldmatrix"}},
      {"matrices.cu", operandLoad, {"ldmatrix"}},
      {"matrices.cu", asyncCopy, {"cpAsync"}},
      {"matrices.cu", asyncCopyPart, {"cpAsync"}},
      {"matrices.cu", asyncCopyIf, {"cpAsync"}},
      {"matrices.cu", value, {"mbarrierTest"}},
      {"hopper.cu", sharedLoad, {"loadShared"}},
      {"hopper.cu", matrixStore, {"stmatrix"}},
      {"hopper.cu", bulkIn, {"bulkLoad"}},
      {"hopper.cu", bulkOut, {"bulkStore"}},
      {"hopper.cu", bulkPeer, {"bulkCopyToPeer"}},
      {"hopper.cu", bulkMany, {"bulkLoadMulticast"}},
      {"hopper.cu", value, {"loadRemote", "clusterRank", "clusterBlocks"}},
      {"hopper.cu", peer, {"mapShared", "mapMbarrier"}},
      {"hopper.cu", remoteStore, {"storeRemote"}},
      {"hopper.cu", remoteAsync, {"storeAsync"}},
      {"tensors.cu", tensorIn, {"tensorLoad"}},
      {"tensors.cu", tensorOut, {"tensorStore"}},
      {"tensors.cu", tensorMany, {"tensorLoadMulticast"}},
      {"products.cu", value, {"warpIndex"}},
      {"products.cu", descriptor, {"wgmmaDescriptor"}},
      {"products.cu", groupProduct, {"wgmma"}},
      {"products.cu", registerProduct, {"wgmma"}},
      {"shared_products.cu", groupProduct, {"wgmma"}},
      {"register_products.cu", registerProduct, {"wgmma"}}};
  return list;
}

std::string replaceAll(std::string text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

const char *const preamble = R"(
extern "C" __attribute__((visibility("default"))) int alteredPrimitive = 0;
namespace altered {
SLUICE_DEVICE u32 on(int id) { return alteredPrimitive == id; }
SLUICE_DEVICE u32 hit(int id) { return on(id) && sluice::device::laneIndex() == 17; }
SLUICE_DEVICE u32 flip(int id, u32 v) { return v ^ hit(id); }
SLUICE_DEVICE i32 flip(int id, i32 v) { return v ^ i32(hit(id)); }
SLUICE_DEVICE u64 flip(int id, u64 v) { return v ^ (u64(hit(id)) << 33); }
SLUICE_DEVICE i64 flip(int id, i64 v) { return v ^ i64(u64(hit(id)) << 33); }
SLUICE_DEVICE u16 flip(int id, u16 v) { return u16(v ^ hit(id)); }
SLUICE_DEVICE u8 flip(int id, u8 v) { return u8(v ^ hit(id)); }
SLUICE_DEVICE bool flip(int id, bool v) { return v != (hit(id) != 0); }
// The lowest bit; of approximations one above their bounds.
SLUICE_DEVICE f32 flip(int id, f32 v) { return floatOf(bitsOf(v) ^ hit(id) << (id >= 900 ? 16 : 0)); }
SLUICE_DEVICE bf16 flip(int id, bf16 v) { return {u16(v.bits ^ hit(id))}; }
SLUICE_DEVICE f16 flip(int id, f16 v) { return {u16(v.bits ^ hit(id))}; }
SLUICE_DEVICE tf32 flip(int id, tf32 v) { return {v.bits ^ hit(id) << 13}; }
template <class T, int N> SLUICE_DEVICE Vec<T, N> flip(int id, Vec<T, N> v) {
  v.data[N - 1] = flip(id, v.data[N - 1]);
  return v;
}
)";

bool isApproximate(const std::string &name) { return name.ends_with("Approx"); }

/// One object per source, in which a number selects the primitive that is altered.
class Altered {
public:
  explicit Altered(const std::string &source) {
    std::string text = bundle.source(source), wrappers = preamble, macros = "} // namespace altered\n";
    for (const Wrapped &some : wrapped())
      if (source == some.source)
        for (const char *name : some.names) {
          int id = static_cast<int>(names.size()) + (isApproximate(name) ? 900 : 1);
          names.push_back({name, id});
          wrappers += replaceAll(replaceAll(some.wrapper, "$NAME", name), "$ID", std::to_string(id));
          macros += std::string("#define ") + name + " altered::" + name + "\n";
        }
    // The others differ in N only.
    text = std::regex_replace(text, std::regex("\nPROBE_N\\((?!8\\)|136\\))[0-9]+\\)"), "\n");
    size_t end = text.rfind("#include \"");
    end = text.find('\n', end) + 1;
    text.insert(end, wrappers + "\n" + macros);
    folder = fs::path(::testing::TempDir()) / ("altered-" + std::to_string(getpid()) + "-" + source);
    fs::create_directories(folder / "kernels");
    object = folder / "kernels" / fs::path(source).stem().replace_extension(".so");
    fs::copy_file(compileForEmulator({source, text, {}}).path, object, fs::copy_options::overwrite_existing);
  }
  ~Altered() { fs::remove_all(folder); }

  void select(int id) {
    void *library = dlopen(object.c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_TRUE(library) << dlerror();
    *static_cast<int *>(dlsym(library, "alteredPrimitive")) = id;
    dlclose(library);
  }

  struct Name {
    std::string name;
    int id;
  };
  std::vector<Name> names;
  fs::path folder, object;
};

/// The probes of the source that differ.
std::vector<std::string> differing(const std::string &source, Side &other,
                                   const std::map<std::string, Outcome> &plain) {
  std::vector<std::string> names;
  for (const Probe &one : probes()) {
    if (one.kernel.source != source || !plain.count(one.kernel.name))
      continue;
    Arrays before = one.kernel.makeArguments(one.kernel.small, 1);
    Outcome outcome = other.run(one.kernel, one.kernel.small, before);
    outcome.problem.clear(); // Results alone must tell.
    if (compareOutcomes(one, before, plain.at(one.kernel.name), outcome).different != 0)
      names.push_back(one.kernel.name);
  }
  return names;
}

class EverySource : public ::testing::TestWithParam<const char *> {};

TEST_P(EverySource, TellsEveryAlteredPrimitive) {
  const std::string source = GetParam();
  Altered altered(source);
  // Kept open, so that what is selected stays.
  void *library = dlopen(altered.object.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_TRUE(library) << dlerror();
  auto side = makeEmulator(bundle, {"hopper", false, 1});
  auto other = makeEmulator({altered.folder}, {"hopper", false, 1});
  std::map<std::string, Outcome> plain;
  for (const Probe &one : probes())
    if (one.kernel.source == source &&
        dlsym(library, ("sluiceEmuKernel_" + one.kernel.record.kernel).c_str()))
      plain[one.kernel.name] =
          side->run(one.kernel, one.kernel.small, one.kernel.makeArguments(one.kernel.small, 1));
  ASSERT_FALSE(plain.empty());
  EXPECT_THAT(differing(source, *other, plain), ::testing::IsEmpty()) << "nothing is altered yet";
  std::set<std::string> deaf;
  for (const auto &[name, outcome] : plain)
    deaf.insert(name);
  for (const auto &[name, id] : altered.names) {
    altered.select(id);
    std::vector<std::string> told = differing(source, *other, plain);
    EXPECT_THAT(told, ::testing::Not(::testing::IsEmpty())) << name;
    for (const std::string &probe : told)
      deaf.erase(probe);
  }
  EXPECT_THAT(deaf, ::testing::IsEmpty()) << "probes that nothing of this changes";
  dlclose(library);
}

INSTANTIATE_TEST_SUITE_P(Sources, EverySource,
                         ::testing::Values("values.cu", "threads.cu", "memory.cu", "matrices.cu", "hopper.cu",
                                           "tensors.cu", "products.cu", "shared_products.cu",
                                           "register_products.cu"),
                         [](const auto &info) { return fs::path(info.param).stem().string(); });

std::string compareChips(const std::string &name, const std::string &chip) {
  const Probe &one = probe(name);
  Arrays before = one.kernel.makeArguments(one.kernel.small, 1);
  auto hopper = makeEmulator(bundle, {"hopper"}), other = makeEmulator(bundle, {chip});
  return compareOutcomes(one, before, hopper->run(one.kernel, one.kernel.small, before),
                         other->run(one.kernel, one.kernel.small, before))
      .first;
}

TEST(Alteration, AnotherChipIsTold) {
  for (const Probe &one : probes()) {
    const std::string &name = one.kernel.name;
    if (name.starts_with("mma") || name.starts_with("wgmma"))
      EXPECT_NE(compareChips(name, "exact"), "") << name;
    // What sums eight products in one step, Ampere and Hopper sum alike.
    if (name.starts_with("mma") && name != "mmaF16K8")
      EXPECT_NE(compareChips(name, "ampere"), "") << name;
  }
}

/// Of every primitive that computes, moves or places something. MutationTest.cpp alters those that order or
/// wait.
TEST(Alteration, EveryPrimitiveWithAValueIsAltered) {
  // What these do cannot be seen in memory: hints, and what the compiler may do with registers.
  std::set<std::string> rest = {"decreaseRegisters", "increaseRegisters", "mbarrierInvalidate", "pinMma",
                                "pinWgmma",          "prefetchLevel2",    "prefetchTensorMap"};
  for (const Wrapped &some : wrapped())
    rest.insert(some.names.begin(), some.names.end());
  auto table = nlohmann::json::parse(
      readFile(std::string(SLUICE_BINARY_DIR) + "/codegen/cuda/device/Primitives.json"));
  for (const std::string name : table.at("!instanceof").at("Primitive"))
    EXPECT_TRUE(rest.count(name) || !table.at(name).at("mutations").empty()) << name;
}

/// On one side the record asks for another swizzle.
TEST(Alteration, AnotherSwizzleIsTold) {
  int swizzled = 0;
  for (const Probe &one : probes()) {
    if (one.kernel.source != std::string("tensors.cu") ||
        one.kernel.record.parameters[0].map.swizzle == TileSwizzle::none)
      continue;
    ++swizzled;
    Arrays before = one.kernel.makeArguments({}, 1);
    auto side = makeEmulator(bundle, {});
    KernelCase other = one.kernel;
    other.record.parameters[0].map.swizzle = TileSwizzle::none;
    Difference difference =
        compareOutcomes(one, before, side->run(one.kernel, {}, before), side->run(other, {}, before));
    EXPECT_NE(difference.different, 0u) << one.kernel.name;
  }
  EXPECT_GT(swizzled, 10);
}

TEST(Alteration, AReportIsADifference) {
  const Probe &one = probe("mmaBf16");
  Arrays before = one.kernel.makeArguments(one.kernel.small, 1);
  auto side = makeEmulator(bundle, {});
  Outcome outcome = side->run(one.kernel, one.kernel.small, before), broken = outcome;
  broken.problem = "k.cu:1: race";
  EXPECT_EQ(compareOutcomes(one, before, outcome, broken).first, "emulator (hopper): k.cu:1: race");
}

} // namespace
