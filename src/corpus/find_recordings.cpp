#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/internal/fail.h"
#include "ser/core/atomic_file.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/extraction.h"

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

/// Those of `recordings` that are chosen, divided by the hash of their last bytes; those with a
/// hash of their own are left out, as are files that cannot be read: whoever reads their samples
/// will tell.
std::vector<std::vector<int>> alike(const std::vector<Recording>& recordings,
                                    const std::vector<int>& chosen, std::size_t count) {
  std::map<std::uint64_t, std::vector<int>> by_hash;
  for (const int i : chosen) try {
      by_hash[hash_of_end(recordings[i].file, count)].push_back(i);
    } catch (const Error&) {
      continue;
    }
  std::vector<std::vector<int>> groups;
  for (auto& [hash, group] : by_hash)
    if (group.size() > 1) groups.push_back(std::move(group));
  return groups;
}

using FilesByName = std::map<std::string, std::string>;

/// The last `depth` folders of a path, with '/' between and after them.
std::string last_folders(const std::filesystem::path& folder, std::size_t depth) {
  const std::vector<std::string> all =
      split(std::filesystem::canonical(folder).relative_path().generic_string(), '/');
  std::string last;
  for (std::size_t i = all.size() - std::min(depth, all.size()); i < all.size(); ++i)
    last += all[i] + '/';
  return last;
}

/// Puts the last `depth` folders of each root before the paths of its clips. Nothing, and nothing
/// changed, if two clips would have the same path then.
std::optional<FilesByName> try_names(std::vector<Corpus>& corpora, std::size_t depth) {
  FilesByName files;
  for (const Corpus& corpus : corpora) {
    const std::string prefix = depth > 0 ? last_folders(corpus.root, depth) : "";
    for (const Utterance& utterance : corpus.utterances)
      if (!files.emplace(prefix + utterance.path, (corpus.root / utterance.path).string()).second)
        return std::nullopt;
  }
  for (Corpus& corpus : corpora) {
    const std::string prefix = depth > 0 ? last_folders(corpus.root, depth) : "";
    for (Utterance& utterance : corpus.utterances) utterance.path.insert(0, prefix);
  }
  return files;
}

std::filesystem::path first_repeated(const std::vector<Corpus>& corpora) {
  std::set<std::filesystem::path> seen;
  for (const Corpus& corpus : corpora)
    for (const Utterance& utterance : corpus.utterances)
      if (!seen.insert(std::filesystem::weakly_canonical(corpus.root / utterance.path)).second)
        return corpus.root / utterance.path;
  return {};
}

FilesByName unique_names(std::vector<Corpus>& corpora) {
  constexpr std::size_t kMostFolders = 64;
  for (std::size_t depth = 0; depth <= kMostFolders; ++depth)
    if (std::optional<FilesByName> files = try_names(corpora, depth)) return *std::move(files);
  fail("{}: named by two inputs", first_repeated(corpora).string());
}

}  // namespace

std::vector<std::vector<int>> find_duplicates(const std::vector<Recording>& recordings) {
  std::map<std::uintmax_t, std::vector<int>> by_size;
  for (std::size_t i = 0; i < recordings.size(); ++i) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(recordings[i].file, error);
    if (!error) by_size[size].push_back(i);
  }

  std::vector<std::vector<int>> groups;
  for (const auto& [size, candidates] : by_size) {
    if (candidates.size() < 2) continue;
    for (const std::vector<int>& same_end : alike(recordings, candidates, kEndBytes))
      for (std::vector<int>& same : alike(recordings, same_end, size))
        groups.push_back(std::move(same));
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

std::vector<Recording> recordings_of(std::vector<Corpus> corpora, const ChooseUtterances& choose) {
  FilesByName files = unique_names(corpora);
  std::vector<Utterance> utterances;
  for (Corpus& corpus : corpora) {
    if (utterances.empty())
      utterances = std::move(corpus.utterances);
    else
      std::move(corpus.utterances.begin(), corpus.utterances.end(), std::back_inserter(utterances));
    corpus.utterances = {};
  }
  if (choose) utterances = choose(std::move(utterances));
  std::vector<Recording> recordings;
  recordings.reserve(utterances.size());
  for (Utterance& utterance : utterances) {
    std::string& file = files.at(utterance.path);
    recordings.push_back({std::move(file), std::move(utterance)});
  }
  return recordings;
}

std::vector<Recording> find_recordings(const std::vector<std::string>& inputs,
                                       std::string_view kind) {
  std::vector<Corpus> corpora;
  for (const std::string& input : inputs) corpora.push_back(scan_corpus(input, kind));
  return recordings_of(std::move(corpora));
}

}  // namespace ser
