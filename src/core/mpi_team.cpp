#include <mpi.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "ser/core/team.h"

namespace ser {
namespace {

/// A count of MPI is an int, so what is longer goes in several messages.
constexpr std::uint64_t kLargestMessage = 1u << 30;

/// All processes that were started together. An error of MPI ends them all, with its own message.
class MpiTeam : public Team {
 public:
  MpiTeam() {
    int level = 0;
    ::MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &level);
    ::MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    ::MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  ~MpiTeam() override { ::MPI_Finalize(); }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  std::vector<std::string> exchange(std::string_view mine) override {
    const std::vector<std::uint64_t> bytes = sizes_of_all(mine.size());
    std::vector<std::string> all(bytes.size());
    const std::uint64_t most = std::ranges::max(bytes), piece = kLargestMessage / bytes.size();
    for (std::uint64_t begin = 0; begin < most; begin += piece) {
      std::vector<int> counts, places;
      int total = 0;
      for (const std::uint64_t size : bytes) {
        counts.push_back(std::min(piece, size - std::min(size, begin)));
        places.push_back(total);
        total += counts.back();
      }
      std::string buffer(total, '\0');
      const std::uint64_t sent = std::min<std::uint64_t>(begin, mine.size());
      ::MPI_Allgatherv(mine.data() + sent, counts[rank_], MPI_BYTE, buffer.data(), counts.data(),
                       places.data(), MPI_BYTE, MPI_COMM_WORLD);
      for (std::size_t r = 0; r < all.size(); ++r) all[r].append(buffer, places[r], counts[r]);
    }
    return all;
  }

  void end_all(int exit_code) override {
    ::MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::_Exit(exit_code);
  }

 private:
  std::vector<std::uint64_t> sizes_of_all(std::uint64_t mine) const {
    std::vector<std::uint64_t> all(size_);
    ::MPI_Allgather(&mine, 1, MPI_UINT64_T, all.data(), 1, MPI_UINT64_T, MPI_COMM_WORLD);
    return all;
  }

  int rank_ = 0;
  int size_ = 1;
};

}  // namespace
}  // namespace ser

extern "C" {
extern const ser::TeamModule ser_team_module;
const ser::TeamModule ser_team_module = {
    SER_VERSION, []() -> std::unique_ptr<ser::Team> { return std::make_unique<ser::MpiTeam>(); }};
}
