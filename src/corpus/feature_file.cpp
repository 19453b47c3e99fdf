#include "corpus/feature_file.h"

#include <array>
#include <cstring>
#include <set>
#include <utility>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "corpus/clip_table.h"
#include "ser/core/file_kind.h"
#include "ser/core/safetensors.h"
#include "ser/features/feature_set.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxIndexBytes = 16u << 20;

std::vector<std::string> text_list(std::string_view json, std::string_view what) {
  const Json list = parse_json(json, what);
  std::vector<std::string> items;
  for (const Json& item : list) {
    if (!list.is_array() || !item.is_string()) fail("{}: expected a list of names", what);
    items.push_back(item.get<std::string>());
  }
  return items;
}

std::vector<std::int64_t> whole_numbers(const SafetensorsFile& file, const std::string& name) {
  const auto& tensor = file.tensor(name, DType::kI64, 1);
  std::vector<std::int64_t> numbers(tensor.bytes.size() / sizeof(std::int64_t));
  if (!numbers.empty())
    std::memcpy(numbers.data(), tensor.bytes.data(), numbers.size() * sizeof(std::int64_t));
  return numbers;
}

/// Throws Error unless the offsets rise from 0 to `frames`, one more than there are clips.
std::vector<std::int64_t> read_offsets(const SafetensorsFile& file, std::size_t clips,
                                       std::int64_t frames) {
  std::vector<std::int64_t> offsets = whole_numbers(file, "offsets");
  if (offsets.size() != clips + 1)
    fail("expected {} offsets for {} clips, found {}", clips + 1, clips, offsets.size());
  if (offsets.front() != 0 || offsets.back() != frames)
    fail("expected offsets from 0 to {} rows, found {} to {}", frames, offsets.front(),
         offsets.back());
  for (std::size_t i = 1; i < offsets.size(); ++i)
    if (offsets[i] <= offsets[i - 1])
      fail("clip {}: expected at least one row, found {} to {}", i - 1, offsets[i - 1], offsets[i]);
  return offsets;
}

ShardInfo shard_from_json(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kKeys = {"number", "of",     "recordings",
                                                            "corpus", "copies", "command"};
  const Json json = parse_json(text, "shard");
  check_keys(json, kKeys, "shard");
  const std::uint64_t number = count_at(json, "number"), of = count_at(json, "of");
  if (number < 1 || number > of || of > kMostShards)
    fail("shard: impossible number {}/{}", number, of);
  return {static_cast<int>(number),
          static_cast<int>(of),
          static_cast<std::int64_t>(count_at(json, "recordings")),
          text_at(json, "corpus"),
          text_at(json, "copies"),
          text_at(json, "command")};
}

/// The recordings of a shard's clips. Throws Error unless they rise and are its own.
std::vector<std::int64_t> read_recordings(const SafetensorsFile& file, const ShardInfo& shard,
                                          std::size_t clips) {
  std::vector<std::int64_t> recordings = whole_numbers(file, "recordings");
  if (recordings.size() != clips)
    fail("expected the recording of each of {} clips, found {}", clips, recordings.size());
  std::int64_t last = 0;
  for (const std::int64_t recording : recordings) {
    if (recording < last || recording >= shard.recordings ||
        (recording - (shard.number - 1)) % shard.of != 0)
      fail("recordings: expected those of shard {}/{}, rising, found {}", shard.number, shard.of,
           recording);
    last = recording;
  }
  return recordings;
}

FeatureFile read_parts(const SafetensorsFile& file) {
  if (const std::string& format = file.metadata("format"); format != kFeatureFormat)
    fail("expected format '{}', found '{}'", kFeatureFormat, format);
  FeatureFile part;
  with_context("features", [&] { from_json(file.metadata("features"), part.set); });
  if (const std::string expected = fingerprint(part.set), found = file.metadata("fingerprint");
      found != expected) {
    const std::string flags = describe(part.set);
    fail(
        "fingerprint: expected {} for its feature options, found {}: made by another version of "
        "ser; extract the recordings again: ser-extract INPUT {}-o FILE",
        expected, found, flags.starts_with("--") ? flags + ' ' : "");
  }
  part.rows = text_list(file.metadata("rows"), "rows");
  part.clips = clips_from_json(file.metadata("clips"));
  const auto& features = file.tensor("features", DType::kF32, 2);
  if (part.rows.empty() || features.shape[1] != static_cast<std::int64_t>(part.rows.size()))
    fail("expected {} features a row as in the list of names, found {}", part.rows.size(),
         features.shape[1]);
  part.offsets = read_offsets(file, part.clips.size(), features.shape[0]);
  part.values = reinterpret_cast<const float*>(features.bytes.data());
  if (file.metadata().contains("shard")) {
    part.shard = shard_from_json(file.metadata("shard"));
    part.recordings = read_recordings(file, *part.shard, part.clips.size());
  }
  return part;
}

/// Files named by an index, all of them in its folder.
std::vector<fs::path> read_index(const fs::path& path) {
  const std::string text = read_file(path, kMaxIndexBytes);
  return with_context(path.string(), [&] {
    static constexpr std::array<std::string_view, 3> kKeys = {"format", "fingerprint", "shards"};
    const Json index = parse_json(text, "index");
    const Json format = index.is_object() ? index.value("format", Json()) : Json();
    if (format != kFeatureIndexFormat)
      fail("expected features, or an index of them (format '{}'), found {}", kFeatureIndexFormat,
           format.is_string() ? "format '" + format.get<std::string>() + "'" : "other JSON");
    check_keys(index, kKeys, "index");
    std::vector<fs::path> files;
    std::set<std::string> names;
    for (const std::string& name : text_list(dump_text(index.value("shards", Json())), "shards")) {
      if (name.find('/') != std::string::npos || !name.ends_with(".safetensors"))
        fail("expected names of .safetensors files beside it, found '{}'", name);
      if (!names.insert(name).second) fail("expected each shard once, found '{}' twice", name);
      files.push_back(path.parent_path() / name);
    }
    if (files.empty()) fail("expected shards, found none");
    return files;
  });
}

}  // namespace

std::string to_json(const ShardInfo& shard) {
  return dump_text(Json{{"number", shard.number},
                        {"of", shard.of},
                        {"recordings", shard.recordings},
                        {"corpus", shard.corpus},
                        {"copies", shard.copies},
                        {"command", shard.command}});
}

FeatureFile read_feature_file(const fs::path& path) {
  SafetensorsFile file(path);
  FeatureFile part = with_context(path.string(), [&] { return read_parts(file); });
  part.path = path;
  part.file = std::move(file).take_file();
  return part;
}

fs::path feature_index_path(const fs::path& path) { return path.string() + ".index.json"; }

std::vector<fs::path> feature_files(const fs::path& path) {
  if (!begins_like(FileKind::kFeatureIndex, head_of(path))) expect_kind(path, FileKind::kFeatures);
  if (path.extension() == ".json") return read_index(path);
  std::error_code error;  // is told when the file is opened
  if (fs::is_directory(path, error))
    fail("{}: expected a feature file, found a folder; of recordings, ser-extract makes one",
         path.string());
  if (!fs::exists(path, error) && fs::exists(feature_index_path(path), error))
    return read_index(feature_index_path(path));
  return {path};
}

void remove_twin(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  // A name that is too long is nobody's.
  if (error && error != std::errc::filename_too_long)
    fail("{}: cannot be removed: {}", path.string(), error.message());
}

void write_feature_index(const fs::path& index, const std::string& fingerprint,
                         const std::vector<std::string>& names) {
  const Json json = {
      {"format", kFeatureIndexFormat}, {"fingerprint", fingerprint}, {"shards", names}};
  write_file(index, dump_text(json, 2) + "\n");
}

}  // namespace ser
