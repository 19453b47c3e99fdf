#include "ser/core/parallel.h"

#include <sched.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/cpu_quota.h"

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace ser {
namespace {

// The sanitizer of data races does not see into oneTBB, so it is told what goes from thread to
// thread there: what is done before `hand_over(at)` is seen after `receive(at)`. Captures of what
// oneTBB is given to call, which it copies or calls elsewhere, are read out of its sight.
#ifdef __SANITIZE_THREAD__
#define SER_UNSEEN __attribute__((no_sanitize("thread")))
void hand_over(void* at) { __tsan_release(at); }
void receive(void* at) { __tsan_acquire(at); }
#else
#define SER_UNSEEN
void hand_over(void*) {}
void receive(void*) {}
#endif

int resolve(int threads) { return threads > 0 ? threads : available_threads(); }

/// Rethrows the first exception in index order, if any.
void rethrow_first(const std::vector<std::exception_ptr>& failures) {
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

/// What the units of a loop share.
struct Loop {
  const std::function<void(std::size_t)>& body;
  std::vector<std::exception_ptr> failures;  ///< one a unit
};

void run_unit(Loop& loop, std::size_t i) {
  receive(&loop);
  try {
    loop.body(i);
  } catch (...) {
    loop.failures[i] = std::current_exception();
  }
  hand_over(&loop.failures[i]);
}

/// The arena of so many workers. Made once and never destroyed: between two calls the workers wait
/// in it for a moment before they sleep, and waking them takes as long as a small network's step.
tbb::task_arena& arena_of(int workers) {
  static std::mutex making;
  static auto& arenas = *new std::map<int, tbb::task_arena>;
  const std::lock_guard lock(making);
  return arenas.try_emplace(workers, workers).first->second;
}

}  // namespace

// Asking oneTBB would start it, which costs a small program a tenth of its time.
int available_threads() {
  static const double quota = std::ceil(cpu_quota());
  cpu_set_t cores;
  const int count = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
  return quota < count ? std::max(1, static_cast<int>(quota)) : count;
}

void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& body) {
  if (count == 0) return;
  const int workers = std::min<std::size_t>(count, resolve(threads));
  if (workers == 1) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  Loop loop{body, std::vector<std::exception_ptr>(count)};
  hand_over(&loop);
  arena_of(workers).execute([&]() SER_UNSEEN {  // perhaps by another thread
    tbb::this_task_arena::isolate([&]() SER_UNSEEN {
      tbb::parallel_for(
          std::size_t{0}, count, [&loop](std::size_t i) SER_UNSEEN { run_unit(loop, i); },
          tbb::simple_partitioner());
    });
  });
  for (std::exception_ptr& failure : loop.failures) receive(&failure);
  rethrow_first(loop.failures);
}

std::size_t pipeline_slots(int threads) { return 2 * static_cast<std::size_t>(resolve(threads)); }

void parallel_pipeline(std::size_t count, int threads,
                       const std::function<void(std::size_t, std::size_t)>& produce,
                       const std::function<void(std::size_t, std::size_t)>& consume) {
  if (count == 1) {
    produce(0, 0);
    consume(0, 0);
    return;
  }
  const auto take = [&](std::size_t i, std::size_t) { return i < count; };
  parallel_pipeline(threads, take, produce, consume);
}

void parallel_pipeline(int threads, const std::function<bool(std::size_t, std::size_t)>& take,
                       const std::function<void(std::size_t, std::size_t)>& produce,
                       const std::function<void(std::size_t, std::size_t)>& consume) {
  const std::size_t slots = pipeline_slots(threads);
  std::vector<std::exception_ptr> failures(slots);
  std::exception_ptr failure;
  std::atomic<bool> failed = false;  // `fetch` and `use` run at the same time
  bool broken = false;               // `take` threw
  std::size_t next = 0;

  const auto fetch = [&](tbb::flow_control& control) -> std::size_t {
    receive(&next);
    const std::size_t slot = next % slots;
    receive(&failures[slot]);
    try {
      if (broken || failed || !take(next, slot)) control.stop();
    } catch (...) {
      failures[slot] = std::current_exception();
      broken = true;
    }
    const std::size_t fetched = next++;
    hand_over(&failures[slot]);
    hand_over(&next);
    return fetched;
  };
  const auto make = [&](std::size_t i) {
    std::exception_ptr& mine = failures[i % slots];
    receive(&mine);
    if (mine) return i;
    try {
      produce(i, i % slots);
    } catch (...) {
      mine = std::current_exception();
    }
    hand_over(&mine);
    return i;
  };
  const auto use = [&](std::size_t i) {
    receive(&failure);
    receive(&failures[i % slots]);
    std::exception_ptr mine = std::exchange(failures[i % slots], nullptr);
    try {
      if (mine && !failed) std::rethrow_exception(mine);
      if (!failed) consume(i, i % slots);
    } catch (...) {
      failure = std::current_exception();
      failed = true;
    }
    hand_over(&failures[i % slots]);
    hand_over(&failure);
  };

  hand_over(&next);
  tbb::task_arena arena(resolve(threads));
  arena.execute([&]() SER_UNSEEN {
    tbb::parallel_pipeline(
        slots, tbb::make_filter<void, std::size_t>(tbb::filter_mode::serial_in_order, fetch) &
                   tbb::make_filter<std::size_t, std::size_t>(tbb::filter_mode::parallel, make) &
                   tbb::make_filter<std::size_t, void>(tbb::filter_mode::serial_in_order, use));
  });
  receive(&next);
  receive(&failure);
  if (failure) std::rethrow_exception(failure);
}

struct MoreThreadsThanCores::Impl {
  explicit Impl(int threads) : control(tbb::global_control::max_allowed_parallelism, threads) {}
  tbb::global_control control;
};

MoreThreadsThanCores::MoreThreadsThanCores(int threads) : impl_(std::make_unique<Impl>(threads)) {}
MoreThreadsThanCores::~MoreThreadsThanCores() = default;

}  // namespace ser
