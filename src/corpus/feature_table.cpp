#include "ser/corpus/feature_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/internal/fail.h"
#include "corpus/feature_file.h"
#include "corpus/internal/clip_hash.h"
#include "ser/core/text.h"
#include "ser/corpus/shard.h"
#include "ser/corpus/speaker.h"
#include "ser/features/feature_set.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

/// Throws Error for a number that is not finite. Reads all of the file, and keeps none of it.
void check_finite(const FeatureFile& part) {
  constexpr std::int64_t kBlock = 4 << 20;
  const std::int64_t count = part.offsets.back() * static_cast<std::int64_t>(part.rows.size());
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const Eigen::Map<const Eigen::ArrayXf> values(part.values + begin,
                                                  std::min(kBlock, count - begin));
    // 0 times NaN or infinity is NaN, and so is the sum then.
    if (!((values * 0.f).sum() == 0))
      fail("{}: expected finite features, found NaN or infinity", part.path.string());
    part.file.let_go();
  }
}

/// Throws Error, naming both, for features other than those of the table.
void check_same_features(const FeatureTable& table, const fs::path& first,
                         const FeatureFile& part) {
  if (fingerprint(part.set) == fingerprint(table.set) && part.rows == table.rows) return;
  fail("{}: expected the features of {} ({}), found {}", part.path.string(), first.string(),
       describe(table.set), describe(part.set));
}

/// A clip of a file: what is sorted, not the clip itself.
struct Place {
  std::int64_t recording;
  std::size_t part;
  std::size_t clip;
};

/// The clips of the parts, file after file, or in the order of the corpus that shards are of.
std::vector<Place> places_of(const std::vector<FeatureFile>& parts) {
  std::vector<Place> places;
  for (std::size_t p = 0; p < parts.size(); ++p)
    for (std::size_t i = 0; i < parts[p].clips.size(); ++i)
      places.push_back({parts[p].shard ? parts[p].recordings[i] : 0, p, i});
  std::ranges::stable_sort(places, {}, &Place::recording);
  return places;
}

/// Puts the parts of one index, or the only one, behind what the table holds.
void append(std::vector<FeatureFile> parts, FeatureTable& table) {
  for (const Place& place : places_of(parts)) {
    FeatureFile& part = parts[place.part];
    const std::int64_t begin = part.offsets[place.clip], end = part.offsets[place.clip + 1];
    table.clips.push_back(std::move(part.clips[place.clip]));
    table.offsets.push_back(table.offsets.back() + end - begin);
    table.mapped.add_clip(part.values + begin * static_cast<std::int64_t>(part.rows.size()));
  }
  for (FeatureFile& part : parts) table.mapped.add_file(std::move(part.file));
}

/// Reads the files of one path: a feature file, or those of an index.
std::vector<FeatureFile> read_parts(const fs::path& path) {
  std::vector<FeatureFile> parts;
  for (const fs::path& file : feature_files(path)) parts.push_back(read_feature_file(file));
  const auto is_shard = [](const FeatureFile& part) { return part.shard.has_value(); };
  if (std::ranges::all_of(parts, is_shard))
    if (const std::vector<std::string> problems = shard_problems(parts); !problems.empty())
      fail("{}: {}", path.string(), join(problems, "; "));
  return parts;
}

/// A table that grows by files.
struct TableOfFiles {
  /// Throws Error for other features than those of the files before, or one of their clips.
  void add(std::vector<FeatureFile> parts) {
    for (const FeatureFile& part : parts) {
      if (table.rows.empty()) {
        table.set = part.set;
        table.rows = part.rows;
        table.offsets = {0};
        first = part.path;
      }
      check_same_features(table, first, part);
      if (part.shard) shards[part.shard->corpus + part.shard->copies].add(*part.shard);
      check_new(part);
      check_finite(part);
    }
    const std::size_t before = table.size();
    const bool is_shard = !parts.empty() && parts[0].shard.has_value();
    append(std::move(parts), table);
    compare(before, is_shard);
  }

  /// Looks for voices and recordings of the files from clip `begin` on in those before. Shards of a
  /// corpus have its voices in common.
  void compare(std::size_t begin, bool is_shard) {
    std::set<std::string> names;
    for (std::size_t i = begin; i < table.size(); ++i) {
      const Utterance& clip = table.clips[i];
      if (!clip.speaker.empty() && !is_shard) names.insert(speaker_name(clip));
      if (clip.content.empty() || !clip.augmentation.empty()) continue;
      const auto [first_one, is_new] = sounds.try_emplace(fnv1a(clip.content), i);
      if (!is_new && first_one->second < begin)
        twice.push_back(fmt::format("{} and {}", table.clips[first_one->second].path, clip.path));
    }
    for (const std::string& name : names)
      if (!voices.insert(name).second) namesakes.push_back(name);
  }

  FeatureTable finished() {
    check_shards();
    if (!namesakes.empty())
      table.warnings.push_back(fmt::format(
          "speakers of one name and corpus in several files are taken for one: {}; where they are "
          "not, name one folder, or the corpus in its manifest, differently",
          some_of(namesakes)));
    if (!twice.empty())
      table.warnings.push_back(fmt::format(
          "{} recordings are in several files under other names, kept on one side of every split: "
          "{}",
          twice.size(), some_of(twice)));
    return std::move(table);
  }

  /// Throws Error for a clip that is there already: trained on twice, or scored twice.
  void check_new(const FeatureFile& part) {
    for (const Utterance& clip : part.clips)
      if (!clip.content.empty() &&
          !clips
               .insert(fnv1a(fmt::format("{}\n{}\n{}\n{}", clip.corpus, clip.path,
                                         clip.augmentation, clip.content)))
               .second)
        fail("{}: expected each clip once, found {} twice", part.path.string(), clip.path);
  }

  /// Throws Error for several shards of a corpus without the others. One alone may be meant.
  void check_shards() const {
    for (const auto& [corpus, some] : shards)
      if (some.numbers.size() > 1 && std::ssize(some.numbers) < some.of)
        fail(
            "expected {} shards of a corpus, found {} ({}): ser-extract --merge tells how to make "
            "the others",
            some.of, some.numbers.size(), fmt::join(some.numbers, ", "));
  }

  /// Shards of one corpus.
  struct Shards {
    void add(const ShardInfo& shard) {
      numbers.insert(shard.number);
      of = shard.of;
    }
    std::set<int> numbers;
    int of = 0;
  };

  FeatureTable table;
  fs::path first;
  std::map<std::string, Shards> shards;
  std::unordered_set<std::uint64_t> clips;                ///< hashes
  std::unordered_map<std::uint64_t, std::size_t> sounds;  ///< the first clip of each
  std::set<std::string> voices;
  std::vector<std::string> namesakes, twice;
};

/// Looked at before the memory is let go: mapping it again costs a thousandth of working through
/// it.
constexpr std::uint64_t kHeldBytes = 8u << 20;

}  // namespace

FeatureTable::Clip FeatureTable::part(std::size_t index, Eigen::Index begin,
                                      Eigen::Index count) const {
  if (mapped.empty())
    return {values.data() + (offsets[index] + begin) * values.rows(), values.rows(), count};
  const Eigen::Index row_count = std::ssize(rows);
  const auto bytes = static_cast<std::uint64_t>(row_count * count) * sizeof(float);
  return {mapped.clip(index, bytes) + begin * row_count, row_count, count};
}

FeatureTable read_feature_table(const fs::path& path) { return read_feature_tables({path}); }

FeatureTable read_feature_tables(const std::vector<fs::path>& paths) {
  TableOfFiles table;
  for (const fs::path& path : paths) table.add(read_parts(path));
  return table.finished();
}

std::vector<FeatureTable> read_tables_by_set(const std::vector<fs::path>& paths) {
  std::map<std::string, std::size_t> places;  // by fingerprint
  std::vector<TableOfFiles> tables;
  for (const fs::path& path : paths) {
    std::vector<FeatureFile> parts = read_parts(path);
    const std::string set = fingerprint(parts.at(0).set);
    const auto [place, is_new] = places.try_emplace(set, tables.size());
    if (is_new) tables.emplace_back();
    tables[place->second].add(std::move(parts));
  }
  std::vector<FeatureTable> result;
  for (TableOfFiles& table : tables) result.push_back(table.finished());
  return result;
}

const float* MappedFeatures::clip(std::size_t index, std::uint64_t bytes) const {
  if (held_->fetch_add(bytes, std::memory_order_relaxed) > kHeldBytes) {
    held_->store(0, std::memory_order_relaxed);
    for (const MappedFile& file : files_) file.let_go();
  }
  return clips_[index];
}

std::uint64_t hash_of_clip(const FeatureTable& table, std::size_t index, std::uint64_t hash) {
  const auto add = [&](std::string_view bytes) { hash = fnv1a(bytes, hash); };
  const Utterance& clip = table.clips[index];
  add(fmt::format("{}|{}|{}|{}|{}|{}|{}", clip.corpus, clip.path, clip.speaker, clip.augmentation,
                  clip.emotion, clip.gender, clip.intensity));
  for (const auto& [emotion, votes] : clip.votes) add(fmt::format("{} {}", emotion, votes));
  table.for_each_part(index, [&](const auto& features) {
    add({reinterpret_cast<const char*>(features.data()),
         static_cast<std::size_t>(features.size()) * sizeof(float)});
  });
  return hash;
}

}  // namespace ser
