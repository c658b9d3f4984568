// Small kernels with one mistake each that a checker easily misses, and kernels that only look wrong. Whoever is wrong
// must be reported under every order and every completion that is tried; whoever is right never.
#include "runtime/emulator/Emulator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace sluice::emulator {
namespace {

/// A kernel of adversarial*.cu and the kind of report it deserves: empty for none, otherwise any of those given.
struct Case {
  const char *file, *entry;
  std::vector<const char *> kinds;
  int64_t blocks = 1;
};

constexpr int64_t tensorBytes = 16384, sharedBytes = 32768;

ParameterRecord tensor(const char *name, Direction direction, DType dtype) {
  ParameterRecord parameter;
  parameter.name = name;
  parameter.direction = direction;
  parameter.dtype = dtype;
  parameter.shape = {tensorBytes / 4};
  return parameter;
}

ParameterRecord workspace(const char *name, const char *initial, DType dtype) {
  ParameterRecord parameter;
  parameter.name = name;
  parameter.kind = ParameterRecord::Kind::workspace;
  parameter.direction = Direction::readWrite;
  parameter.dtype = dtype;
  parameter.bytes = tensorBytes;
  parameter.initial = initial;
  return parameter;
}

LaunchRecord recordOf(const Case &each) {
  LaunchRecord record;
  record.kernel = each.entry;
  record.grid = {SizeExpression(each.blocks), 1, 1};
  record.sharedBytes = sharedBytes;
  std::string_view name = each.entry;
  bool cluster = name.starts_with("cluster_"), communicates = each.blocks > 1 && !name.starts_with("independent_");
  record.cluster = {cluster ? 2 : 1, 1, 1};
  record.residency = communicates && !cluster ? Residency::cooperative : Residency::independent;
  record.parameters = {tensor("in", Direction::read, DType::f32), tensor("out", Direction::write, DType::f32),
                       workspace("scratch", "undefined", DType::f32), workspace("counter", "0", DType::u32)};
  return record;
}

struct Order {
  Scheduling scheduling;
  Completion completion;
  uint64_t seed;
};

/// What is right has to be so in many orders; what is wrong is asked in few, so that a lucky one shows.
std::vector<Order> ordersFor(const Case &each) {
  std::vector<Order> orders;
  for (Scheduling scheduling : {Scheduling::random, Scheduling::inOrder})
    for (Completion completion : {Completion::lazy, Completion::eager, Completion::random})
      for (uint64_t seed = 1; seed <= (each.kinds.empty() ? 17 : 4); ++seed)
        orders.push_back({scheduling, completion, seed});
  return orders;
}

Result run(const Case &each, const Order &order) {
  std::string file = std::string(SLUICE_KERNELS) + "/" + each.file + ".so";
  Memory in(tensorBytes, "in"), out(tensorBytes, "out");
  std::memset(in.data(), 0, tensorBytes);
  in.markWritten();
  LaunchInputs inputs;
  inputs.tensors = {{"in", in.tensor()}, {"out", out.tensor()}};
  Options options;
  options.seed = order.seed;
  options.scheduling = order.scheduling;
  options.completion = order.completion;
  options.check = true;
  options.threads = static_cast<int>(order.seed % 2 + 1);
  return launch(Kernel::load(file, each.entry), bindLaunch(recordOf(each), inputs), options);
}

std::string textOf(const Result &result) {
  std::string text;
  for (const Report &report : result.reports)
    text += "\n  " + report.text();
  return text.empty() ? " nothing" : text;
}

bool isExpected(const Case &each, const Result &result) {
  if (each.kinds.empty())
    return result.clean();
  return std::ranges::any_of(result.reports, [&](const Report &report) {
    return std::ranges::any_of(each.kinds, [&](const char *kind) { return report.kind == kind; });
  });
}

/// Whether a report says where, who and, of two that collide, where the other one was.
bool isComplete(const Case &each, const Report &report) {
  std::string file = std::string(each.file) + ".cu";
  bool placed = report.kernel == each.entry && report.line != 0 && report.file.ends_with(file);
  bool attributed = report.thread >= 0 || report.text().find("thread") != std::string::npos;
  bool collides = report.kind == "race" || report.kind == "missing proxy fence";
  return placed && attributed && (!collides || report.earlier.find(file + ":") != std::string::npos);
}

class Adversarial : public testing::TestWithParam<Case> {};

TEST_P(Adversarial, IsJudgedRightInEveryOrder) {
  for (const Order &order : ordersFor(GetParam())) {
    Result result = run(GetParam(), order);
    ASSERT_TRUE(isExpected(GetParam(), result))
        << "seed " << order.seed << " completion " << static_cast<int>(order.completion) << " scheduling "
        << static_cast<int>(order.scheduling) << " reports" << textOf(result);
    for (const Report &report : result.reports)
      ASSERT_TRUE(isComplete(GetParam(), report)) << report.text();
  }
}

constexpr const char *shared = "adversarialShared", *global = "adversarialGlobal", *bulk = "adversarialBulk",
                     *groups = "adversarialGroups", *copies = "adversarialCopies",
                     *bytes = "adversarialBytes", *waits = "adversarialWaits",
                     *clusters = "adversarialClusters";

const Case cases[] = {
    {shared, "barrier_covers_half", {"race"}},
    {shared, "write_after_read", {"race"}},
    {shared, "one_unordered_reader", {"race"}},
    {shared, "early_reader_forgotten", {"race"}},
    {shared, "neighbouring_bytes", {}},
    {shared, "neighbouring_bytes_unordered", {"race"}},
    {shared, "lanes_without_sync", {"race"}},
    {shared, "lanes_with_sync", {}},
    {shared, "shuffle_is_no_barrier", {"race"}},
    {shared, "atomics_then_load", {"uninitialised read"}},
    {shared, "atomic_and_plain", {"race"}},
    {shared, "atomic_ordered", {}},
    {shared, "two_buffers", {}},
    {shared, "one_buffer", {"race"}},
    {shared, "arrive_is_no_wait", {"race"}},
    {shared, "arrive_then_sync", {}},
    {shared, "write_after_arrive", {"race"}},
    {shared, "copies_of_others", {"race"}},
    {shared, "copies_with_barrier", {}},
    {shared, "group_still_pending", {"race"}},
    {shared, "group_never_committed", {"race"}},
    {shared, "copy_into_what_is_read", {"race"}},
    {shared, "source_rewritten_in_flight", {"race"}},
    {shared, "half_of_a_word_undefined", {"uninitialised read"}},
    {shared, "workspace_undefined", {"uninitialised read"}},
    {shared, "ldmatrix_unordered", {"race"}},
    {shared, "ldmatrix_ordered", {}},
    {shared, "store_after_ldmatrix", {"race"}},
    {shared, "past_the_end_of_shared", {"out of bounds"}},
    {shared, "before_the_start", {"out of bounds"}},
    {shared, "misaligned_vector", {"misaligned"}},
    {shared, "predicated_off", {}},
    {shared, "writes_an_input", {"write to an input"}},
    {shared, "half_a_warp_shuffles", {"deadlock", "divergent collective", "exit before a collective"}},
    {shared, "two_calls_of_shuffle", {"deadlock", "divergent collective"}},
    {shared, "barrier_lacks_a_warp", {"deadlock", "exit before a collective"}},
    {shared, "lanes_store_to_one_word", {"race"}},
    {shared, "atomic_as_a_flag", {"race", "uninitialised read"}},
    {shared, "ldmatrix_of_undefined_rows", {"uninitialised read"}},
    {shared, "misaligned_ldmatrix", {"misaligned"}},
    {shared, "byte_hidden_by_its_neighbour", {"race"}},
    {shared, "reader_hidden_by_the_neighbouring_byte", {"race"}},
    {shared, "neighbouring_byte_undefined", {"uninitialised read"}},
    {shared, "bytes_in_order", {}},

    {global, "two_blocks_write", {"race"}, 2},
    {global, "chain", {}, 2},
    {global, "release_without_barrier", {"race"}, 2},
    {global, "acquire_without_barrier", {"race"}, 2},
    {global, "relaxed_add", {"race"}, 2},
    {global, "fence_and_relaxed_add", {}, 2},
    {global, "fence_too_early", {"race"}, 2},
    {global, "write_after_release", {"race"}, 2},
    {global, "transitive", {}, 5},
    {global, "wrong_counter", {"race"}, 3},
    {global, "counts_too_few", {"race"}, 3},
    {global, "counts_all", {}, 3},
    {global, "ring", {}, 2},
    {global, "ring_without_back_pressure", {"race"}, 2},
    {global, "ring_released_early", {"race"}, 2},
    {global, "failed_exchange_is_no_release", {"race"}, 2},
    {global, "lock", {}, 4},
    {global, "lock_released_relaxed", {"race"}, 4},
    {global, "waits_for_ever", {"deadlock"}, 3},
    {global, "fence_of_the_block", {"race"}, 2},
    {global, "grid_barrier", {}, 5},
    {global, "half_a_grid_barrier", {"race"}, 3},
    {global, "grid_barrier_one_short", {"race", "uninitialised read"}, 4},
    {global, "stored_values", {}, 2},
    {global, "stored_value_awaited_too_early", {"race"}, 2},
    {global, "independent_neighbours", {}, 3},
    {global, "independent_same_word", {"race"}, 3},
    {global, "independent_same_byte", {"race"}, 2},
    {global, "independent_reads_of_others", {"race", "uninitialised read"}, 4},
    {global, "independent_sum_read", {"race"}, 3},
    {global, "independent_that_wait", {"undeclared communication"}, 3},

    {bulk, "store_without_fence", {"missing proxy fence"}},
    {bulk, "store_with_fence", {}},
    {bulk, "fence_before_the_write", {"missing proxy fence"}},
    {bulk, "fence_of_one_writer", {"missing proxy fence"}},
    {bulk, "fence_of_global_memory", {"missing proxy fence"}},
    {bulk, "source_reused_at_once", {"race"}},
    {bulk, "source_reused_after_read", {}},
    {bulk, "another_thread_waits", {"race"}},
    {bulk, "commit_after_wait", {"race"}},
    {bulk, "target_read_too_early", {"race"}},
    {bulk, "target_read_after_wait", {}},
    {bulk, "load_and_wait", {}},
    {bulk, "wrong_parity", {"race", "uninitialised read"}},
    {bulk, "one_waits_for_all", {"race", "uninitialised read"}},
    {bulk, "expects_too_few_bytes", {"mbarrier bytes"}},
    {bulk, "expects_too_many_bytes", {"deadlock"}},
    {bulk, "barrier_not_fenced", {"missing fence", "missing proxy fence"}},
    {bulk, "barrier_not_known_to_others", {"race", "mbarrier misuse"}},
    {bulk, "ring_of_one", {}},
    {bulk, "ring_of_one_by_warp", {}},
    {bulk, "ring_released_for_others", {"race"}},
    {bulk, "ring_released_before_reading", {"race"}},
    {bulk, "ring_counts_too_few", {"race", "lapped waiter"}},
    {bulk, "global_source_not_fenced", {"missing proxy fence"}},
    {bulk, "global_source_fenced", {}},
    {bulk, "global_source_undefined", {"uninitialised read"}},
    {bulk, "shared_source_undefined", {"uninitialised read"}},
    {bulk, "exits_with_a_store_in_flight", {"in flight at exit"}},
    {bulk, "store_past_the_end", {"out of bounds"}},
    {bulk, "blocks_hand_on", {}, 2},
    {bulk, "blocks_hand_on_early", {"race"}, 2},
    {bulk, "blocks_hand_on_by_another", {"race"}, 2},
    {bulk, "copies_arrive", {}},
    {bulk, "copies_do_not_arrive", {"race"}},

    {groups, "wgmma_right", {}},
    {groups, "wgmma_operands_not_fenced", {"missing proxy fence"}},
    {groups, "wgmma_without_fence", {"missing fence", "missing wgmma fence"}},
    {groups, "wgmma_result_read_early", {"touched in flight"}},
    {groups, "wgmma_wait_leaves_one", {"touched in flight"}},
    {groups, "wgmma_operand_overwritten", {"race"}},
    {groups, "wgmma_register_operand_overwritten", {"touched in flight"}},
    {groups, "wgmma_one_warp_waited", {"race"}},
    {groups, "wgmma_of_copies_not_fenced", {"missing proxy fence"}},
    {groups, "wgmma_of_copies_fenced", {}},
    {groups, "wgmma_one_warp_does_not_wait", {"race"}},
    {groups, "wgmma_changed_between", {"missing fence"}},
    {groups, "cluster_exchange", {}, 2},
    {groups, "cluster_remote_store", {}, 2},
    {groups, "cluster_store_after_arrive", {"race"}, 2},
    {groups, "cluster_store_async", {}, 2},
    {groups, "cluster_store_async_not_awaited", {"race"}, 2},
    {groups, "cluster_arrive_relaxed", {"race"}, 2},
    {groups, "cluster_write_after_arrive", {"race"}, 2},
    {groups, "cluster_exit_too_early", {"access after exit"}, 2},
    {groups, "cluster_barrier_of_the_block", {"race", "uninitialised read"}, 2},
    {groups, "cluster_remote_arrive_early", {"race", "mbarrier misuse"}, 2},

    {groups, "cluster_stores_awaited", {}, 2},
    {groups, "cluster_one_store_not_expected", {"race"}, 2},
    {groups, "cluster_reads_before_the_stores", {"race"}, 2},
    {groups, "cluster_stores_to_who_has_left", {"access after exit"}, 2},
    {groups, "released_when_only_read", {"race"}, 2},
    {groups, "released_when_written", {}, 2},

    {copies, "two_loads_into_one_place", {"race"}},
    {copies, "two_loads_in_turn", {}},
    {copies, "wrong_barrier", {"race", "uninitialised read"}},
    {copies, "load_into_what_a_store_reads", {"race"}},
    {copies, "load_after_the_store_has_read", {}},
    {copies, "one_store_still_pending", {"race"}},
    {copies, "older_store_has_read", {}},
    {copies, "two_stores_to_one_place", {"race"}},
    {copies, "fetched_before_it_is_written", {"race"}},
    {copies, "fetched_after_it_is_written", {}},
    {copies, "stmatrix_not_fenced", {"missing proxy fence"}},
    {copies, "stmatrix_fenced", {}},
    {copies, "parity_turns_too_often", {"race", "uninitialised read", "deadlock"}},
    {copies, "parity_turns_by_round", {}},
    {copies, "load_into_an_operand_in_flight", {"race"}},
    {copies, "load_after_one_warp_waited", {"race"}},
    {copies, "load_after_all_waited", {}},
    {copies, "operand_of_the_newer_group", {"race"}},
    {copies, "register_operand_not_fenced", {"missing fence"}},
    {copies, "operand_undefined", {"uninitialised read"}},
    {copies, "product_not_committed", {"touched in flight"}},
    {copies, "cluster_overwritten_too_early", {"race"}, 2},
    {copies, "cluster_copy_to_peer", {}, 2},
    {copies, "cluster_copy_source_reused", {"race"}, 2},
    {copies, "cluster_multicast", {}, 2},
    {copies, "cluster_multicast_too_early", {"race", "mbarrier misuse", "missing fence"}, 2},
    {copies, "cluster_multicast_unexpected", {"race", "mbarrier bytes", "in flight at exit"}, 2},

    {bytes, "wide_load_over_words", {"race"}},
    {bytes, "wide_load_after_words", {}},
    {bytes, "wide_store_under_a_reader", {"race"}},
    {bytes, "wide_store_after_its_readers", {}},
    {bytes, "one_warp_of_readers_forgotten", {"race"}},
    {bytes, "last_byte_of_a_word", {"race"}},
    {bytes, "first_byte_after_a_word", {}},
    {bytes, "odd_byte_of_global_memory", {"race"}, 2},
    {bytes, "even_byte_beside_the_others", {}, 2},
    {bytes, "independent_overlap_of_one_byte", {"race"}, 3},
    {bytes, "independent_bytes_of_one_word", {}, 3},
    {bytes, "copy_over_a_word_in_use", {"race"}},
    {bytes, "copies_beside_each_other", {}},
    {bytes, "matrix_rows_overwritten_by_words", {"race"}},
    {bytes, "stored_matrix_read_too_early", {"race"}},
    {bytes, "stored_matrix_read_after_the_barrier", {}},
    {bytes, "fifteen_of_sixteen_bytes", {"uninitialised read"}},
    {bytes, "all_sixteen_bytes", {}},
    {bytes, "global_byte_undefined", {"uninitialised read"}},
    {bytes, "global_bytes_all_defined", {}},
    {bytes, "copy_of_undefined_source", {"uninitialised read"}},
    {bytes, "zeros_instead_of_undefined_source", {}},
    {bytes, "sum_without_a_start", {"uninitialised read"}},
    {bytes, "cluster_peer_undefined", {"uninitialised read"}, 2},
    {bytes, "store_of_an_undefined_byte", {"uninitialised read"}},
    {bytes, "last_bytes", {}},
    {bytes, "other_byte_still_read", {}},
    {bytes, "first_of_two_bytes_still_read", {"race"}},
    {bytes, "one_byte_past_shared", {"out of bounds"}},
    {bytes, "one_byte_past_global", {"out of bounds"}},
    {bytes, "one_byte_before_global", {"out of bounds"}},
    {bytes, "far_past_global", {"out of bounds"}},
    {bytes, "far_before_global", {"out of bounds"}},
    {bytes, "copy_past_shared", {"out of bounds"}},
    {bytes, "copy_past_global", {"out of bounds"}},
    {bytes, "bulk_load_past_shared", {"out of bounds"}},
    {bytes, "barrier_past_shared", {"out of bounds"}},
    {bytes, "cluster_past_the_peer", {"out of bounds"}, 2},
    {bytes, "null_pointer", {"out of bounds"}},

    {waits, "pairs_of_warps", {}},
    {waits, "pairs_on_the_wrong_barrier", {"race"}},
    {waits, "barrier_of_another_number", {"deadlock"}},
    {waits, "barrier_counts_a_warp_too_many", {"deadlock"}},
    {waits, "barrier_counts_a_warp_too_few", {"deadlock"}},
    {waits, "counts_of_a_barrier_differ", {"barrier misuse"}},
    {waits, "two_barriers_in_turn", {}},
    {waits, "released_before_it_is_read", {"race"}},
    {waits, "all_but_one_arrive", {"deadlock"}},
    {waits, "one_arrives_for_two", {"race"}},
    {waits, "all_arrive", {}},
    {waits, "one_lane_arrives_for_its_warp", {}},
    {waits, "one_lane_arrives_unasked", {"race"}},
    {waits, "tested_instead_of_waited", {}},
    {waits, "tested_once", {"race"}},
    {waits, "used_after_its_end", {"mbarrier misuse"}},
    {waits, "initialised_anew", {}},
    {waits, "barrier_in_the_way_of_a_copy", {"mbarrier overwritten"}},
    {waits, "second_copy_not_expected", {"race"}},
    {waits, "both_copies_expected", {}},
    {waits, "copy_never_awaited", {"access after exit"}},
    {waits, "parity_not_turned", {"race"}},
    {waits, "parity_turned", {}},
    {waits, "producer_never_waits", {"deadlock", "lapped waiter"}},
    {waits, "cluster_ring_by_remote_arrivals", {}, 2},
    {waits, "cluster_remote_arrival_before_the_stores", {"race"}, 2},
    {waits, "cluster_the_exited_count", {}, 2},
    {waits, "cluster_reads_who_has_left", {"access after exit"}, 2},
    {waits, "cluster_arrives_at_who_has_left", {"access after exit"}, 2},
    {waits, "cluster_copies_to_who_has_left", {"access after exit"}, 2},
    {waits, "cluster_stays_for_its_peer", {}, 2},
    {waits, "polled_counter", {}, 2},
    {waits, "polled_counter_relaxed", {"race"}, 2},
    {waits, "polled_counter_then_fence", {}, 2},
    {waits, "lock_by_exchange", {}, 2},
    {waits, "lock_never_released", {"deadlock"}, 2},
    {waits, "flag_in_ordinary_memory", {"race"}, 2},
    {waits, "flag_in_shared_memory", {"race"}},

    {clusters, "cluster_start_unknown", {"cluster misuse"}, 2},
    {clusters, "cluster_start_by_the_own_block", {"cluster misuse"}, 2},
    {clusters, "cluster_start_not_awaited", {"cluster misuse"}, 2},
    {clusters, "cluster_start_awaited", {}, 2},
    {clusters, "cluster_start_relaxed", {}, 2},
    {clusters, "cluster_start_awaited_by_another_warp", {"cluster misuse"}, 2},
    {clusters, "cluster_start_passed_on", {}, 2},
    {clusters, "cluster_start_counted", {}, 2},
    {clusters, "cluster_start_of_itself", {}, 2},
    {clusters, "cluster_start_unknown_to_a_read", {"cluster misuse"}, 2},
    {clusters, "cluster_start_unknown_to_an_arrival", {"cluster misuse"}, 2},
    {clusters, "cluster_start_unknown_to_an_expectation", {"cluster misuse"}, 2},
    {clusters, "cluster_start_unknown_to_a_store", {"cluster misuse"}, 2},
    {clusters, "cluster_start_unknown_to_a_copy", {"cluster misuse"}, 2},
    {clusters, "cluster_start_unknown_to_a_multicast", {"cluster misuse"}, 2},
};

INSTANTIATE_TEST_SUITE_P(All, Adversarial, testing::ValuesIn(cases),
                         [](const testing::TestParamInfo<Case> &info) { return info.param.entry; });

} // namespace
} // namespace sluice::emulator
