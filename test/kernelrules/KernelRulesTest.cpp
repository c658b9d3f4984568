// Every rule of kernels: a kernel that keeps it, one that breaks it, and what is said of the latter.
#include "codegen/cuda/KernelRules.h"

#include "runtime/Error.h"
#include "runtime/Files.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

using namespace sluice;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

namespace {

/// A kernel whose body is line 3, with line 2 for declarations before it.
KernelSource kernel(const std::string &body, const std::string &before = "") {
  return {"k.cu",
          "#include \"Device.h\"\n" + before +
              "\nSLUICE_KERNEL(k, 128)(Global<f32> x, Global<const i32> y, i64 n, u32 s, f32 a) { " + body +
              " }\nSLUICE_EXPORT(k)\n",
          {}};
}

std::vector<std::string> textsOf(const std::vector<RuleViolation> &violations) {
  std::vector<std::string> texts;
  for (const RuleViolation &violation : violations)
    texts.push_back(violation.text());
  return texts;
}

struct Case {
  std::string rule, name;
  KernelSource source;
  std::string text;  ///< The whole report.
};

void PrintTo(const Case &c, std::ostream *out) { *out << c.name; }

std::vector<Case> makeCases() {
  std::string builtin = "k.cu:3: expected a primitive, got '";
  std::string memory = "expected memory through primitives, got '";
  std::string pointerType = "k.cu:3: expected Global or Shared, got a type of pointers";
  std::string fragments = "MmaAccumulator d; d.fill(a); ";
  std::string registers = "k.cu:3: expected a constant as the index of registers, as unrolled gives it, got one that "
                          "varies";
  std::string float64 = "k.cu:3: expected 32-bit arithmetic, got an operation on float64, such as one with a literal "
                        "without f";
  return {
      {"include", "Include", kernel("", "#include <cmath>"),
       "k.cu:2: expected #include \"Device.h\" or \"wgmma/nN.h\", or #pragma unroll, got #include <cmath>"},
      {"include", "Pragma", kernel("", "#pragma clang fp contract(fast)"),
       "k.cu:2: expected #include \"Device.h\" or \"wgmma/nN.h\", or #pragma unroll, got #pragma clang fp "
       "contract(fast)"},
      {"builtin", "ThreadIdx", kernel("u32 t = threadIdx.x;"), builtin + "threadIdx'"},
      {"builtin", "SyncThreads", kernel("__syncthreads();"), builtin + "__syncthreads'"},
      {"builtin", "Shuffle", kernel("f32 b = __shfl_sync(~0u, a, 0);"), builtin + "__shfl_sync'"},
      {"builtin", "AtomicCas", kernel("atomicCAS(0, 1, 2);"), builtin + "atomicCAS'"},
      {"builtin", "Clock", kernel("i64 t = clock64();"), builtin + "clock64'"},
      {"builtin", "OfTheCompiler", kernel("f32 b = __builtin_fmaf(a, a, a);"), builtin + "__builtin_fmaf'"},
      {"builtin", "InAMacro", kernel("SYNC;", "#define SYNC __syncthreads()"),
       "k.cu:2: expected a primitive, got '__syncthreads'"},
      {"printf", "Printf", kernel("printf(\"%f\", a);"), "k.cu:3: expected no output, got 'printf'"},
      {"asm", "Asm", kernel("asm volatile(\"bar.sync 0;\");"), builtin + "asm'"},
      {"asm", "ReservedAsm", kernel("__asm__(\"bar.sync 0;\");"), builtin + "__asm__'"},
      {"memory space", "Shared", kernel("__shared__ float tile[4];"), "k.cu:3: " + memory + "__shared__'"},
      {"memory space", "Constant", kernel("", "__constant__ float table[4];"), "k.cu:2: " + memory + "__constant__'"},
      {"memory space", "Device", kernel("", "__device__ int counter;"), "k.cu:2: " + memory + "__device__'"},
      {"memory space", "ExternShared", kernel("extern float tile[];"), "k.cu:3: " + memory + "extern'"},
      {"memory space", "ThreadLocal", kernel("", "thread_local int own;"), "k.cu:2: " + memory + "thread_local'"},
      {"allocation", "New", kernel("auto *p = new float[4];"), "k.cu:3: " + memory + "new'"},
      {"launch bounds", "Global", kernel("", "__global__ void raw() {}"),
       "k.cu:2: expected SLUICE_KERNEL(name, threads), got '__global__'"},
      {"exception", "Throw", kernel("if (s == 1) throw 1;"), "k.cu:3: expected no exceptions, got 'throw'"},
      {"library", "Std", kernel("u32 t = std::min(s, 3u);"), "k.cu:3: expected names of Device.h, got 'std'"},
      {"jump", "Goto", kernel("again: if (s == 1) goto again;"),
       "k.cu:3: expected structured control flow, got 'goto'"},
      {"volatile", "Volatile", kernel("volatile u32 t = s;"),
       "k.cu:3: expected ordering through primitives, got 'volatile'"},
      {"float64", "Double", kernel("double d = 1;"), "k.cu:3: expected 32-bit arithmetic, got 'double'"},
      {"float64", "Literal", kernel("storeGlobal(x, a * 2.0);"), float64},
      {"float64", "Deduced", kernel("auto d = 1.5 + s; storeGlobal(x, f32(d));"), float64},
      {"builtin", "Float16", kernel("_Float16 h = a;"), builtin + "_Float16'"},
      {"builtin", "Trap", kernel("if (s) __trap();"), builtin + "__trap'"},
      {"builtin", "OfOneSide", kernel("", "#ifdef __CUDACC__\n#endif"),
       "k.cu:2: expected a primitive, got '__CUDACC__'"},
      {"builtin", "Pasted", kernel("PASTE(__sync, threads)();", "#define PASTE(a, b) a##b"), builtin + "__sync'"},
      {"asm", "Pasted", kernel("PASTE(as, m)(\"\");", "#define PASTE(a, b) a##b"),
       "k.cu:3: expected a primitive, got asm"},
      {"include", "PragmaOperator", kernel("", "_Pragma(\"clang fp contract(fast)\")"),
       "k.cu:2: expected #pragma unroll, got '_Pragma'"},
      {"include", "LineMarker", kernel("", "# 1 \"other.h\""),
       "k.cu:2: expected #include \"Device.h\" or \"wgmma/nN.h\", or #pragma unroll, got # 1 \"other.h\""},
      {"jump", "WithoutAResult",
       kernel("storeGlobal(x, toFloat(f(s)));", "SLUICE_DEVICE u32 f(u32 v) { if (v) return 1; }"),
       "k.cu:2: expected a result on every path, got an end of the function without one"},
      {"detail", "Detail", kernel("", "using A = sluice::device::detail::Access;"),
       "k.cu:2: expected primitives, got a name of namespace detail"},
      {"detail", "UsingDetail", kernel("", "using namespace sluice::device::detail;"),
       "k.cu:2: expected primitives, got a name of namespace detail"},
      {"detail", "TheEmulatorsOwn", kernel("u32 t = sluiceEmuThread->thread;"),
       "k.cu:3: expected primitives, got 'sluiceEmuThread'"},
      {"detail", "MacroOfOneSide", kernel("", "#if SLUICE_HAS_SM90\n#endif"),
       "k.cu:2: expected primitives, got 'SLUICE_HAS_SM90'"},
      {"tensor map", "ByReference",
       {"k.cu", "#include \"Device.h\"\nSLUICE_KERNEL(k, 32)(const TensorMap &map) {}\nSLUICE_EXPORT(k)\n", {}},
       "k.cu:2: expected SLUICE_TENSOR_MAP(name) as a parameter of kernel 'k', got TensorMap"},
      {"tensor map", "Copied",
       {"k.cu", "#include \"Device.h\"\nSLUICE_KERNEL(k, 32)(SLUICE_TENSOR_MAP(map)) {\nTensorMap copy = map;\n}\n"
                "SLUICE_EXPORT(k)\n", {}},
       "k.cu:3: expected const TensorMap &, got the copy 'copy'"},
      {"tensor map", "Temporary",
       {"k.cu", "#include \"Device.h\"\nSLUICE_KERNEL(k, 32)(SLUICE_TENSOR_MAP(map)) {\n"
                "prefetchTensorMap(TensorMap(map));\n}\nSLUICE_EXPORT(k)\n", {}},
       "k.cu:3: expected const TensorMap &, got a copy"},
      {"tensor map", "InAStruct",
       {"k.cu", "#include \"Device.h\"\nstruct Two { TensorMap map; u32 x; };\nSLUICE_KERNEL(k, 32)"
                "(SLUICE_TENSOR_MAP(map)) {\nTwo two{map, 1};\nprefetchTensorMap(two.map);\n}\nSLUICE_EXPORT(k)\n", {}},
       "k.cu:4: expected const TensorMap &, got a copy"},
      {"export", "NotExported",
       {"k.cu", "#include \"Device.h\"\nSLUICE_KERNEL(k, 32)() {}\n", {}},
       "k.cu:2: expected SLUICE_EXPORT(k) after the kernel, got none"},
      {"export", "OfAMacro",
       {"k.cu", "#include \"Device.h\"\n#define ENTRY(name) SLUICE_KERNEL(name, 32)()\nENTRY(k) {}\n", {}},
       "k.cu:3: expected SLUICE_EXPORT(k) after the kernel, got none"},
      {"static memory", "Global", kernel("counter += 1;", "namespace { int counter; }"),
       "k.cu:2: expected no static variable, got 'counter'"},
      {"static memory", "Local", kernel("static int counter; counter += 1;"),
       "k.cu:3: expected no static variable, got 'counter'"},
      {"static memory", "OfAClass", kernel("S::counter += 1;", "struct S { inline static int counter = 0; };"),
       "k.cu:2: expected no static variable, got 'counter'"},
      {"constant memory", "Table",
       kernel("storeGlobal(x, table[s]);", "constexpr float table[4] = {1, 2, 3, 4};"),
       "k.cu:2: expected no table in constant memory, got 'table'"},
      {"constant memory", "TableInAStruct",
       kernel("storeGlobal(x, table.v[s]);", "struct T { f32 v[4]; }; constexpr T table = {{1, 2, 3, 4}};"),
       "k.cu:2: expected no table in constant memory, got 'table'"},
      {"constant memory", "LocalTable", kernel("const f32 table[4] = {1, 2, 3, 4}; storeGlobal(x, table[s]);"),
       "k.cu:3: expected no table in constant memory, got 'table'"},
      {"constant memory", "StaticTable",
       kernel("static constexpr f32 table[4] = {1, 2, 3, 4}; storeGlobal(x, table[s]);"),
       "k.cu:3: expected no table in constant memory, got 'table'"},
      {"constant memory", "TableInALambda",
       kernel("auto f = [](u32 i) { constexpr f32 table[2] = {1.5f, 2.5f}; return table[i]; }; storeGlobal(x, f(s));"),
       "k.cu:3: expected no table in constant memory, got 'table'"},
      {"constant memory", "TableOfATemplate",
       kernel("storeGlobal(x, tableOf<3>[s]);", "template <int N> constexpr f32 tableOf[2] = {N, N + 1};"),
       "k.cu:2: expected no table in constant memory, got 'tableOf'"},
      {"constant memory", "String", kernel("storeGlobal(x, toFloat(i32(\"abc\"[s])));"),
       "k.cu:3: expected no table in constant memory, got a string"},
      {"static memory", "OfATemplate",
       kernel("storeGlobal(x, next(a));",
              "template <class T> SLUICE_DEVICE T next(T v) { static T sum = 0; return sum += v; }"),
       "k.cu:2: expected no static variable, got 'sum'"},
      {"static memory", "DynamicallyInitialised",
       kernel("storeGlobal(x, toFloat(value));", "SLUICE_DEVICE u32 seven() { return 7; } const u32 value = seven();"),
       "k.cu:2: expected no static variable, got 'value'"},
      {"pointer", "Parameter", kernel("first(nullptr);", "SLUICE_DEVICE float first(float *p) { return *p; }"),
       "k.cu:2: expected Global or Shared, got the pointer 'p'"},
      {"pointer", "FromAnInteger", kernel("*Pointer(u64(s)) = a;", "typedef float *Pointer;"),
       "k.cu:3: expected Global or Shared, got an integer used as a pointer"},
      {"pointer", "ReinterpretedToAReference", kernel("reinterpret_cast<f32 *&>(x)[s] = a;"),
       "k.cu:3: expected Global or Shared, got 'reinterpret_cast'"},
      {"pointer", "CastOfTheAddress", kernel("(*(f32 **)&x)[s] = a;"), pointerType},
      {"pointer", "CastToAReference", kernel("((Pointer &)x)[s] = a;", "typedef float *Pointer;"),
       "k.cu:3: expected Global or Shared, got a cast to a reference"},
      {"pointer", "OfShared", kernel("*(f32 *)(u64)sharedMemory<f32>(0).address() = a;"), pointerType},
      {"pointer", "ThroughVoid", kernel("*static_cast<f32 *>(static_cast<void *>(&x)) = a;"), pointerType},
      {"pointer", "Union", kernel("", "union Both { u64 bits; Global<f32> x; };"),
       "k.cu:2: expected Global or Shared, got 'union'"},
      {"pointer", "Result",
       kernel("f32 v[2]; first(v)[0] = a;", "SLUICE_DEVICE auto first(f32 (&v)[2]) { return &v[0]; }"),
       "k.cu:2: expected Global or Shared, got a pointer as the result of 'first'"},
      {"pointer", "Member", kernel("f32 v = a; Holder h{&v}; storeGlobal(x, *h.p);", "struct Holder { f32 *p; };"),
       "k.cu:3: expected Global or Shared, got a pointer in 'h'"},
      {"pointer", "Capture", kernel("f32 v = a; auto f = [p = &v] { return *p; }; storeGlobal(x, f());"),
       "k.cu:3: expected Global or Shared, got a pointer in 'f'"},
      {"pointer", "Reference", kernel("f32 v[2] = {a, a}; const auto &p = &v[1]; storeGlobal(x, *p);"),
       "k.cu:3: expected Global or Shared, got a pointer in 'p'"},
      {"pointer", "Arithmetic", kernel(fragments + "storeGlobal(x, (&d.r(0))[s]);"),
       "k.cu:3: expected Global or Shared, got arithmetic on an address"},
      {"pointer", "ArithmeticOnAReference", kernel(fragments + "auto &first = d.r(0); storeGlobal(x, (&first)[s]);"),
       "k.cu:3: expected Global or Shared, got arithmetic on an address"},
      {"register index", "Fragments", kernel("MmaAccumulator d[2]; storeGlobal(x, d[s].r(1));"), registers},
      {"register index", "FragmentsInALoop",
       kernel("LdRegisters<4> d[2][2]; for (u32 i = 0; i < 2; ++i) storeGlobal(x, toFloat(d[1][i].r(1)));"), registers},
      {"register index", "Vector", kernel("auto v = loadGlobal<4>(x); storeGlobal(x, v.data[s]);"), registers},
      {"integer division", "Signed", kernel("i32 t = i32(s); i32 q = 7 / t;"),
       "k.cu:3: expected divide(a, b) for a divisor that varies, got '/'"},
      {"integer division", "Unsigned", kernel("u32 q = 7u / s;"),
       "k.cu:3: expected divide(a, b) for a divisor that varies, got '/'"},
      {"integer division", "Remainder", kernel("i64 q = 7 % n;"),
       "k.cu:3: expected remainder(a, b) for a divisor that varies, got '%'"},
      {"integer division", "Assigned", kernel("u32 q = 7; q %= s;"),
       "k.cu:3: expected remainder(a, b) for a divisor that varies, got '%'"},
      {"shift", "Left", kernel("u32 q = 1u << s;"),
       "k.cu:3: expected shiftLeft or shiftRight for an amount that varies, got '<<' or '>>'"},
      {"integer division", "InATemplate",
       kernel("storeGlobal(x, toFloat(ratio(s, 8u)));",
              "template <class T> SLUICE_DEVICE T ratio(T p, T q) { return p / q; }"),
       "k.cu:2: expected divide(a, b) for a divisor that varies, got '/'"},
      {"integer division", "ByZero", kernel("u32 q = s / 0u;"), "k.cu:3: expected a divisor other than 0, got 0"},
      {"shift", "TooFar", kernel("u32 q = s << 40;"), "k.cu:3: expected a shift by less than 32 bits, got 40"},
      {"shift", "RightSigned", kernel("i32 q = i32(n) >> s;"),
       "k.cu:3: expected shiftLeft or shiftRight for an amount that varies, got '<<' or '>>'"},
      {"float to integer", "Signed", kernel("i32 q = i32(a);"),
       "k.cu:3: expected toIntegerTowardZero or toIntegerNearest, got a conversion of C++"},
      {"float to integer", "UnsignedImplicit", kernel("u32 q = a;"),
       "k.cu:3: expected toIntegerTowardZero or toIntegerNearest, got a conversion of C++"},
      {"indirect call", "Pointer", kernel("(s == 1 ? f : g)();", "SLUICE_DEVICE void f() {} SLUICE_DEVICE void g() {}"),
       "k.cu:3: expected a call of a function by its name, got a call through a pointer"},
      {"indirect call", "Virtual", kernel("", "struct B { virtual f32 f() { return 1; } };"),
       "k.cu:2: expected a call of a function by its name, got 'virtual'"},
      {"outside call", "Undefined", kernel("elsewhere(a);", "f32 elsewhere(f32 x);"),
       "k.cu:3: expected primitives and functions of the kernel's file, got '_Z9elsewheref'"},
  };
}

class BrokenRule : public ::testing::TestWithParam<Case> {};

TEST_P(BrokenRule, IsReportedOnItsLine) {
  const Case &c = GetParam();
  std::vector<RuleViolation> found = checkKernelRules(c.source);
  ASSERT_FALSE(found.empty());
  EXPECT_THAT(textsOf(found), ::testing::Contains(c.text));
  for (const RuleViolation &violation : found)
    EXPECT_EQ(violation.rule, c.rule) << violation.text();
}

INSTANTIATE_TEST_SUITE_P(Rules, BrokenRule, ::testing::ValuesIn(makeCases()),
                         [](const auto &info) { return info.param.name + std::to_string(info.index); });

TEST(KernelRules, EveryRuleHasACase) {
  // No pragma that would set the flags passes the rule on includes.
  std::set<std::string> tested = {"contraction"};
  for (const Case &c : makeCases())
    tested.insert(c.rule);
  std::set<std::string> names(kernelRuleNames().begin(), kernelRuleNames().end());
  EXPECT_EQ(tested, names);
}

TEST(KernelRules, ContractionIsSeenInTheCode) {
  KernelSource source = kernel("storeGlobal(x, a * a + a);", "#pragma clang fp contract(fast)");
  EXPECT_THAT(textsOf(checkKernelCode(source)),
              ::testing::Contains("k.cu:3: expected arithmetic without contraction or other fast-math flags, got a "
                                  "pragma that sets them"));
}

TEST(KernelRules, WhatIsAllowed) {
  KernelSource source = kernel(
      "u32 t = threadIndex(); i32 q = i32(t) / 4 + i32(t) % 8 + (i32(t) << 3) + divide(i32(n), i32(s));\n"
      "f32 b = toFloat(q) * a + a / 3.0f; // threadIdx, asm and printf in a comment\n"
      "/* __shared__ */ /*/ asm */ const char c = '\"'; constexpr u32 big = 1'000'000;\n"
      "MmaAccumulator e[2]; unrolled<2>([&](auto i) { e[i].fill(a); b += e[i].r(i); });\n"
      "f32 z[3]; for (u32 i = 0; i < 3; ++i) z[i] = b; for (f32 each : z) b += each;\n"
      "f32 v[2] = {a, b}; const auto &w = v; auto add = [&](f32 z) { return z + w[1]; };\n"
      "unrolled<4>([&](auto i) { q += q >> (i % 2 * 8); q /= i + 1; });\n"
      "#pragma unroll\n"
      "for (i32 i = 0; i < 2; ++i) b = add(b);\n"
      "Pair pair{b, t}; storeGlobal(x + i64(t), pair.asm_ + toFloat(i32(c)) + sum<3>(b), t < big && t < limit);",
      "namespace { constexpr u32 limit = 100; struct Pair { f32 asm_; u32 free; static constexpr int count = 2; };\n"
      "template <int N> SLUICE_DEVICE f32 sum(f32 x) { f32 y = 0; for (int i = 0; i < N; ++i) y += x; return y; } }");
  EXPECT_THAT(textsOf(checkKernelRules(source)), IsEmpty());
}

TEST(KernelRules, KernelsOfAMacroAreAllowed) {
  KernelSource source{"k.cu",
                      "#include \"Device.h\"\n#define ENTRY(name) \\\n  SLUICE_KERNEL(name, 32)(Global<f32> x)\n"
                      "SLUICE_DEVICE f32 two(const MmaAccumulator &) { return 2.0f; }\n"
                      "struct Ring { MmaAccumulator &d; u32 stage; };\n"
                      "ENTRY(k) { MmaAccumulator d; Ring ring{d, 1}; storeGlobal(x, two(ring.d)); }\n"
                      "SLUICE_EXPORT(k)\n",
                      {}};
  EXPECT_THAT(textsOf(checkKernelRules(source)), IsEmpty());
}

TEST(KernelRules, CodeIsLookedAtOnceTokensKeepTheRules) {
  std::string quotient = "u32 q = s / u32(n);\n";
  std::vector<std::string> code = {"k.cu:3: expected divide(a, b) for a divisor that varies, got '/'"};
  EXPECT_EQ(textsOf(checkKernelRules(kernel(quotient))), code);
  EXPECT_EQ(textsOf(checkKernelRules(kernel(quotient + "volatile u32 v = q;"))),
            std::vector<std::string>{"k.cu:4: expected ordering through primitives, got 'volatile'"});
  EXPECT_THAT(textsOf(checkKernelRules(kernel("missing(threadIdx.x);"))), ::testing::SizeIs(1)) << "not compiled";
}

TEST(KernelRules, ASourceThatDoesNotCompileSaysWhere) {
  try {
    checkKernelRules(kernel("storeGlobal(missing, 1.0f);"));
    FAIL() << "expected an error";
  } catch (const UserError &error) {
    EXPECT_THAT(error.what(), HasSubstr("k.cu:3: "));
  }
}

TEST(KernelRules, DereferencesDoNotCompile) {
  for (const char *body : {"*x = a;", "x[0] = a;", "f32 b = *x;", "f32 b = *sharedMemory<f32>(0);",
                           "sharedMemory<f32>(0)[1] = a;"})
    EXPECT_THROW(checkKernelCode(kernel(body)), UserError) << body;
}

TEST(KernelRules, FragmentsAreIndexedByConstants) {
  std::string declared = "MmaAccumulator c; c.fill(0.0f); ";
  EXPECT_THAT(checkKernelRules(kernel(declared + "storeGlobal(x, c.r(3));")), IsEmpty());
  for (const char *body : {"storeGlobal(x, c.r(int(s)));", "Index i(0); i.value = int(s); storeGlobal(x, c.r(i));",
                           "IndexBelow<4> i(0); i = s; storeGlobal(x, c.r(i));",
                           "for (int i = 0; i < 4; ++i) c.r(i) = a;"})
    EXPECT_THROW(checkKernelCode(kernel(declared + body)), UserError) << body;
}

/// A kernel's source with the headers that lie beside it in their places.
std::string textOf(const fs::path &path) {
  static const std::regex include("#include \"([A-Za-z]+\\.h)\"");
  std::istringstream lines(readFile(path.string()));
  std::string text, line;
  std::smatch match;
  while (std::getline(lines, line)) {
    fs::path header = std::regex_match(line, match, include) ? path.parent_path() / match[1].str() : fs::path();
    text += !header.empty() && fs::exists(header) ? textOf(header) : line == "#pragma once" ? "\n" : line + "\n";
  }
  return text;
}

/// The kernels of this repository.
TEST(KernelRules, HandWrittenKernelsKeepThem) {
  int checked = 0;
  for (const char *folder : {"/test/gpukernels", "/tools/gpu"})
    for (const auto &entry : fs::recursive_directory_iterator(std::string(SLUICE_SOURCE_DIR) + folder))
      if (entry.path().extension() == ".cu") {
        KernelSource source{entry.path().filename(), textOf(entry.path()), {}};
        EXPECT_THAT(textsOf(checkKernelRules(source)), IsEmpty()) << entry.path();
        ++checked;
      }
  EXPECT_GT(checked, 5);
}

} // namespace
