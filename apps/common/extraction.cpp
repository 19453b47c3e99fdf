#include "extraction.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "progress.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/augment.h"
#include "ser/core/hash.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/feature_table.h"
#include "ser/corpus/recording.h"
#include "ser/corpus/votes.h"
#include "ser/features/extractor.h"
#include "ser/train/recipe.h"

namespace ser {
namespace {

/// Features of a recording and of its augmented copies.
using Extracted = std::vector<std::pair<Utterance, Eigen::MatrixXf>>;

Extracted extract_recording(const Recording& recording, const Extractor& extractor,
                            const std::vector<Augmentation>& augmentations, int seed) {
  const Waveform wave = read_audio(recording.file);
  return with_context(recording.file.string(), [&] {
    Extracted extracted = {{recording.utterance, extractor.extract(wave)}};
    ContentHash content(wave.sample_rate_hz);
    content.add({wave.samples.data(), static_cast<std::size_t>(wave.samples.size())});
    extracted.front().first.content = content.text();
    for (const Augmentation& augmentation : augmentations) {
      Utterance copy = extracted.front().first;
      copy.augmentation = augmentation_name(augmentation);
      Rng rng(static_cast<std::uint64_t>(seed), fnv1a(copy.path + '\n' + copy.augmentation));
      extracted.emplace_back(copy, extractor.extract(augment(wave, augmentation, rng)));
    }
    return extracted;
  });
}

/// What `--features` names: itself, or the features that the recipe file it names is made for.
std::string features_of_recipe(const std::string& name) {
  if (!name.ends_with(".json") || !is_recipe_file(name)) return name;
  const std::string features = load_recipe(name).features;
  if (!features.ends_with(".json")) return features;
  return (std::filesystem::path(name).parent_path() / features).string();
}

std::unique_ptr<FeatureWriter> make_writer(TableFormat format, const std::filesystem::path& output,
                                           const FeatureSet& set) {
  if (format == TableFormat::kCsv) return std::make_unique<FeatureCsvWriter>(output, set);
  return std::make_unique<FeatureTableWriter>(output, set);
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

/// The pooling that `name` means; nothing for an empty one.
std::optional<Pooling> pooling(const std::string& name) {
  if (name.empty()) return std::nullopt;
  FeatureSet set;
  from_flag("--pool", [&] { from_json("{\"pool\": \"" + name + "\"}", set); });
  return set.pool;
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

/// One line on what an input was taken for, and one on what of it was left out.
void describe_corpus(const std::string& input, const Corpus& corpus) {
  constexpr std::size_t kNamed = 8;
  const std::vector<std::string> classes = emotion_labels(corpus.utterances);
  const std::vector<std::string> unusual = unusual_emotions(classes);
  spdlog::info("{}: {} recordings, read as {}: {}", input, corpus.utterances.size(), corpus.name,
               classes.empty()
                   ? "no emotions known"
                   : fmt::format("{} class{} ({})", classes.size(), classes.size() == 1 ? "" : "es",
                                 some_of(classes, kNamed)));
  if (!unusual.empty())
    spdlog::warn("{}: {} class{} none of the usual emotions ({}); kept under their own names",
                 input, unusual.size(), unusual.size() == 1 ? " that is" : "es that are",
                 some_of(unusual, kNamed));
  if (const std::string left_out = describe_left_out(corpus); !left_out.empty())
    spdlog::warn("{}: left out: {}", input, left_out);
}

void take_votes(std::vector<Utterance>& utterances, const std::string& file) {
  const JoinedVotes joined = join_votes(utterances, file);
  spdlog::info("{}: votes for {} of {} recordings", file, joined.clips, utterances.size());
  if (!joined.unknown.empty())
    spdlog::warn("{}: {} names of no recording ({})", file, joined.unknown.size(),
                 some_of(joined.unknown));
}

FilesByName unique_names(std::vector<Corpus>& corpora) {
  constexpr std::size_t kMostFolders = 64;
  for (std::size_t depth = 0; depth <= kMostFolders; ++depth)
    if (std::optional<FilesByName> files = try_names(corpora, depth)) return *std::move(files);
  throw Error(fmt::format("{}: named by two inputs", first_repeated(corpora).string()));
}

}  // namespace

void ExtractionOptions::visit(FieldVisitor& v) {
  v.field("features", features,
          "functionals|classic|frames, a list (mfcc,chroma,mel:delta,...) or a JSON file");
  v.field("pool", pool, "none|mean|stats: what becomes of a clip's frames (default: the set's)");
  v.field("rate", rate, "Sampling rate in Hz; 0: the file's own (default: the set's)",
          Range{0, 400000});
  v.field("trim_db", trim_db,
          "Trim silence this far below the loudest frame; 0: not at all (default: the set's)",
          Range{0, 1000});
  v.field("augment", augment,
          "Add changed copies: speed:0.9,1.1,pitch:2,gain:-6,noise:20,babble:15,band:4000; "
          "speed:0.9+noise:20 is one copy, changed twice");
  v.choice("format", format,
           {{"safetensors", TableFormat::kSafetensors}, {"csv", TableFormat::kCsv}},
           "Feature file format");
  v.choice("on_error", on_error, {{"fail", OnError::kFail}, {"skip", OnError::kSkip}},
           "What to do about a recording that cannot be read");
}

FeatureSet feature_set(const ExtractionOptions& options) {
  const std::optional<Pooling> pool = pooling(options.pool);
  FeatureSet set = from_flag(
      "--features", [&] { return parse_feature_set(features_of_recipe(options.features), pool); });
  if (options.rate != kUnsetInt) set.sample_rate_hz = options.rate;
  if (options.trim_db != kUnsetNumber) set.trim_db = options.trim_db;
  return from_flag("--rate, --trim-db", [&] { return Extractor(set).set(); });
}

void CorpusOptions::visit(FieldVisitor& v) {
  v.field("corpus", corpus, join(corpus_kinds(), "|"));
  v.field("votes", votes,
          "CSV of listeners' votes: a column clip or path, and one an emotion with their number");
  v.field("emotions", emotions, "Use only these classes");
  v.field("map", map,
          "Merge classes first: calm=neutral,... or, in one corpus, emodb:bored=neutral");
}

std::vector<Recording> find_recordings(const std::vector<std::string>& inputs,
                                       const CorpusOptions& options) {
  std::vector<Corpus> corpora;
  for (const std::string& input : inputs) {
    corpora.push_back(scan_corpus(input, options.corpus));
    describe_corpus(input, corpora.back());
  }
  const FilesByName files = unique_names(corpora);
  std::vector<Utterance> utterances;
  for (Corpus& found : corpora)
    std::move(found.utterances.begin(), found.utterances.end(), std::back_inserter(utterances));
  if (!options.votes.empty()) take_votes(utterances, options.votes);
  if (!options.emotions.empty() || !options.map.empty())
    utterances = select_emotions(std::move(utterances), options.emotions, options.map);
  std::vector<Recording> recordings;
  for (Utterance& utterance : utterances)
    recordings.push_back({files.at(utterance.path), std::move(utterance)});
  return recordings;
}

std::vector<std::vector<int>> duplicate_groups(const std::vector<Recording>& recordings) {
  std::vector<Utterance> utterances;
  for (const Recording& recording : recordings) {
    utterances.push_back(recording.utterance);
    utterances.back().path = std::filesystem::absolute(recording.file).string();
  }
  return find_duplicates("/", utterances);
}

void warn_of_duplicates(const std::vector<Recording>& recordings) {
  constexpr std::size_t kNamed = 2;
  const std::vector<std::vector<int>> groups = duplicate_groups(recordings);
  if (groups.empty()) return;
  std::vector<std::string> examples;
  for (const std::vector<int>& group : std::span(groups).first(std::min(kNamed, groups.size()))) {
    std::vector<std::string> names;
    for (const int i : group)
      names.push_back(recordings[static_cast<std::size_t>(i)].utterance.path);
    examples.push_back(some_of(names, kNamed));
  }
  spdlog::warn("the same bytes under several names, kept: {}{}",
               groups.size() > kNamed ? fmt::format("{} recordings, such as ", groups.size()) : "",
               join(examples, "; "));
}

ExtractionSummary extract_to_file(const std::vector<Recording>& recordings,
                                  const ExtractionOptions& options,
                                  const std::filesystem::path& output,
                                  const CommonOptions& common) {
  const Extractor extractor(feature_set(options));
  spdlog::debug("features {}: {}", fingerprint(extractor.set()), to_json(extractor.set()));
  const std::vector<Augmentation> augmentations =
      from_flag("--augment", [&] { return parse_augmentations(options.augment); });
  const std::unique_ptr<FeatureWriter> writer =
      make_writer(options.format, output, extractor.set());
  Progress progress("extracting", "clips", recordings.size(), common.quiet);
  ExtractionSummary summary;
  std::vector<Extracted> slots(pipeline_slots(common.threads));
  std::vector<std::string> failures(slots.size());

  const auto produce = [&](std::size_t i, std::size_t slot) {
    failures[slot].clear();
    slots[slot].clear();
    try {
      slots[slot] = extract_recording(recordings[i], extractor, augmentations, common.seed);
    } catch (const Error& error) {
      if (options.on_error == OnError::kFail) throw;
      failures[slot] = error.what();
    }
  };
  const auto consume = [&](std::size_t, std::size_t slot) {
    if (!failures[slot].empty()) {
      spdlog::warn("skipped {}", failures[slot]);
      ++summary.skipped;
    }
    for (const auto& [utterance, features] : slots[slot]) writer->add(utterance, features);
    count(slots[slot], summary);
    progress.advance(1);
  };
  parallel_pipeline(recordings.size(), common.threads, produce, consume);
  if (summary.clips == 0)
    throw Error("expected recordings to extract, found none that can be read");
  writer->finish();
  return summary;
}

}  // namespace ser
