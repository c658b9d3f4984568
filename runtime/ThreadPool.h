// Threads that wait for work between kernels, so that a launch costs microseconds.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace sluice {

class ThreadPool {
public:
  ThreadPool() = default;
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  /// The process's pool.
  static ThreadPool &shared();
  /// As many as the process may run on at once.
  static int availableThreads();

  /// Calls body(index, worker) for every index below `count`, in order of the index as threads become free;
  /// worker < threads tells concurrent calls apart. The caller takes part; returns when all are done, and
  /// rethrows the first exception. Calls from several threads take turns; a body must not call it again.
  void forEach(int64_t count, int threads, const std::function<void(int64_t, int)> &body);

private:
  struct Job;
  void grow(int threads);
  void serve(int worker);

  std::mutex turn, mutex;
  std::condition_variable wake, done;
  std::vector<std::thread> threads;
  Job *job = nullptr;
  uint64_t generation = 0;
  bool stopping = false;
};

} // namespace sluice
