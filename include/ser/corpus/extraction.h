#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ser/audio/augment.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/feature_table.h"
#include "ser/corpus/shard.h"
#include "ser/corpus/utterance.h"
#include "ser/features/feature_set.h"

namespace ser {

/// An utterance and where its file is.
struct Recording {
  std::string file;  ///< its path; a std::filesystem::path takes several times the memory
  Utterance utterance;
};

/// Drops or changes utterances, but not their paths.
using ChooseUtterances = std::function<std::vector<Utterance>(std::vector<Utterance>)>;

/// The recordings of the corpora that `choose` leaves. Where two corpora have a clip of the same
/// relative path, as many folder names as tell them apart go before it. Throws Error for a file
/// that is named twice.
std::vector<Recording> recordings_of(std::vector<Corpus> corpora,
                                     const ChooseUtterances& choose = {});

/// The recordings of all inputs (folders, files, manifests; kind: see `scan_corpus`).
std::vector<Recording> find_recordings(const std::vector<std::string>& inputs,
                                       std::string_view kind = "auto");

/// Groups of recordings with the same bytes (told by a 64-bit hash of them), as indices, ascending.
/// Time grows with the bytes read, each file at most twice. Files that cannot be read are passed
/// over.
std::vector<std::vector<int>> find_duplicates(const std::vector<Recording>& recordings);

/// What `parse_feature_set` makes of `text`; a recipe file stands for the features it is made for.
FeatureSet feature_set_for(std::string_view text, std::optional<Pooling> pool = {});

enum class OnError { kFail, kSkip };

struct ExtractionOptions {
  FeatureSet set;
  std::vector<Augmentation> augmentations = {};  ///< each gives every recording a changed copy
  OnError on_error = OnError::kFail;
  std::uint64_t seed = 1;     ///< of the copies
  int threads = 0;            ///< 0: all cores; never changes the result
  bool may_be_empty = false;  ///< as a shard is, whose recordings are all skipped
  /// Keeps what is done while it goes on; if it is there, extraction goes on from it, to the same
  /// bytes: what was skipped, or has changed since, is made again. Empty: nothing is kept.
  std::filesystem::path journal = {};
  /// Called once a recording, in their order, by one thread at a time; failure: why it was skipped,
  /// with its file's name, else empty.
  std::function<void(const std::string& failure)> observer = {};
  /// Called, likewise, for each sentence that should be known of a recording: see
  /// `AudioReader::notices`.
  std::function<void(const std::string& file, const std::string& notice)> on_notice = {};
};

/// A shard of the recordings, and what is known of it.
struct RecordingShard {
  ShardInfo info;
  std::vector<Recording> recordings;
};

/// Every `shard.of`-th of the recordings, from `shard.number` on; options: what they will be
/// extracted with. Throws Error for more shards than recordings.
RecordingShard take_shard(const std::vector<Recording>& recordings,
                          const ExtractionOptions& options, ShardInfo shard);

struct ExtractionSummary {
  std::size_t kept = 0;   ///< recordings that were taken from the journal
  std::size_t clips = 0;  ///< with copies
  std::size_t skipped = 0;
  std::size_t rows = 0;    ///< features a frame
  std::size_t frames = 0;  ///< of all clips
  std::size_t without_emotion = 0;
  std::size_t without_gender = 0;
};

/// Features of the recordings, each followed by its copies, in parallel; the writer takes them in
/// order, so memory stays flat, and is finished. A recording longer than kLongestPieceS is
/// extracted in pieces of half a minute, each prepared on its own: their frames come one after the
/// other, and pooled rows are averaged, weighted by duration. A rest below 0.1 s is left out.
/// Throws Error, naming the file, for a recording that cannot be read, unless those are skipped,
/// if there is none that can and it may not be empty, and if the journal is of other recordings or
/// options.
ExtractionSummary extract(const std::vector<Recording>& recordings,
                          const ExtractionOptions& options, FeatureWriter& writer);

/// The same as a table in memory.
FeatureTable extract(const std::vector<Recording>& recordings, const ExtractionOptions& options);

}  // namespace ser
