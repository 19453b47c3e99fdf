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
  std::vector<std::string> rows;      ///< names, one a row of `values`
  std::vector<Utterance> clips;
  std::vector<std::int64_t> offsets;  ///< clips + 1; clip i is columns [offsets[i], offsets[i + 1])
  Eigen::MatrixXf values;             ///< [rows x all frames]

  std::size_t size() const { return clips.size(); }
  /// Features of one clip, [rows x frames].
  auto clip(std::size_t index) const {
    return values.middleCols(offsets[index], offsets[index + 1] - offsets[index]);
  }
};

/// Reads a feature file, or all shards that an index file names. Read as untrusted input.
/// Throws Error, naming the file and what is wrong.
FeatureTable read_feature_table(const std::filesystem::path& path);

/// Writes clip after clip in flat memory: rows are spooled to a temporary file until `finish()`
/// puts the feature file together.
class FeatureTableWriter {
 public:
  /// max_shard_bytes: a corpus with more feature data is written as several files
  /// "name-00001-of-00003.safetensors" beside an index "name.safetensors.index.json".
  FeatureTableWriter(std::filesystem::path path, const FeatureSet& set,
                     std::uint64_t max_shard_bytes = std::uint64_t{2} << 30);
  ~FeatureTableWriter();

  /// features: [rows x frames]. Throws Error if its rows are not those of the set, or for a
  /// number that is not finite.
  void add(const Utterance& clip, const Eigen::MatrixXf& features);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes the table as CSV: one line a row (frame or clip): path, labels, frame number, features.
void write_csv(const FeatureTable& table, const std::filesystem::path& path);

}  // namespace ser
