#include <algorithm>
#include <map>
#include <utility>

#include "ser/core/atomic_file.h"
#include "ser/core/error.h"
#include "ser/core/hash.h"
#include "ser/corpus/corpus.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

/// A hash of the last bytes: recordings of one size seldom share them, so few files are read whole.
std::uint64_t hash_of_end(const fs::path& path) {
  constexpr std::size_t kBytes = 16 << 10;
  const MappedFile file(path);
  const auto bytes = file.bytes().last(std::min(kBytes, file.bytes().size()));
  return fnv1a({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool same_bytes(const fs::path& a, const fs::path& b) {
  const MappedFile file_a(a), file_b(b);
  return std::ranges::equal(file_a.bytes(), file_b.bytes());
}

}  // namespace

std::vector<std::vector<int>> find_duplicates(const fs::path& root,
                                              const std::vector<Utterance>& utterances) {
  const auto file = [&](int i) { return root / utterances[static_cast<std::size_t>(i)].path; };
  std::map<std::uintmax_t, std::vector<int>> by_size;
  for (int i = 0; i < static_cast<int>(utterances.size()); ++i) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file(i), error);
    if (!error && utterances[static_cast<std::size_t>(i)].augmentation.empty())
      by_size[size].push_back(i);
  }

  std::vector<std::vector<int>> groups;
  for (const auto& [size, candidates] : by_size) {
    if (candidates.size() < 2) continue;
    std::map<std::uint64_t, std::vector<std::vector<int>>> by_hash;
    for (const int i : candidates) try {
        auto& sets = by_hash[hash_of_end(file(i))];
        const auto same = std::find_if(sets.begin(), sets.end(), [&](const std::vector<int>& set) {
          return same_bytes(file(set.front()), file(i));
        });
        (same == sets.end() ? sets.emplace_back() : *same).push_back(i);
      } catch (const Error&) {
        continue;  // whoever reads its samples will tell
      }
    for (auto& [hash, sets] : by_hash)
      for (auto& set : sets)
        if (set.size() > 1) groups.push_back(std::move(set));
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace ser
