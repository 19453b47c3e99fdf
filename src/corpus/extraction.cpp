#include "ser/corpus/extraction.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "core/internal/json_io.h"
#include "ser/audio/audio_file.h"
#include "ser/core/atomic_file.h"
#include "ser/core/error.h"
#include "ser/core/hash.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/corpus/recording.h"
#include "ser/features/extractor.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxRecipeBytes = 1u << 20;

/// Features of a recording and of its augmented copies.
using Extracted = std::vector<std::pair<Utterance, Eigen::MatrixXf>>;

Extracted extract_recording(const Recording& recording, const Extractor& extractor,
                            const std::vector<Augmentation>& augmentations, std::uint64_t seed) {
  const Waveform wave = read_audio(recording.file);
  return with_context(recording.file.string(), [&] {
    Extracted extracted = {{recording.utterance, extractor.extract(wave)}};
    ContentHash content(wave.sample_rate_hz);
    content.add({wave.samples.data(), static_cast<std::size_t>(wave.samples.size())});
    extracted.front().first.content = content.text();
    for (const Augmentation& augmentation : augmentations) {
      Utterance copy = extracted.front().first;
      copy.augmentation = augmentation_name(augmentation);
      Rng rng(seed, fnv1a(copy.path + '\n' + copy.augmentation));
      extracted.emplace_back(copy, extractor.extract(augment(wave, augmentation, rng)));
    }
    return extracted;
  });
}

void count(const Extracted& extracted, ExtractionSummary& summary) {
  for (const auto& [utterance, features] : extracted) {
    ++summary.clips;
    summary.rows = static_cast<std::size_t>(features.rows());
    summary.frames += static_cast<std::size_t>(features.cols());
    summary.without_emotion += utterance.emotion.empty();
    summary.without_gender += utterance.gender.empty();
  }
}

using FilesByName = std::map<std::string, std::filesystem::path>;

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
      if (!files.emplace(prefix + utterance.path, corpus.root / utterance.path).second)
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

/// Gathers a table in memory.
class TableBuilder : public FeatureWriter {
 public:
  explicit TableBuilder(const FeatureSet& set) {
    table_.set = set;
    table_.rows = row_names(set);
    table_.offsets = {0};
  }
  void add(const Utterance& clip, const Eigen::MatrixXf& features) override {
    table_.clips.push_back(clip);
    table_.offsets.push_back(table_.offsets.back() + features.cols());
    values_.insert(values_.end(), features.data(), features.data() + features.size());
  }
  void finish() override {
    table_.values = Eigen::Map<const Eigen::MatrixXf>(
        values_.data(), static_cast<Eigen::Index>(table_.rows.size()), table_.offsets.back());
    values_ = {};
  }
  FeatureTable take() { return std::move(table_); }

 private:
  FeatureTable table_;
  std::vector<float> values_;  ///< column after column
};

}  // namespace

FeatureSet feature_set_for(std::string_view text, std::optional<Pooling> pool) {
  const std::filesystem::path path(text);
  if (!text.ends_with(".json")) return parse_feature_set(text, pool);
  const Json json = parse_json(read_file(path, kMaxRecipeBytes), path.string());
  if (!json.contains("network")) return parse_feature_set(text, pool);
  const Json features = json.value("features", Json("functionals"));
  if (!features.is_string())
    throw Error(fmt::format("{}: 'features': expected a string, found {}", text, features.dump()));
  const std::string name = features.get<std::string>();
  if (!name.ends_with(".json")) return parse_feature_set(name, pool);
  return parse_feature_set((path.parent_path() / name).string(), pool);
}

std::vector<Recording> recordings_of(std::vector<Corpus> corpora, const ChooseUtterances& choose) {
  const FilesByName files = unique_names(corpora);
  std::vector<Utterance> utterances;
  for (Corpus& corpus : corpora)
    std::move(corpus.utterances.begin(), corpus.utterances.end(), std::back_inserter(utterances));
  if (choose) utterances = choose(std::move(utterances));
  std::vector<Recording> recordings;
  for (Utterance& utterance : utterances) {
    const std::filesystem::path& file = files.at(utterance.path);
    recordings.push_back({file, std::move(utterance)});
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
  std::vector<Utterance> utterances;
  for (const Recording& recording : recordings) {
    utterances.push_back(recording.utterance);
    utterances.back().path = std::filesystem::absolute(recording.file).string();
  }
  return find_duplicates("/", utterances);
}

ExtractionSummary extract(const std::vector<Recording>& recordings,
                          const ExtractionOptions& options, FeatureWriter& writer) {
  const Extractor extractor(options.set);
  ExtractionSummary summary;
  std::vector<Extracted> slots(pipeline_slots(options.threads));
  std::vector<std::string> failures(slots.size());

  const auto produce = [&](std::size_t i, std::size_t slot) {
    failures[slot].clear();
    slots[slot].clear();
    try {
      slots[slot] =
          extract_recording(recordings[i], extractor, options.augmentations, options.seed);
    } catch (const Error& error) {
      if (options.on_error == OnError::kFail) throw;
      failures[slot] = error.what();
    }
  };
  const auto consume = [&](std::size_t, std::size_t slot) {
    summary.skipped += !failures[slot].empty();
    for (const auto& [utterance, features] : slots[slot]) writer.add(utterance, features);
    count(slots[slot], summary);
    if (options.observer) options.observer(failures[slot]);
  };
  parallel_pipeline(recordings.size(), options.threads, produce, consume);
  if (summary.clips == 0)
    throw Error("expected recordings to extract, found none that can be read");
  writer.finish();
  return summary;
}

FeatureTable extract(const std::vector<Recording>& recordings, const ExtractionOptions& options) {
  TableBuilder builder(Extractor(options.set).set());
  extract(recordings, options, builder);
  return builder.take();
}

}  // namespace ser
