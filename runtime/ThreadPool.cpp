// One job at a time; its indices are handed out by a counter.
#include "runtime/ThreadPool.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <pthread.h>
#include <sched.h>

namespace sluice {

struct ThreadPool::Job {
  const std::function<void(int64_t, int)> &body;
  int64_t count;
  int helpers;  // Workers 1 to helpers take part.
  std::atomic<int64_t> next = 0;
  int running;  // Helpers that have not finished; guarded by the pool's mutex.
  std::exception_ptr failure;
  std::mutex failureMutex;

  void work(int worker) {
    try {
      for (int64_t index; (index = next.fetch_add(1)) < count;)
        body(index, worker);
    } catch (...) {
      next = count;
      std::lock_guard lock(failureMutex);
      if (!failure)
        failure = std::current_exception();
    }
  }
};

ThreadPool &ThreadPool::shared() {
  // Never destroyed: at exit its threads end with the process, whatever the order of destructors.
  static ThreadPool *pool = new ThreadPool;
  // A forked process has none of its parent's threads.
  static int registered = pthread_atfork(nullptr, nullptr, [] { pool = new ThreadPool; });
  (void)registered;
  return *pool;
}

int ThreadPool::availableThreads() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex);
    stopping = true;
  }
  wake.notify_all();
  for (std::thread &thread : threads)
    thread.join();
}

void ThreadPool::grow(int helpers) {
  while (static_cast<int>(threads.size()) < helpers) {
    int worker = static_cast<int>(threads.size()) + 1;
    threads.emplace_back([this, worker] { serve(worker); });
  }
}

void ThreadPool::serve(int worker) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex);
  while (true) {
    wake.wait(lock, [&] { return stopping || (job && generation != seen); });
    if (stopping)
      return;
    seen = generation;
    Job *current = job;
    if (worker > current->helpers)
      continue;
    lock.unlock();
    current->work(worker);
    lock.lock();
    if (--current->running == 0)
      done.notify_one();
  }
}

void ThreadPool::forEach(int64_t count, int wanted,
                         const std::function<void(int64_t, int)> &body) {
  int helpers = static_cast<int>(std::min<int64_t>(wanted, count)) - 1;
  if (helpers <= 0) {
    for (int64_t index = 0; index < count; ++index)
      body(index, 0);
    return;
  }
  std::lock_guard oneAtATime(turn);
  Job current{body, count, helpers, 0, helpers, nullptr, {}};
  {
    std::lock_guard lock(mutex);
    grow(helpers);
    job = &current;
    ++generation;
  }
  wake.notify_all();
  current.work(0);
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return current.running == 0; });
  job = nullptr;
  if (current.failure)
    std::rethrow_exception(current.failure);
}

} // namespace sluice
