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

namespace ser {
namespace {

int resolve(int threads) { return threads > 0 ? threads : available_threads(); }

/// Rethrows the first exception in index order, if any.
void rethrow_first(const std::vector<std::exception_ptr>& failures) {
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
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
  const int workers = static_cast<int>(std::min<std::size_t>(count, resolve(threads)));
  if (workers == 1) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  std::vector<std::exception_ptr> failures(count);
  arena_of(workers).execute([&] {
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(
          std::size_t{0}, count,
          [&](std::size_t i) {
            try {
              body(i);
            } catch (...) {
              failures[i] = std::current_exception();
            }
          },
          tbb::simple_partitioner());
    });
  });
  rethrow_first(failures);
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
    const std::size_t slot = next % slots;
    try {
      if (broken || failed || !take(next, slot)) control.stop();
    } catch (...) {
      failures[slot] = std::current_exception();
      broken = true;
    }
    return next++;
  };
  const auto make = [&](std::size_t i) {
    if (failures[i % slots]) return i;
    try {
      produce(i, i % slots);
    } catch (...) {
      failures[i % slots] = std::current_exception();
    }
    return i;
  };
  const auto use = [&](std::size_t i) {
    std::exception_ptr mine = std::exchange(failures[i % slots], nullptr);
    if (failed) return;
    try {
      if (mine) std::rethrow_exception(mine);
      consume(i, i % slots);
    } catch (...) {
      failure = std::current_exception();
      failed = true;
    }
  };

  tbb::task_arena arena(resolve(threads));
  arena.execute([&] {
    tbb::parallel_pipeline(
        slots, tbb::make_filter<void, std::size_t>(tbb::filter_mode::serial_in_order, fetch) &
                   tbb::make_filter<std::size_t, std::size_t>(tbb::filter_mode::parallel, make) &
                   tbb::make_filter<std::size_t, void>(tbb::filter_mode::serial_in_order, use));
  });
  if (failure) std::rethrow_exception(failure);
}

struct MoreThreadsThanCores::Impl {
  explicit Impl(int threads)
      : control(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)) {}
  tbb::global_control control;
};

MoreThreadsThanCores::MoreThreadsThanCores(int threads) : impl_(std::make_unique<Impl>(threads)) {}
MoreThreadsThanCores::~MoreThreadsThanCores() = default;

}  // namespace ser
