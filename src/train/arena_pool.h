#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "ser/nn/tensor.h"

namespace ser {

/// Scratch memory that units of work borrow: as much as run at a time, however many there are.
class ArenaPool {
 public:
  nn::Arena take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return {};
    nn::Arena arena = std::move(free_.back());
    free_.pop_back();
    return arena;
  }
  void give(nn::Arena arena) {
    arena.reset();
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(arena));
  }

 private:
  std::mutex mutex_;
  std::vector<nn::Arena> free_;
};

}  // namespace ser
