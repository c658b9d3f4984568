// Launch records: formulas of sizes, binding with an error for every mistake, JSON.
#include "runtime/Error.h"
#include "runtime/LaunchRecord.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::HasSubstr;
using Kind = ParameterRecord::Kind;

std::string errorOf(const std::function<void()> &action) {
  try {
    action();
  } catch (const UserError &error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "no error";
}

int64_t evaluate(const std::string &formula) {
  return SizeExpression(formula).evaluate({{"T", 70}, {"heads_2", 3}, {"big", INT64_MAX}});
}

std::string formulaError(const std::string &formula) {
  return errorOf([&] { evaluate(formula); });
}

TEST(SizeExpression, Evaluates) {
  EXPECT_EQ(evaluate("1 + 2 * 3 - 4"), 3);
  EXPECT_EQ(evaluate("(1 + 2)*-T"), -210);
  EXPECT_EQ(evaluate("ceildiv(T, 64) * heads_2"), 6);
  EXPECT_EQ(evaluate("min(T, 64) + max(T, 64)"), 134);
  EXPECT_EQ(evaluate("T - 1 - 1"), 68);
  EXPECT_EQ(evaluate("T / 8 / 2"), 4);
  EXPECT_EQ(SizeExpression(int64_t(INT64_MIN)).evaluate({}), INT64_MIN);
  EXPECT_EQ(SizeExpression().evaluate({}), 1);
}

TEST(SizeExpression, Constants) {
  EXPECT_EQ(SizeExpression("ceildiv(100, 32) * 32").constant(), 128);
  EXPECT_EQ(SizeExpression("T * 0").constant(), std::nullopt);
  EXPECT_EQ(SizeExpression("1 / 0").constant(), std::nullopt);
}

TEST(SizeExpression, DividesDown) {
  EXPECT_EQ(evaluate("-7 / 2"), -4);
  EXPECT_EQ(evaluate("-7 % 2"), 1);
  EXPECT_EQ(evaluate("7 % -2"), -1);
  EXPECT_EQ(evaluate("ceildiv(-7, 2)"), -3);
  EXPECT_EQ(evaluate("ceildiv(7, -2)"), -3);
  EXPECT_EQ(evaluate("-big / 1"), -INT64_MAX);
}

TEST(SizeExpression, RefusesBadSyntax) {
  EXPECT_EQ(formulaError(""), "formula '': expected a number, a name or '(' at position 1, got the end");
  EXPECT_EQ(formulaError("T +"),
            "formula 'T +': expected a number, a name or '(' at position 4, got the end");
  EXPECT_EQ(formulaError("T 2"), "formula 'T 2': expected an operator or the end at position 3, got '2'");
  EXPECT_EQ(formulaError("(T"), "formula '(T': expected ')' at position 3, got the end");
  EXPECT_EQ(formulaError("min(T)"), "formula 'min(T)': expected ',' at position 6, got ')'");
  EXPECT_EQ(formulaError("sqrt(T)"),
            "formula 'sqrt(T)': expected the function ceildiv, min or max, got sqrt");
  EXPECT_THAT(formulaError("9223372036854775808"), HasSubstr("expected an integer of 64 bits"));
  EXPECT_THAT(formulaError(std::string(100000, '(')), HasSubstr("at most 100 levels"));
  EXPECT_THAT(formulaError(std::string(100000, '-')), HasSubstr("at most 100 levels"));
  std::string sixty(60, 'T');
  EXPECT_EQ(formulaError(sixty), "formula '" + sixty + "': unknown size '" + sixty + "'");
  EXPECT_EQ(formulaError(sixty + std::string(400000, 'T')),
            "formula '" + sixty + "...': unknown size '" + sixty + "...'");
  EXPECT_EQ(formulaError(sixty + "+(T"),
            "formula '" + sixty + "...': expected ')' at position 64, got the end");
  EXPECT_LT(formulaError(std::string(400000, '9')).size(), 200u);
  EXPECT_LT(formulaError(std::string(400000, 'f') + "(T)").size(), 200u);
}

TEST(SizeExpression, RefusesBadValues) {
  EXPECT_EQ(formulaError("T + U"), "formula 'T + U': unknown size 'U'");
  EXPECT_THAT(formulaError("T / (T - 70)"), HasSubstr("expected a divisor other than 0"));
  EXPECT_THAT(formulaError("T % 0"), HasSubstr("expected a divisor other than 0"));
  EXPECT_THAT(formulaError("ceildiv(T, 0)"), HasSubstr("expected a divisor other than 0"));
  for (const char *formula : {"big + 1", "-big - 2", "big * 2", "big * big", "(-big - 1) / -1", "-(-big - 1)",
                              "ceildiv(-big - 1, -1)"})
    EXPECT_THAT(formulaError(formula), HasSubstr("got an overflow")) << formula;
}

ParameterRecord tensor(const std::string &name, DType dtype, std::vector<SizeExpression> shape) {
  ParameterRecord parameter{.name = name, .kind = Kind::tensor, .dtype = dtype};
  parameter.shape = std::move(shape);
  return parameter;
}

/// One parameter of each kind.
LaunchRecord exampleRecord() {
  LaunchRecord record;
  record.kernel = "scan";
  record.sizes = {"T", "H"};
  record.grid = {"ceildiv(T, 64) * 2", "H", 1};
  record.threads = 384;
  record.cluster = {2, 1, 1};
  record.sharedBytes = "1024 * 3";
  record.blocksPerSm = 2;
  ParameterRecord x = tensor("x", DType::bf16, {"T", "H", 8});
  x.strides = {"H * 8", 8, 1};
  x.offset = 8;
  ParameterRecord count{.name = "tokens", .kind = Kind::size, .dtype = DType::i64, .value = "T"};
  ParameterRecord scale{.name = "scale", .kind = Kind::value, .dtype = DType::f32};
  ParameterRecord map{.name = "map", .kind = Kind::tensorMap, .direction = Direction::write};
  map.map = {"x", {8, "T * H"}, {8}, {8, 64}, {}, TileSwizzle::bytes128, true};
  ParameterRecord work{.name = "counters", .kind = Kind::workspace, .dtype = DType::u32, .bytes = "4 * H"};
  work.initial = "7";
  record.parameters = {x, count, scale, map, work};
  record.roles = {{"load", 128, 24}, {"state", 256, 240}};
  record.registersAtLaunch = 168;
  return record;
}

struct Example {
  LaunchRecord record = exampleRecord();
  alignas(64) char memory[2 * (70 * 3 * 8 + 8)];
  LaunchInputs inputs{{{"T", 70}, {"H", 3}}, {{"x", {memory, sizeof memory}}}, {{"scale", 0.5}}};

  BoundLaunch bind() { return bindLaunch(record, inputs); }
  std::string error() {
    return errorOf([&] { bind(); });
  }
};

template <typename T> T valueOf(const BoundParameter &parameter) {
  T value;
  EXPECT_EQ(parameter.byteCount, sizeof value) << parameter.name;
  std::memcpy(&value, parameter.bytes.data(), sizeof value);
  return value;
}

TEST(BindLaunch, EvaluatesEverything) {
  Example example;
  BoundLaunch launch = example.bind();
  EXPECT_EQ(launch.kernel, "scan");
  EXPECT_EQ(launch.grid, (std::array<uint32_t, 3>{4, 3, 1}));
  EXPECT_EQ(launch.cluster, (std::array<uint32_t, 3>{2, 1, 1}));
  EXPECT_EQ(launch.threads, 384u);
  EXPECT_EQ(launch.sharedBytes, 3072u);
  EXPECT_EQ(launch.blocksPerSm, 2u);
  EXPECT_EQ(launch.residentBlocks, 0u);
  ASSERT_EQ(launch.roles.size(), 2u);
  EXPECT_EQ(launch.registersAtLaunch, 168u);
  ASSERT_EQ(launch.parameters.size(), 5u);
  EXPECT_EQ(valueOf<void *>(launch.parameters[0]), example.memory + 16);
  EXPECT_EQ(launch.parameters[0].shape, (std::vector<int64_t>{70, 3, 8}));
  EXPECT_EQ(valueOf<int64_t>(launch.parameters[1]), 70);
  EXPECT_EQ(valueOf<float>(launch.parameters[2]), 0.5f);
  EXPECT_EQ(launch.parameters[4].workspaceBytes, 12u);
  EXPECT_EQ(launch.parameters[4].initial, 7u);
}

TEST(BindLaunch, TensorMaps) {
  BoundParameter bound;
  Example example;
  bound = example.bind().parameters[3];
  EXPECT_EQ(bound.map.argument, "x");
  EXPECT_EQ(bound.map.dtype, DType::bf16) << "the tensor's, not the map's own";
  EXPECT_EQ(bound.map.base, example.memory);
  EXPECT_EQ(bound.map.dims, (std::vector<uint64_t>{8, 210}));
  EXPECT_EQ(bound.map.strides, (std::vector<uint64_t>{16}));
  EXPECT_EQ(bound.map.box, (std::vector<uint32_t>{8, 64}));
  EXPECT_EQ(bound.map.elementStrides, (std::vector<uint32_t>{1, 1}));
  EXPECT_EQ(bound.map.swizzle, TileSwizzle::bytes128);
  EXPECT_TRUE(bound.map.fillNan);
  EXPECT_EQ(bound.shape, (std::vector<int64_t>{210, 8}));
  // The map alone brings its tensor.
  example.record.parameters.erase(example.record.parameters.begin());
  example.record.parameters[2].dtype = DType::f16;
  EXPECT_EQ(example.bind().parameters[2].map.dtype, DType::f16);
}

TEST(BindLaunch, EmptyTensorsNeedNoMemory) {
  Example example;
  example.inputs.sizes["T"] = 0;
  example.inputs.tensors["x"] = {nullptr, 0};
  BoundLaunch launch = example.bind();
  EXPECT_EQ(launch.grid[0], 0u);
  EXPECT_EQ(valueOf<void *>(launch.parameters[0]), nullptr);
}

TEST(BindLaunch, SmallIntegers) {
  Example example;
  example.record.parameters[1].dtype = DType::u32;
  EXPECT_EQ(valueOf<uint32_t>(example.bind().parameters[1]), 70u);
  example.record.parameters[1].value = "-T";
  EXPECT_EQ(example.error(), "kernel 'scan': parameter 'tokens': expected an integer of type u32, got -70");
  example.record.parameters[1].dtype = DType::i32;
  EXPECT_EQ(valueOf<int32_t>(example.bind().parameters[1]), -70);
  example.record.parameters[2].dtype = DType::u32;
  EXPECT_EQ(example.error(), "kernel 'scan': parameter 'scale': expected an integer of type u32, got 0.5");
  example.inputs.values["scale"] = NAN;
  EXPECT_THAT(example.error(), HasSubstr("expected an integer of type u32, got nan"));
  example.inputs.values["scale"] = 4294967295.0;
  EXPECT_EQ(valueOf<uint32_t>(example.bind().parameters[2]), 4294967295u);
  example.record.parameters[2].dtype = DType::f16;
  EXPECT_THAT(example.error(), HasSubstr("expected a value of type f32, i32 or u32, got f16"));
}

TEST(BindLaunch, Residency) {
  Example example;
  example.record.residency = Residency::cooperative;
  EXPECT_EQ(example.bind().residentBlocks, 12u) << "all of the grid";
  example.record.residentBlocks = "T / 10 + 1";
  EXPECT_EQ(example.bind().residentBlocks, 8u);
  example.record.residentBlocks = 7;
  EXPECT_EQ(example.error(), "kernel 'scan': expected resident blocks of whole clusters of 2, got 7");
  example.record.residency = Residency::independent;
  EXPECT_EQ(example.error(),
            "kernel 'scan': expected resident blocks of a cooperative launch, got 7 of independent blocks");
  example.record.residency = Residency::cooperative;
  example.record.residentBlocks = -1;
  EXPECT_THAT(example.error(), HasSubstr("expected resident blocks from 0 to"));
  example.record.blocksPerSm = 0;
  EXPECT_EQ(example.error(), "kernel 'scan': expected 1 to 32 blocks per multiprocessor, got 0");
}

TEST(BindLaunch, ThreadsAndClustersAreFunctionsOfTheSizes) {
  Example example;
  example.record.threads = "H * 128";
  example.record.cluster = {"min(T, 2)", 1, "max(H / 3, 1)"};
  BoundLaunch launch = example.bind();
  EXPECT_EQ(launch.threads, 384u);
  EXPECT_EQ(launch.cluster, (std::array<uint32_t, 3>{2, 1, 1}));
  example.record.threads = "T";
  EXPECT_EQ(example.error(), "kernel 'scan': expected a multiple of 32 from 32 to 1024 threads, got 70");
  example.record.threads = 384;
  example.record.cluster[0] = "H * 3";
  EXPECT_EQ(example.error(), "kernel 'scan': expected a cluster of 1 to 8 blocks, got [9, 1, 1]");
}

TEST(BindLaunch, RolesAreWhatSetmaxnregCanGive) {
  auto errorAfter = [](auto change) {
    Example example;
    change(example.record.roles);
    return example.error();
  };
  using Roles = std::vector<RoleRecord>;
  EXPECT_EQ(errorAfter([](Roles &r) { r = {{"load", 96, 24}, {"state", 288, 0}}; }),
            "kernel 'scan': role 'load': expected a multiple of 128 threads up to 384, got 96");
  EXPECT_EQ(errorAfter([](Roles &r) { r = {{"load", 96, 0}, {"state", 288, 0}}; }), "no error");
  EXPECT_EQ(errorAfter([](Roles &r) { r = {{"load", 48, 0}, {"state", 336, 0}}; }),
            "kernel 'scan': role 'load': expected a multiple of 32 threads up to 384, got 48");
  EXPECT_EQ(errorAfter([](Roles &r) { r = {{"load", -128, 24}, {"state", 512, 240}}; }),
            "kernel 'scan': role 'load': expected a multiple of 128 threads up to 384, got -128");
  for (int64_t registers : {16, 25, 264, -8})
    EXPECT_EQ(errorAfter([&](Roles &r) { r[1].registers = registers; }),
              "kernel 'scan': role 'state': expected a multiple of 8 registers from 24 to 256, got " +
                  std::to_string(registers));
  Example example;
  example.record.registersAtLaunch = 256;
  EXPECT_EQ(example.error(), "kernel 'scan': expected at most 255 registers at launch, got 256");
}

TEST(BindLaunch, NamesMustMatch) {
  auto errorAfter = [](auto change) {
    Example example;
    change(example);
    return example.error();
  };
  EXPECT_EQ(errorAfter([](Example &e) { e.inputs.sizes.erase("H"); }),
            "kernel 'scan': expected a size 'H', got none");
  EXPECT_EQ(errorAfter([](Example &e) { e.inputs.sizes["K"] = 1; }),
            "kernel 'scan': unknown size 'K', expected H, T");
  EXPECT_EQ(errorAfter([](Example &e) { e.inputs.sizes["H"] = -1; }),
            "kernel 'scan': expected a size 'H' of at least 0, got -1");
  EXPECT_EQ(errorAfter([](Example &e) { e.inputs.tensors.clear(); }),
            "kernel 'scan': expected a tensor 'x', got none");
  EXPECT_EQ(errorAfter([](Example &e) { e.inputs.tensors["y"] = {}; }),
            "kernel 'scan': unknown tensor 'y', expected x");
  EXPECT_EQ(errorAfter([](Example &e) { e.inputs.values.clear(); }),
            "kernel 'scan': expected a value 'scale', got none");
  EXPECT_EQ(errorAfter([](Example &e) { e.inputs.values["bias"] = 1; }),
            "kernel 'scan': unknown value 'bias', expected scale");
  EXPECT_EQ(errorAfter([](Example &e) { e.record.parameters.push_back(e.record.parameters[0]); }),
            "kernel 'scan': parameter 'x': expected each name once, got it twice");
  EXPECT_EQ(errorAfter([](Example &e) { e.record.grid[2] = "U"; }),
            "kernel 'scan': a grid z: formula 'U': unknown size 'U'");
}

TEST(BindLaunch, TensorsMustHoldTheirShape) {
  Example example;
  LaunchTensor &x = example.inputs.tensors["x"];
  x.bytes -= 1;
  EXPECT_EQ(example.error(), "kernel 'scan': parameter 'x': expected a tensor 'x' of at least 3376 bytes for "
                             "shape [70, 3, 8], got 3375");
  x = {nullptr, sizeof example.memory};
  EXPECT_EQ(example.error(),
            "kernel 'scan': parameter 'x': expected memory for tensor 'x', got a null pointer");
  x = {example.memory + 1, sizeof example.memory};
  EXPECT_EQ(example.error(),
            "kernel 'scan': parameter 'x': expected a tensor 'x' aligned to 2 bytes, got less");
  x.data = example.memory;
  ParameterRecord &parameter = example.record.parameters[0];
  parameter.offset = -1;
  EXPECT_THAT(example.error(),
              HasSubstr("expected elements from the start of tensor 'x' on, got some before it"));
  parameter.offset = "69 * 3 * 8";
  parameter.strides[0] = "-3 * 8";
  EXPECT_EQ(example.error(), "no error") << "from the end to the start";
  parameter.offset = "68 * 3 * 8";
  EXPECT_THAT(example.error(), HasSubstr("got some before it"));
  parameter.strides = {int64_t(1) << 62, int64_t(1) << 62, int64_t(1) << 62};
  EXPECT_THAT(example.error(), HasSubstr("expected a tensor 'x' of at least 2^63 bytes"));
  parameter.strides = {1};
  EXPECT_THAT(example.error(), HasSubstr("expected 3 strides, got 1"));
  parameter.strides = {};
  parameter.offset = 0;
  parameter.shape = {INT64_MAX, INT64_MAX, 8};
  EXPECT_THAT(example.error(), HasSubstr("expected a tensor 'x' of at least 2^63 bytes"));
  parameter.shape = {-1};
  EXPECT_THAT(example.error(), HasSubstr("parameter 'x': expected a dimension of at least 0, got -1"));
  parameter.shape = {"T / 0"};
  EXPECT_THAT(example.error(), HasSubstr("parameter 'x': a dimension: formula 'T / 0': expected a divisor"));
}

TEST(BindLaunch, GeometryMustFit) {
  auto errorAfter = [](auto change) {
    Example example;
    change(example.record);
    return example.error();
  };
  EXPECT_EQ(errorAfter([](LaunchRecord &r) { r.grid[0] = 2147483648; }),
            "kernel 'scan': expected a grid x from 0 to 2147483647, got 2147483648");
  EXPECT_EQ(errorAfter([](LaunchRecord &r) { r.grid[0] = -2; }),
            "kernel 'scan': expected a grid x from 0 to 2147483647, got -2");
  EXPECT_EQ(errorAfter([](LaunchRecord &r) { r.grid[1] = 65536; }),
            "kernel 'scan': expected a grid y from 0 to 65535, got 65536");
  EXPECT_EQ(errorAfter([](LaunchRecord &r) { r.grid[2] = 65536; }),
            "kernel 'scan': expected a grid z from 0 to 65535, got 65536");
  EXPECT_EQ(errorAfter([](LaunchRecord &r) { r.grid[0] = 2147483646; }), "no error");
  for (int64_t threads : {0, 16, 100, 1056})
    EXPECT_THAT(errorAfter([&](LaunchRecord &r) { r.threads = threads; }),
                HasSubstr("expected a multiple of 32 from 32 to 1024 threads, got"));
  EXPECT_EQ(errorAfter([](LaunchRecord &r) { r.grid[0] = 3; }),
            "kernel 'scan': expected a grid divisible by its clusters of 2 blocks, got 3 on axis x");
  EXPECT_EQ(errorAfter([](LaunchRecord &r) {
              r.cluster = {4, 3, 1};
            }),
            "kernel 'scan': expected a cluster of 1 to 8 blocks, got [4, 3, 1]");
  EXPECT_THAT(errorAfter([](LaunchRecord &r) {
                r.cluster = {0, 1, 1};
              }),
              HasSubstr("expected a cluster of 1 to 8"));
  EXPECT_THAT(errorAfter([](LaunchRecord &r) { r.sharedBytes = -4; }),
              HasSubstr("expected shared bytes from 0"));
  EXPECT_EQ(errorAfter([](LaunchRecord &r) { r.roles.pop_back(); }),
            "kernel 'scan': expected roles of 384 threads together, got 128");
}

TEST(BindLaunch, MapsAndWorkspacesMustBeWhole) {
  auto errorAfter = [](auto change) {
    Example example;
    change(example.record.parameters[3].map, example.record.parameters[4]);
    return example.error();
  };
  using Map = TensorMapRecord;
  using Parameter = ParameterRecord;
  EXPECT_EQ(errorAfter([](Map &map, Parameter &) { map.dims.clear(); }),
            "kernel 'scan': parameter 'map': expected 1 to 5 dimensions of a tensor map, got 0");
  EXPECT_THAT(errorAfter([](Map &map, Parameter &) { map.box.pop_back(); }),
              HasSubstr("a box and element strides"));
  EXPECT_THAT(errorAfter([](Map &map, Parameter &) { map.strides.clear(); }),
              HasSubstr("a stride for every"));
  EXPECT_THAT(errorAfter([](Map &map, Parameter &) { map.elementStrides = {1}; }),
              HasSubstr("element strides"));
  EXPECT_THAT(
      errorAfter([](Map &map, Parameter &) { map.dims[1] = "T * H + 2"; }),
      HasSubstr(
          "parameter 'map': expected a tensor 'x' of at least 3392 bytes for shape [8, 212], got 3376"));
  EXPECT_THAT(errorAfter([](Map &map, Parameter &) { map.strides[0] = -8; }), HasSubstr("got"));
  EXPECT_THAT(errorAfter([](Map &, Parameter &work) { work.bytes = -1; }),
              HasSubstr("parameter 'counters': expected a size in bytes of at least 0, got -1"));
  EXPECT_THAT(errorAfter([](Map &, Parameter &work) { work.bytes = 6; }),
              HasSubstr("whole 32-bit words, got 6 bytes"));
  for (const char *initial : {"zero", "4294967296", "-1", ""})
    EXPECT_THAT(errorAfter([&](Map &, Parameter &work) { work.initial = initial; }),
                HasSubstr("expected \"undefined\" or an integer of 32 bits as initial value"));
}

TEST(LaunchRecordJson, RoundTrip) {
  LaunchRecord record = exampleRecord();
  record.residency = Residency::cooperative;
  record.residentBlocks = "2 * H";
  std::string text = toJson(record);
  LaunchRecord back = launchRecordFromJson(text);
  EXPECT_EQ(toJson(back), text);
  EXPECT_EQ(back.kernel, "scan");
  EXPECT_EQ(back.grid[0].text(), "ceildiv(T, 64) * 2");
  EXPECT_EQ(back.threads.text(), "384");
  EXPECT_EQ(back.cluster[0].text(), "2");
  EXPECT_EQ(back.residency, Residency::cooperative);
  EXPECT_EQ(back.residentBlocks.text(), "2 * H");
  ASSERT_EQ(back.parameters.size(), 5u);
  EXPECT_EQ(back.parameters[3].map.swizzle, TileSwizzle::bytes128);
  EXPECT_EQ(back.parameters[3].direction, Direction::write);
  EXPECT_EQ(back.parameters[4].initial, "7");
  EXPECT_EQ(back.roles[1].registers, 240);
  EXPECT_EQ(back.registersAtLaunch, 168u);
}

TEST(LaunchRecordJson, NumbersAreFormulas) {
  LaunchRecord record =
      launchRecordFromJson(R"({"kernel":"k","sizes":["T"],"grid":["T",1,1],"threads":64,"parameters":[]})");
  EXPECT_EQ(bindLaunch(record, {{{"T", 5}}, {}, {}}).grid, (std::array<uint32_t, 3>{5, 1, 1}));
}

TEST(LaunchRecordJson, NamesTheFieldAtFault) {
  auto errorAfter = [](const std::string &from, const std::string &to) {
    std::string text = toJson(exampleRecord());
    size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    return errorOf([&] { launchRecordFromJson(text); });
  };
  EXPECT_EQ(errorOf([] { launchRecordFromJson("{"); }), "launch record: expected JSON, got something else");
  EXPECT_EQ(errorOf([] { launchRecordFromJson("{}"); }),
            "launch record: expected a field 'kernel', got none");
  EXPECT_EQ(errorOf([] { launchRecordFromJson("3"); }), "launch record: field '': expected an object, got 3");
  EXPECT_EQ(errorAfter("\"threads\":\"384\"", "\"thread\":384"),
            "launch record: expected a field 'threads', got none");
  EXPECT_EQ(errorAfter("\"blocks_per_sm\"", "\"blocks\""), "launch record: unknown field 'blocks'");
  EXPECT_EQ(errorAfter("\"384\"", "true"), "launch record: field 'threads': expected a formula, got true");
  EXPECT_EQ(errorAfter("\"registers\":24,", "\"registers\":\"many\","),
            "launch record: field 'roles[0].registers': expected an integer of 64 bits, got \"many\"");
  EXPECT_EQ(errorAfter("[\"2\",\"1\",\"1\"]", "[2,1]"),
            "launch record: field 'cluster': expected a list of 3, got [2,1]");
  EXPECT_EQ(errorAfter("\"bytes128\"", "\"bytes256\""),
            "launch record: field 'parameters[3].map.swizzle': expected one of none, bytes32, bytes64, "
            "bytes128, got "
            "\"bytes256\"");
  EXPECT_EQ(errorAfter("\"bf16\"", "\"f8\""),
            "launch record: field 'parameters[0].dtype': expected a dtype, got \"f8\"");
  EXPECT_EQ(
      errorAfter("[8,64]", "[8,-64]"),
      "launch record: field 'parameters[3].map.box[1]': expected an unsigned integer of 32 bits, got -64");
  EXPECT_EQ(
      errorAfter("\"H * 8\"", "\"H *\""),
      "launch record: field 'parameters[0].strides[0]': formula 'H *': expected a number, a name or '(' at "
      "position 4, got the end");
  EXPECT_EQ(errorAfter("\"bytes\":\"4 * H\"", "\"bites\":4"),
            "launch record: expected a field 'parameters[4].bytes', got none");
  EXPECT_EQ(errorAfter("\"fill_nan\":true", "\"fill_nan\":1"),
            "launch record: field 'parameters[3].map.fill_nan': expected true or false, got 1");
}

} // namespace
} // namespace sluice
