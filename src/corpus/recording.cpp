#include "ser/corpus/speaker.h"

#include <fmt/format.h>

#include <numeric>
#include <set>
#include <unordered_map>

#include "corpus/parsers/parsers.h"

namespace ser {
namespace {

// FNV-1a over 32-bit units.
constexpr std::uint64_t kOffset = 0xcbf29ce484222325u, kPrime = 0x100000001b3u;
constexpr float kFullScale = 32768;

/// Clips joined into sets, each led by its first clip.
class Sets {
 public:
  explicit Sets(std::size_t size) : leader_(size) {
    std::iota(leader_.begin(), leader_.end(), std::size_t{0});
  }
  std::size_t leader(std::size_t i) {
    while (leader_[i] != i) i = leader_[i] = leader_[leader_[i]];
    return i;
  }
  void join(std::size_t i, std::size_t j) {
    i = leader(i);
    j = leader(j);
    leader_[std::max(i, j)] = std::min(i, j);
  }

 private:
  std::vector<std::size_t> leader_;
};

/// What clips of one recording have in common, as text: any of these will do.
std::vector<std::string> recording_keys(const Utterance& clip) {
  std::vector<std::string> keys = {"path\n" + clip.corpus + "\n" + clip.path};
  if (!clip.content.empty()) keys.push_back("content\n" + clip.content);
  if (const std::string take = ravdess_take(clip.path); !take.empty())
    keys.push_back("take\n" + take);
  return keys;
}

}  // namespace

ContentHash::ContentHash(int sample_rate_hz)
    : state_((kOffset ^ static_cast<std::uint32_t>(sample_rate_hz)) * kPrime) {}

void ContentHash::add(std::span<const float> mono) {
  for (const float sample : mono)
    state_ = (state_ ^ static_cast<std::uint32_t>(std::lrintf(sample * kFullScale))) * kPrime;
}

std::string ContentHash::text() const {
  // The last samples have reached the high bits only: fold those down.
  return fmt::format("{:016x}", (state_ ^ (state_ >> 32)) * kPrime);
}

std::vector<int> recording_numbers(const std::vector<Utterance>& clips) {
  Sets sets(clips.size());
  std::unordered_map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < clips.size(); ++i)
    for (std::string& key : recording_keys(clips[i]))
      sets.join(i, first.emplace(std::move(key), i).first->second);
  std::vector<int> numbers(clips.size());
  int next = 0;
  for (std::size_t i = 0; i < clips.size(); ++i)
    numbers[i] = sets.leader(i) == i ? next++ : numbers[sets.leader(i)];
  return numbers;
}

std::vector<std::string> contents_of(const std::vector<Utterance>& clips,
                                     const std::vector<int>& chosen) {
  std::set<std::string> contents;
  for (const int clip : chosen) contents.insert(clips[clip].content);
  contents.erase("");
  return {contents.begin(), contents.end()};
}

}  // namespace ser
