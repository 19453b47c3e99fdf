#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace ser {

/// Cores this process may use: those it may run on, or fewer where a container's quota is smaller.
int available_threads();

/// Calls body(0) ... body(count - 1), each once, on at most `threads` threads (0: all cores).
/// Units are fixed, so results written to slot `index` do not depend on `threads`. May be nested;
/// while a call waits for its units it runs no unit of another call.
/// If units throw, the exception of the lowest index is thrown again after the others ended.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& body);

/// Runs `produce(i)` in parallel and `consume(i)` one after the other in index order, with a
/// bounded number of units between the two, so memory does not grow with `count`. `slot` is in
/// [0, pipeline_slots(threads)) and belongs to unit i from its produce to its consume.
/// The first exception, in index order, ends the work and is thrown again.
void parallel_pipeline(std::size_t count, int threads,
                       const std::function<void(std::size_t i, std::size_t slot)>& produce,
                       const std::function<void(std::size_t i, std::size_t slot)>& consume);

/// The same for work of unknown length: `take(i, slot)`, called one after the other in index order,
/// fetches unit i, or returns false where there is none; then the work ends.
void parallel_pipeline(int threads,
                       const std::function<bool(std::size_t i, std::size_t slot)>& take,
                       const std::function<void(std::size_t i, std::size_t slot)>& produce,
                       const std::function<void(std::size_t i, std::size_t slot)>& consume);

/// Units that `parallel_pipeline` keeps between produce and consume.
std::size_t pipeline_slots(int threads);

/// Lifts oneTBB's limit of one worker a core while it lives, so that tests can run more.
class MoreThreadsThanCores {
 public:
  explicit MoreThreadsThanCores(int threads);
  ~MoreThreadsThanCores();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ser
