#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ser/corpus/utterance.h"
#include "ser/features/feature_set.h"

namespace ser {

/// What a feature file holds: the features of many clips, one after the other.
struct FeatureTable {
  FeatureSet set;
  std::vector<std::string> rows;  ///< names, one a row of `values`
  std::vector<Utterance> clips;
  std::vector<std::int64_t> offsets;  ///< clips + 1; clip i is columns [offsets[i], offsets[i + 1])
  Eigen::MatrixXf values;             ///< [rows x all frames]

  std::size_t size() const { return clips.size(); }
  /// Features of one clip, [rows x frames].
  auto clip(std::size_t index) const {
    return values.middleCols(offsets[index], offsets[index + 1] - offsets[index]);
  }
};

/// Reads a feature file, or all shards that its index file names: for "x.safetensors" that is not
/// there, "x.safetensors.index.json" is read. Read as untrusted input.
/// Throws Error, naming the file and what is wrong.
FeatureTable read_feature_table(const std::filesystem::path& path);

/// One table of several feature files, of one corpus or of several, read straight into it.
/// Throws Error, naming two of them, if they hold other features.
FeatureTable read_feature_tables(const std::vector<std::filesystem::path>& paths);

/// Takes the features of one clip after the other, in flat memory.
class FeatureWriter {
 public:
  virtual ~FeatureWriter() = default;
  /// features: [rows x frames]. Throws Error if its rows are not those of the set, for a number
  /// that is not finite, and for a path that is not UTF-8.
  virtual void add(const Utterance& clip, const Eigen::MatrixXf& features) = 0;
  /// More frames of the clip added last. Throws Error as `add` does.
  virtual void append(const Eigen::MatrixXf& features) = 0;
  /// Puts the file in place. Without it, nothing is left behind.
  virtual void finish() = 0;
};

/// Writes a feature file. Features are spooled to a temporary file until `finish()`.
class FeatureTableWriter : public FeatureWriter {
 public:
  /// max_shard_bytes: a corpus with more feature data is written as several files
  /// "name-00001-of-00003.safetensors" beside an index "name.safetensors.index.json".
  FeatureTableWriter(std::filesystem::path path, const FeatureSet& set,
                     std::uint64_t max_shard_bytes = std::uint64_t{2} << 30);
  ~FeatureTableWriter() override;
  void add(const Utterance& clip, const Eigen::MatrixXf& features) override;
  void append(const Eigen::MatrixXf& features) override;
  void finish() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes CSV: one line a row (frame or clip): what is known of the clip, frame number, features
/// with the digits that give back the same float.
class FeatureCsvWriter : public FeatureWriter {
 public:
  FeatureCsvWriter(std::filesystem::path path, const FeatureSet& set);
  ~FeatureCsvWriter() override;
  void add(const Utterance& clip, const Eigen::MatrixXf& features) override;
  void append(const Eigen::MatrixXf& features) override;
  void finish() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ser
