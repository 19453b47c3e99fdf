#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ser/core/atomic_file.h"
#include "ser/corpus/shard.h"
#include "ser/corpus/utterance.h"
#include "ser/features/feature_set.h"

namespace ser {

inline constexpr std::string_view kFeatureFormat = "ser-features-1";
inline constexpr std::string_view kFeatureIndexFormat = "ser-features-index-1";

/// One feature file; its values stay in it, mapped.
struct FeatureFile {
  std::filesystem::path path;
  FeatureSet set;
  std::vector<std::string> rows;
  std::vector<Utterance> clips;
  std::vector<std::int64_t> offsets;  ///< clips + 1
  std::optional<ShardInfo> shard;
  std::vector<std::int64_t> recordings;  ///< of a shard: each clip's recording in the whole corpus
  MappedFile file;
  const float* values = nullptr;  ///< [rows x all frames], in `file`
};

/// Reads all but the values. Throws Error, naming the file and what is wrong.
FeatureFile read_feature_file(const std::filesystem::path& path);

/// "x.safetensors.index.json" for "x.safetensors".
std::filesystem::path feature_index_path(const std::filesystem::path& path);

/// The file itself, or the files where it is, or has beside it, an index.
std::vector<std::filesystem::path> feature_files(const std::filesystem::path& path);

/// Removes the file of an index that was written, or the index of a file: both would be two answers
/// to one question. There may be none.
void remove_twin(const std::filesystem::path& path);

/// names: of feature files beside `index`.
void write_feature_index(const std::filesystem::path& index, const std::string& fingerprint,
                         const std::vector<std::string>& names);

std::string to_json(const ShardInfo& shard);

/// What is wrong with shards that are to be read as one, a sentence each; nothing for good ones,
/// and for the files of one shard.
std::vector<std::string> shard_problems(const std::vector<FeatureFile>& shards);

/// Throws Error unless `features` fits the rows and can be stored with `clip`.
void check_features(const std::string& clip, const Eigen::MatrixXf& features,
                    const std::vector<std::string>& rows);

}  // namespace ser
