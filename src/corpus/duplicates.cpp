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

/// Recordings of one size seldom share their last bytes, so few files are read whole.
constexpr std::size_t kEndBytes = 16 << 10;

/// A hash of the file's last bytes, at most `count` of them.
std::uint64_t hash_of_end(const fs::path& path, std::size_t count) {
  const MappedFile file(path);
  const auto bytes = file.bytes().last(std::min(count, file.bytes().size()));
  return fnv1a({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// Those of `files` that are chosen, divided by the hash of their last bytes; those with a hash of
/// their own are left out, as are files that cannot be read: whoever reads their samples will tell.
std::vector<std::vector<int>> alike(const std::vector<std::string>& files,
                                    const std::vector<int>& chosen, std::size_t count) {
  std::map<std::uint64_t, std::vector<int>> by_hash;
  for (const int i : chosen) try {
      by_hash[hash_of_end(files[static_cast<std::size_t>(i)], count)].push_back(i);
    } catch (const Error&) {
      continue;
    }
  std::vector<std::vector<int>> groups;
  for (auto& [hash, group] : by_hash)
    if (group.size() > 1) groups.push_back(std::move(group));
  return groups;
}

}  // namespace

std::vector<std::vector<int>> find_duplicates(const std::vector<std::string>& files) {
  std::map<std::uintmax_t, std::vector<int>> by_size;
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(files[i], error);
    if (!error) by_size[size].push_back(static_cast<int>(i));
  }

  std::vector<std::vector<int>> groups;
  for (const auto& [size, candidates] : by_size) {
    if (candidates.size() < 2) continue;
    for (const std::vector<int>& same_end : alike(files, candidates, kEndBytes))
      for (std::vector<int>& same : alike(files, same_end, size)) groups.push_back(std::move(same));
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

}  // namespace ser
