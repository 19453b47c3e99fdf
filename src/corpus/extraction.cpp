#include "ser/corpus/extraction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "corpus/clip_table.h"
#include "corpus/extraction_journal.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/rolling_window.h"
#include "ser/core/atomic_file.h"
#include "ser/core/file_kind.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/corpus/speaker.h"
#include "ser/features/extractor.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxRecipeBytes = 1u << 20;
constexpr double kPieceS = 30;  ///< of a recording longer than kLongestPieceS

/// What is known of a recording before its rows are written.
struct Extracted {
  std::vector<std::pair<Utterance, Eigen::MatrixXf>> clips;  ///< itself and its augmented copies
  std::vector<std::string> notices;
  std::optional<Utterance> in_pieces;  ///< itself, where it is too long to be held in memory
  std::string failure;                 ///< why it is skipped
  std::uint64_t stamp = 0;             ///< of its file, before it was read
  bool is_kept = false;                ///< in the journal, and nothing is known here
};

/// The recording itself and its augmented copies, in order.
class Copies {
 public:
  Copies(Utterance original, const ExtractionOptions& options)
      : original_(std::move(original)), options_(options) {}

  std::size_t count() const { return 1 + options_.augmentations.size(); }
  Utterance utterance(std::size_t copy) const {
    Utterance utterance = original_;
    if (copy > 0) utterance.augmentation = augmentation_name(options_.augmentations[copy - 1]);
    return utterance;
  }
  Rng rng(std::size_t copy) const {
    return Rng(options_.seed, fnv1a(original_.path + '\n' + utterance(copy).augmentation));
  }
  Waveform change(const Waveform& wave, std::size_t copy, Rng& rng) const {
    return copy > 0 ? augment(wave, options_.augmentations[copy - 1], rng) : wave;
  }

 private:
  Utterance original_;
  const ExtractionOptions& options_;
};

/// Whether what the set looks at goes on behind the first kLongestPieceS.
bool looks_far(const FeatureSet& set) {
  return set.duration_s == 0 || set.offset_s + set.duration_s > kLongestPieceS;
}

std::string content_of(const Waveform& wave) {
  ContentHash content(wave.sample_rate_hz);
  content.add({wave.samples.data(), static_cast<std::size_t>(wave.samples.size())});
  return content.text();
}

/// The same of all of a long recording. What cannot be read, or is too short for the set, shows
/// here, before the first row is written.
std::string content_of(AudioReader& reader, const std::filesystem::path& file,
                       const FeatureSet& set) {
  ContentHash content(reader.sample_rate_hz());
  std::size_t samples = 0;
  reader.restart();
  for (auto block = reader.next_block(); !block.empty(); block = reader.next_block()) {
    content.add(block);
    samples += block.size();
  }
  const double left_s = static_cast<double>(samples) / reader.sample_rate_hz() - set.offset_s;
  if (left_s < kShortestRecordingS)
    fail("{}: expected at least {} s of audio after {} s, found {:.3f} s", file.string(),
         kShortestRecordingS, set.offset_s, std::max(0.0, left_s));
  return content.text();
}

std::string pieces_notice(const FeatureSet& set) {
  return fmt::format(
      "longer than {:g} s: extracted in pieces of {:g} s, each with its own edges and preparation, "
      "{}",
      kLongestPieceS, kPieceS,
      set.pool == Pooling::kNone ? "their frames one after the other" : "then averaged");
}

Extracted extract_recording(const Recording& recording, const Extractor& extractor,
                            const ExtractionOptions& options) {
  AudioReader reader(recording.file);
  const Waveform start = read_start(reader, kLongestPieceS);
  Extracted extracted;
  const bool is_long = start.duration_s() > kLongestPieceS;
  Utterance original = recording.utterance;
  original.content = is_long ? content_of(reader, recording.file, options.set) : content_of(start);
  if (is_long && looks_far(options.set)) {
    extracted.notices.push_back(pieces_notice(options.set));
    extracted.in_pieces = std::move(original);
  } else {
    const Copies copies(std::move(original), options);
    for (std::size_t copy = 0; copy < copies.count(); ++copy) {
      Rng rng = copies.rng(copy);
      extracted.clips.emplace_back(copies.utterance(copy), with_context(recording.file, [&] {
                                     return extractor.extract(copies.change(start, copy, rng));
                                   }));
    }
  }
  for (std::string& notice : reader.notices()) extracted.notices.push_back(std::move(notice));
  return extracted;
}

/// Puts why a recording cannot be extracted in `made`, where those are skipped.
void extract_or_skip(const Recording& recording, const Extractor& extractor,
                     const ExtractionOptions& options, Extracted& made) {
  try {
    const std::uint64_t stamp = made.stamp;
    made = extract_recording(recording, extractor, options);
    made.stamp = stamp;
  } catch (const Error& error) {
    if (options.on_error == OnError::kFail) throw;
    made.failure = error.what();
  }
}

/// Counts what it hands on to another writer.
class CountingWriter : public FeatureWriter {
 public:
  explicit CountingWriter(FeatureWriter& next) : next_(next) {}

  void start_recording(std::size_t index) override {
    next_.start_recording(index);
    clips_before_ = summary_.clips;
  }
  void add(const Utterance& clip, const Eigen::MatrixXf& features) override {
    next_.add(clip, features);
    ++summary_.clips;
    summary_.rows = features.rows();
    summary_.frames += features.cols();
    summary_.without_emotion += clip.emotion.empty();
    summary_.without_gender += clip.gender.empty();
  }
  void append(const Eigen::MatrixXf& features) override {
    next_.append(features);
    summary_.frames += features.cols();
  }
  void end_recording() override {
    next_.end_recording();
    summary_.skipped += summary_.clips == clips_before_;
  }
  void finish() override { next_.finish(); }
  const ExtractionSummary& summary() const { return summary_; }

 private:
  FeatureWriter& next_;
  ExtractionSummary summary_;
  std::size_t clips_before_ = 0;  ///< the recording
};

/// Calls `on_piece` with piece after piece of the part of a recording that `set` looks at.
void for_each_piece(const std::filesystem::path& file, const FeatureSet& set,
                    const RollingWindow::OnWindow& on_piece) {
  AudioReader reader(file);
  const double rate = reader.sample_rate_hz();
  const auto first = static_cast<std::uint64_t>(std::round(set.offset_s * rate));
  const auto most = set.duration_s > 0
                        ? static_cast<std::uint64_t>(std::round(set.duration_s * rate))
                        : std::numeric_limits<std::uint64_t>::max();
  RollingWindow pieces(reader.sample_rate_hz(), kPieceS, kPieceS);
  std::uint64_t skipped = 0, taken = 0;
  for (auto block = reader.next_block(); !block.empty(); block = reader.next_block()) {
    const std::size_t skip = std::min<std::uint64_t>(block.size(), first - skipped);
    const std::size_t take = std::min<std::uint64_t>(block.size() - skip, most - taken);
    pieces.push(block.subspan(skip, take), on_piece);
    skipped += skip;
    taken += take;
  }
  pieces.finish_with_rest(on_piece);
}

/// Extracts one copy of a long recording piece by piece into `writer`.
void extract_pieces(const std::filesystem::path& file, const Copies& copies, std::size_t copy,
                    const FeatureSet& set, FeatureWriter& writer) {
  FeatureSet of_whole_piece = set;
  of_whole_piece.offset_s = of_whole_piece.duration_s = 0;
  const Extractor extractor(of_whole_piece);
  const Utterance utterance = copies.utterance(copy);
  Rng rng = copies.rng(copy);
  Eigen::MatrixXd sum;
  double duration_s = 0;
  const auto on_piece = [&](const Window& piece) {
    const Eigen::MatrixXf features = with_context(
        file.string(), [&] { return extractor.extract(copies.change(piece.wave, copy, rng)); });
    const double weight = piece.wave.duration_s();
    const bool is_first = duration_s == 0;
    duration_s += weight;
    if (set.pool != Pooling::kNone) {
      if (is_first) sum = Eigen::MatrixXd::Zero(features.rows(), features.cols());
      sum += weight * features.cast<double>();
    } else if (is_first) {
      writer.add(utterance, features);
    } else {
      writer.append(features);
    }
  };
  for_each_piece(file, set, on_piece);
  if (set.pool == Pooling::kNone) return;
  writer.add(utterance, (sum / duration_s).cast<float>());
}

/// Of the names and labels of recordings.
std::string hash_of(const std::vector<Recording>& recordings) {
  std::uint64_t hash = fnv1a("");
  for (const Recording& recording : recordings)
    hash = fnv1a(clips_to_json({recording.utterance}) + '\n', hash);
  return fmt::format("{:016x}", hash);
}

/// What makes the changed copies, as text.
std::string copies_of(const ExtractionOptions& options) {
  std::vector<std::string> names;
  for (const Augmentation& augmentation : options.augmentations)
    names.push_back(augmentation_name(augmentation));
  return names.empty() ? "" : fmt::format("{}, seed {}", join(names, ","), options.seed);
}

/// Identifies what an extraction makes.
std::string run_of(const std::vector<Recording>& recordings, const ExtractionOptions& options) {
  return fingerprint(fmt::format("{} {} {} {}", to_json(options.set), copies_of(options),
                                 options.on_error == OnError::kSkip, hash_of(recordings)));
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
  void append(const Eigen::MatrixXf& features) override {
    table_.offsets.back() += features.cols();
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
  expect_kind(path, FileKind::kRecipe);
  const Json json = parse_json(read_file(path, kMaxRecipeBytes), path.string());
  if (!json.contains("network")) return parse_feature_set(text, pool);
  const Json features = json.value("features", Json("functionals"));
  if (!features.is_string())
    fail("{}: 'features': expected a string, found {}", text, dump_text(features));
  const std::string name = features.get<std::string>();
  if (!name.ends_with(".json")) return parse_feature_set(name, pool);
  return parse_feature_set((path.parent_path() / name).string(), pool);
}

RecordingShard take_shard(const std::vector<Recording>& recordings,
                          const ExtractionOptions& options, ShardInfo shard) {
  if (static_cast<std::size_t>(shard.of) > recordings.size())
    fail("expected at most as many shards as recordings, {}, found {}", recordings.size(),
         shard.of);
  shard.recordings = std::ssize(recordings);
  shard.corpus = hash_of(recordings);
  shard.copies = copies_of(options);
  RecordingShard taken{std::move(shard), {}};
  for (std::int64_t i = 0; taken.info.position(i) < taken.info.recordings; ++i)
    taken.recordings.push_back(recordings[taken.info.position(i)]);
  return taken;
}

ExtractionSummary extract(const std::vector<Recording>& recordings,
                          const ExtractionOptions& options, FeatureWriter& writer) {
  const Extractor extractor(options.set);
  CountingWriter counting(writer);
  std::unique_ptr<ExtractionJournal> journal;
  if (!options.journal.empty())
    journal = std::make_unique<ExtractionJournal>(options.journal, run_of(recordings, options),
                                                  row_names(extractor.set()).size(), counting);
  FeatureWriter& out = journal ? static_cast<FeatureWriter&>(*journal) : counting;
  if (journal && journal->size() > recordings.size())
    fail("{}: {} recordings are kept there, of {}: expected that file gone",
         options.journal.string(), journal->size(), recordings.size());
  std::vector<Extracted> slots(pipeline_slots(options.threads));
  std::size_t kept = 0;

  const auto produce = [&](std::size_t index, std::size_t slot) {
    Extracted& made = slots[slot] = {};
    made.stamp = journal ? stamp_of(recordings[index].file) : 0;
    made.is_kept = journal && journal->holds(index, made.stamp);
    if (!made.is_kept) extract_or_skip(recordings[index], extractor, options, made);
  };
  const auto consume = [&](std::size_t index, std::size_t slot) {
    const Extracted& made = slots[slot];
    out.start_recording(index);
    if (made.is_kept) journal->hand_on(index);
    kept += made.is_kept;
    for (const std::string& notice : made.notices)
      if (options.on_notice) options.on_notice(recordings[index].file, notice);
    for (const auto& [utterance, features] : made.clips) out.add(utterance, features);
    if (made.in_pieces) {
      const Copies copies(*made.in_pieces, options);
      for (std::size_t copy = 0; copy < copies.count(); ++copy)
        extract_pieces(recordings[index].file, copies, copy, extractor.set(), out);
    }
    if (journal) journal->set_stamp(made.stamp);
    out.end_recording();
    if (options.observer) options.observer(made.failure);
  };
  parallel_pipeline(recordings.size(), options.threads, produce, consume);
  ExtractionSummary summary = counting.summary();
  if (summary.clips == 0 && !options.may_be_empty)
    fail("expected recordings to extract, found none that can be read");
  out.finish();
  summary.kept = kept;
  return summary;
}

FeatureTable extract(const std::vector<Recording>& recordings, const ExtractionOptions& options) {
  TableBuilder builder(Extractor(options.set).set());
  extract(recordings, options, builder);
  return builder.take();
}

}  // namespace ser
