#pragma once

#include <barrier>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ser/core/error.h"
#include "ser/core/team.h"

namespace ser {

/// Runs `body` once a rank, each in a thread of its own, as a team.
inline void run_as_team(int size, const std::function<void(Team&)>& body) {
  struct Meeting {
    explicit Meeting(int ranks) : barrier(ranks), given(static_cast<std::size_t>(ranks)) {}
    std::barrier<> barrier;
    std::vector<std::string> given;
  };
  class Process : public Team {
   public:
    Process(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return static_cast<int>(meeting_.given.size()); }
    std::vector<std::string> exchange(std::string_view mine) override {
      meeting_.given[static_cast<std::size_t>(rank_)] = mine;
      meeting_.barrier.arrive_and_wait();
      std::vector<std::string> all = meeting_.given;
      meeting_.barrier.arrive_and_wait();
      return all;
    }
    void end_all(int) override { throw Error("the team was ended"); }

   private:
    Meeting& meeting_;
    int rank_;
  };
  Meeting meeting(size);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank)
    threads.emplace_back([&meeting, &body, rank] {
      Process process(meeting, rank);
      body(process);
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace ser
