#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "ser/core/error.h"
#include "ser/core/text.h"
#include "ser/corpus/extraction.h"

namespace ser {
namespace {

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
  throw Error(fmt::format("{}: named by two inputs", first_repeated(corpora).string()));
}

}  // namespace

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

std::vector<std::vector<int>> duplicate_groups(const std::vector<Recording>& recordings) {
  std::vector<std::string> files;
  for (const Recording& recording : recordings) files.push_back(recording.file);
  return find_duplicates(files);
}

}  // namespace ser
