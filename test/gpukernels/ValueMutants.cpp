// The table of mistakes in numbers. Each must be refused at the launch, be reported, or show in the results.
#include "test/gpukernels/ValueMutants.h"

#include <stdexcept>

namespace sluice::gpukernels {

namespace {

using Alter = std::function<void(LaunchRecord &)>;

ParameterRecord &parameterOf(LaunchRecord &record, const std::string &name) {
  for (ParameterRecord &parameter : record.parameters)
    if (parameter.name == name)
      return parameter;
  throw std::out_of_range("expected a parameter of the record, got '" + name + "'");
}

/// Another value for a size that the kernel is given.
Alter size(std::string name, std::string value) {
  return [=](LaunchRecord &record) { parameterOf(record, name).value = value; };
}

Alter swizzle(std::string map, TileSwizzle pattern) {
  return [=](LaunchRecord &record) { parameterOf(record, map).map.swizzle = pattern; };
}

Alter box(std::string map, std::vector<uint32_t> elements) {
  return [=](LaunchRecord &record) { parameterOf(record, map).map.box = elements; };
}

Alter dimension(std::string map, size_t index, std::string value) {
  return [=](LaunchRecord &record) { parameterOf(record, map).map.dims.at(index) = value; };
}

Alter stride(std::string map, size_t index, std::string value) {
  return [=](LaunchRecord &record) { parameterOf(record, map).map.strides.at(index) = value; };
}

Alter shared(int64_t bytes) {
  return [=](LaunchRecord &record) { record.sharedBytes = bytes; };
}

Alter grid(size_t axis, std::string value) {
  return [=](LaunchRecord &record) { record.grid.at(axis) = value; };
}

Alter registers(size_t role, int64_t count) {
  return [=](LaunchRecord &record) { record.roles.at(role).registers = count; };
}

Alter atLaunch(uint32_t count) {
  return [=](LaunchRecord &record) { record.registersAtLaunch = count; };
}

Alter workspace(std::string name, std::string bytes, std::string initial) {
  return [=](LaunchRecord &record) {
    parameterOf(record, name).bytes = bytes;
    parameterOf(record, name).initial = initial;
  };
}

Alter cluster(int64_t blocks) {
  return [=](LaunchRecord &record) { record.cluster[0] = blocks; };
}

std::vector<ValueMutant> copies() {
  return {
      {"copy_rows", "one row more", size("rowCount", "rows + 1")},
      {"copy_rows", "one column more", size("columnCount", "columns + 1")},
      {"copy_rows", "one column less", size("columnCount", "columns - 1")},
      {"copy_rows", "distance of rows", size("sourceDistance", "strideSource + 8")},
      {"copy_rows", "grid one short", grid(0, "ceildiv(rows, 4) - 1")},
      {"copy_transposed", "one row more", size("rowCount", "rows + 1")},
      {"copy_transposed", "distance of rows", size("targetDistance", "ceildiv(rows, 8) * 8 + 8")},
      {"copy_transposed", "one stage of shared memory", shared(64 * 64 * 2)},
      {"copy_bulk", "four numbers more", size("count", "n + 4")},
      {"copy_bulk", "five stages in memory for four", {}, "_stages5"},
      {"copy_scaled", "no swizzle on the way in", swizzle("source", TileSwizzle::none)},
      {"copy_scaled", "64-byte swizzle on the way in", swizzle("source", TileSwizzle::bytes64)},
      {"copy_scaled", "no swizzle on the way out", swizzle("target", TileSwizzle::none)},
      {"copy_scaled", "box of half the rows", box("source", {64, 32, 1})},
      {"copy_scaled", "box of half the columns", box("source", {32, 64, 1})},
      {"copy_scaled", "one row less", dimension("target", 1, "rows - 1")},
      {"copy_scaled", "distance of rows", stride("source", 0, "ceildiv(columns, 8) * 8 - 8")},
      {"copy_scaled", "distance of 8 bytes", stride("source", 0, "ceildiv(columns, 8) * 8 + 4")},
  };
}

std::vector<ValueMutant> products() {
  return {
      {"gemm_sm80_bf16", "depth one less", size("depth", "k - 1")},
      {"gemm_sm80_bf16", "depth 8 more", size("depth", "k + 8")},
      {"gemm_sm80_bf16", "one row more", size("rows", "m + 1")},
      {"gemm_sm80_bf16", "one column more", size("columns", "n + 1")},
      {"gemm_sm80_bf16", "distance of rows", size("distanceB", "ceildiv(n, 8) * 8 - 8")},
      {"gemm_sm80_bf16", "one stage less of shared memory", shared(2 * 16384)},
      {"gemm_sm80_bf16", "four stages in memory for three", {}, "_stages4"},
      {"gemm_sm80_bf16", "grid one short", grid(0, "ceildiv(n, 128) - 1")},
      {"gemm_sm90_bf16_nk", "no swizzle of A", swizzle("a", TileSwizzle::none)},
      {"gemm_sm90_bf16_nk", "no swizzle of B", swizzle("b", TileSwizzle::none)},
      {"gemm_sm90_bf16_kn", "no swizzle of B", swizzle("b", TileSwizzle::none)},
      {"gemm_sm90_bf16_kn", "64-byte swizzle of B", swizzle("b", TileSwizzle::bytes64)},
      {"gemm_sm90_bf16_nk", "box of half the rows", box("a", {64, 64})},
      {"gemm_sm90_bf16_kn", "box of half the columns", box("b", {32, 64})},
      {"gemm_sm90_bf16_nk", "depth of A one less", dimension("a", 0, "k - 1")},
      {"gemm_sm90_bf16_nk", "depth one slice less", size("depth", "k - 64")},
      {"gemm_sm90_bf16_nk", "one column more", size("columns", "n + 2")},
      {"gemm_sm90_bf16_nk", "five stages in memory for four", {}, "_stages5"},
      {"gemm_sm90_bf16_nk", "no memory for barriers", shared(4 * 32768)},
      {"gemm_sm90_bf16_nk", "registers of a role", registers(1, 240)},
      {"gemm_sm90_bf16_nk", "fewer registers at launch", atLaunch(128)},
      {"triangular_inverse", "half the shared memory", shared(64 * 68 * 4)},
      {"triangular_inverse", "grid one short", grid(0, "batch - 1")},
  };
}

std::vector<ValueMutant> communication() {
  return {
      {"reduce_pull", "cluster of two", cluster(2)},
      {"reduce_async", "cluster of two", cluster(2)},
      {"reduce_push", "no memory for the inbox", shared(2048)},
      {"reduce_bulk", "one row less", size("rowCount", "rows - 1")},
      {"reduce_bulk", "eight columns more", size("columnCount", "columns + 8")},
      {"chain", "four slots in rings of three", {}, "_slots4"},
      {"chain", "counters start undefined", workspace("counters", "(stages - 1) * chains * 64", "undefined")},
      {"chain", "counters start at 1", workspace("counters", "(stages - 1) * chains * 64", "1")},
      {"chain", "half of the counters", workspace("counters", "(stages - 1) * chains * 32", "0")},
      {"chain", "blocks said to be independent",
       [](LaunchRecord &record) { record.residency = Residency::independent; }},
      {"chain_bulk_read", "four slots in rings of three", {}, "_slots4"},
      {"chain_bulk_write", "half of the rings",
       workspace("rings", "(stages - 1) * chains * 1024", "undefined")},
  };
}

std::vector<ValueMutant> scan() {
  return {
      {"chunk_scan", "no swizzle of the keys", swizzle("keys", TileSwizzle::none)},
      {"chunk_scan", "no swizzle of the queries", swizzle("queries", TileSwizzle::none)},
      {"chunk_scan", "no swizzle of the values", swizzle("values", TileSwizzle::none)},
      {"chunk_scan", "no swizzle of the output", swizzle("target", TileSwizzle::none)},
      {"chunk_scan", "box of half the tokens", box("values", {64, 32, 1})},
      {"chunk_scan", "output one token short", dimension("target", 1, "tokens - 1")},
      {"chunk_scan", "keys of 120 columns", dimension("keys", 0, "120")},
      {"chunk_scan", "one chunk less", size("tokenCount", "tokens - 64")},
      {"chunk_scan", "64 values more", size("valueSize", "values + 64")},
      {"chunk_scan", "four stages in memory for three", {}, "_stages4"},
      {"chunk_scan", "registers of a role", registers(2, 232)},
  };
}

} // namespace

const std::vector<ValueMutant> &valueMutants() {
  static const std::vector<ValueMutant> all = [] {
    std::vector<ValueMutant> mutants;
    for (auto make : {copies, products, communication, scan})
      for (ValueMutant &mutant : make())
        mutants.push_back(std::move(mutant));
    return mutants;
  }();
  return all;
}

} // namespace sluice::gpukernels
