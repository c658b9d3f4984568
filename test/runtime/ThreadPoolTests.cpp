// The thread pool: every index once, exceptions, callers from several threads.

#include "runtime/ThreadPool.h"

#include <atomic>
#include <gtest/gtest.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

TEST(ThreadPool, VisitsEveryIndexOnce) {
  ThreadPool pool;
  for (int threads : {1, 2, 5})
    for (int64_t count : {0, 1, 3, 1000}) {
      std::vector<std::atomic<int>> visits(count);
      pool.forEach(count, threads, [&](int64_t index, int worker) {
        EXPECT_LT(worker, threads);
        ++visits[index];
      });
      for (const std::atomic<int> &visit : visits)
        EXPECT_EQ(visit, 1);
    }
}

TEST(ThreadPool, WorkersDoNotShareANumber) {
  ThreadPool pool;
  std::vector<std::atomic<int>> busy(4);
  pool.forEach(2000, 4, [&](int64_t, int worker) {
    EXPECT_EQ(busy[worker].fetch_add(1), 0);
    --busy[worker];
  });
}

TEST(ThreadPool, RethrowsAndStaysUsable) {
  ThreadPool pool;
  auto fail = [](int64_t index, int) {
    if (index == 7)
      throw std::runtime_error("seven");
  };
  EXPECT_THROW(pool.forEach(100, 3, fail), std::runtime_error);
  EXPECT_THROW(pool.forEach(100, 1, fail), std::runtime_error);
  std::atomic<int> sum = 0;
  pool.forEach(10, 3, [&](int64_t index, int) { sum += static_cast<int>(index); });
  EXPECT_EQ(sum, 45);
}

TEST(ThreadPool, ServesSeveralCallers) {
  ThreadPool pool;
  std::atomic<int64_t> sum = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 50; ++repeat)
        pool.forEach(20, 3, [&](int64_t index, int) { sum += index; });
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(sum, 4 * 50 * 190);
}

TEST(ThreadPool, WorksInAForkedProcess) {
  std::atomic<int> sum = 0;
  auto add = [&](int64_t index, int) { sum += static_cast<int>(index); };
  ThreadPool::shared().forEach(10, 2, add);
  pid_t child = fork();
  if (child == 0) {
    ThreadPool::shared().forEach(10, 2, add);
    _exit(sum == 90 ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

} // namespace
} // namespace sluice
