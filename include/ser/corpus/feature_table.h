#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ser/core/atomic_file.h"
#include "ser/corpus/shard.h"
#include "ser/corpus/utterance.h"
#include "ser/features/feature_set.h"

namespace ser {

/// Features that stay in their files, which are mapped into memory: the system reads what is looked
/// at. Of that, a process holds some ten megabytes at most, however much there is.
class MappedFeatures {
 public:
  bool empty() const { return clips_.empty(); }
  void add_file(MappedFile file) { files_.push_back(std::move(file)); }
  /// values: of the next clip, in a file that was added, or will be.
  void add_clip(const float* values) { clips_.push_back(values); }
  /// The values of a clip, `bytes` of which are about to be read; what was read before may be let
  /// go, and is read again where it is looked at again. Safe to call from any thread.
  const float* clip(std::size_t index, std::uint64_t bytes) const;

 private:
  using Bytes = std::atomic<std::uint64_t>;

  std::vector<MappedFile> files_;
  std::vector<const float*> clips_;
  std::unique_ptr<Bytes> held_ = std::make_unique<Bytes>(0);  ///< looked at since it was let go
};

/// What a feature file holds: the features of many clips. They are in memory, or stay in files.
struct FeatureTable {
  using Clip = Eigen::Map<const Eigen::MatrixXf>;

  FeatureSet set;
  std::vector<std::string> rows;  ///< names, one a feature
  std::vector<Utterance> clips;
  std::vector<std::int64_t> offsets;  ///< clips + 1; clip i has offsets[i + 1] - offsets[i] frames
  Eigen::MatrixXf values;             ///< [rows x all frames]; empty where they stay in files
  MappedFeatures mapped;              ///< empty where `values` holds them
  /// Sentences a user should see about several files together: voices of one name, one recording
  /// under two names.
  std::vector<std::string> warnings = {};

  std::size_t size() const { return clips.size(); }
  Eigen::Index frames(std::size_t index) const { return offsets[index + 1] - offsets[index]; }
  /// Features of one clip, [rows x frames].
  Clip clip(std::size_t index) const { return part(index, 0, frames(index)); }
  /// Those of `count` frames of it from `begin` on.
  Clip part(std::size_t index, Eigen::Index begin, Eigen::Index count) const;

  /// Calls f(part) for the frames of a clip in order, so that those of a long one need not be in
  /// memory together.
  template <typename F>
  void for_each_part(std::size_t index, const F& f) const {
    constexpr Eigen::Index kPart = 4096;
    const Eigen::Index all = frames(index);
    for (Eigen::Index begin = 0; begin < all; begin += kPart)
      f(part(index, begin, std::min(kPart, all - begin)));
  }
};

/// A feature file, or all files that its index names, whose values stay where they are: for
/// "x.safetensors" that is not there, "x.safetensors.index.json" is read. Shards of a corpus
/// (`merge_shards`) give the table of an extraction that was not divided. Read as untrusted input.
/// Throws Error, naming the file and what is wrong.
FeatureTable read_feature_table(const std::filesystem::path& path);

/// One table of several feature files, of one corpus or of several.
/// Throws Error, naming two of them, if they hold other features, and for some of a corpus' shards
/// without the others.
FeatureTable read_feature_tables(const std::vector<std::filesystem::path>& paths);

/// Feature files of one or several corpora, of one or several feature sets, in any order: a table
/// for each set, in the order in which the sets come. Throws Error as `read_feature_table` does.
std::vector<FeatureTable> read_tables_by_set(const std::vector<std::filesystem::path>& paths);

/// Takes the features of one clip after the other, in flat memory.
class FeatureWriter {
 public:
  virtual ~FeatureWriter() = default;
  /// What is added from here on is of the recording with this number, from 0, of those extracted.
  virtual void start_recording(std::size_t) {}
  /// All of the recording was added; nothing, if it was skipped.
  virtual void end_recording() {}
  /// features: [rows x frames]. Throws Error if its rows are not those of the set, for a number
  /// that is not finite, and for a path that is not UTF-8.
  virtual void add(const Utterance& clip, const Eigen::MatrixXf& features) = 0;
  /// More frames of the clip added last. Throws Error as `add` does.
  virtual void append(const Eigen::MatrixXf& features) = 0;
  /// Puts the file in place. Without it, nothing is left behind.
  virtual void finish() = 0;
};

/// Writes a feature file. Features and what is known of clips are spooled to temporary files until
/// `finish()`.
class FeatureTableWriter : public FeatureWriter {
 public:
  /// max_shard_bytes: a corpus with more feature data is written as several files
  /// "name-00001-of-00003.safetensors" beside an index "name.safetensors.index.json".
  /// shard: the part of a corpus that is written, where it is one.
  FeatureTableWriter(std::filesystem::path path, const FeatureSet& set,
                     std::uint64_t max_shard_bytes = std::uint64_t{2} << 30,
                     std::optional<ShardInfo> shard = {});
  void start_recording(std::size_t index) override;
  void add(const Utterance& clip, const Eigen::MatrixXf& features) override;
  void append(const Eigen::MatrixXf& features) override;
  void finish() override;

 private:
  /// Clips [begin, end), the content of one file.
  struct Part {
    std::size_t begin = 0, end = 0;
  };
  std::vector<Part> parts() const;
  void write_part(const std::filesystem::path& file, const Part& part);
  std::string clips_of(const Part& part);

  std::filesystem::path path_;
  FeatureSet set_;
  std::vector<std::string> rows_;
  std::uint64_t max_shard_bytes_;
  std::optional<ShardInfo> shard_;  ///< of the corpus
  std::int64_t recording_ = 0;      ///< in the whole corpus, that is added
  SpoolFile spool_, clips_;         ///< values; objects of JSON, each with a comma behind it
  std::string last_;                ///< path of the clip added last
  std::vector<std::uint64_t> clip_begins_ = {0};  ///< in `clips_`, and where the last one ends
  std::vector<std::int64_t> offsets_ = {0};
  std::vector<std::int64_t> recordings_;  ///< of each clip; empty unless a shard
};

/// Writes CSV: one line a row (frame or clip): what is known of the clip, frame number, features
/// with the digits that give back the same float.
class FeatureCsvWriter : public FeatureWriter {
 public:
  FeatureCsvWriter(const std::filesystem::path& path, const FeatureSet& set);
  void add(const Utterance& clip, const Eigen::MatrixXf& features) override;
  void append(const Eigen::MatrixXf& features) override;
  void finish() override { file_.commit(); }

 private:
  std::vector<std::string> rows_;
  AtomicFile file_;
  Utterance clip_;          ///< the one added last
  Eigen::Index frame_ = 0;  ///< its next frame
};

}  // namespace ser
