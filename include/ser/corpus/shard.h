#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ser {

inline constexpr int kMostShards = 1000000;

/// Which part of a corpus a feature file holds: of all recordings, in order, every `of`-th from
/// recording `number` on, which counts from 1.
struct ShardInfo {
  int number = 1;
  int of = 1;
  std::int64_t recordings = 0;  ///< of the whole corpus
  std::string corpus = {};      ///< hash of their names and labels
  std::string copies = {};      ///< what makes the changed copies: augmentations and seed
  std::string command = {};     ///< as typed, without what is of this shard alone

  /// Position in the whole corpus, from 0, of the shard's recording `index`.
  std::int64_t position(std::int64_t index) const { return number - 1 + index * of; }
};

/// `2/8`, the second of eight shards. Throws Error for anything else.
ShardInfo parse_shard(std::string_view text);

/// What a set of shards holds together.
struct MergedShards {
  int shards = 0;
  std::size_t clips = 0;
  std::int64_t skipped = 0;  ///< recordings that no shard has
};

/// Writes the index "x.safetensors.index.json" by which all shards of a corpus, feature files
/// beside it, are read as one: the table of an extraction that was not divided. Throws Error for
/// shards that are missing, cannot be read, are there twice, or do not belong with the others, all
/// of them named, with the command that makes each again alone.
MergedShards merge_shards(const std::vector<std::filesystem::path>& shards,
                          const std::filesystem::path& output);

}  // namespace ser
