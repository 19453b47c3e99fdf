#include "ser/corpus/feature_table.h"

#include <fmt/format.h>

#include <cstring>

#include "core/internal/json_io.h"
#include "corpus/clip_table.h"
#include "corpus/feature_file.h"
#include "ser/core/error.h"
#include "ser/core/safetensors.h"
#include "ser/features/describe.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxIndexBytes = 16u << 20;

std::vector<std::string> text_list(std::string_view json, std::string_view what) {
  const Json list = parse_json(json, what);
  std::vector<std::string> items;
  for (const Json& item : list) {
    if (!list.is_array() || !item.is_string())
      throw Error(fmt::format("{}: expected a list of names", what));
    items.push_back(item.get<std::string>());
  }
  return items;
}

/// Throws Error unless the offsets rise from 0 to `frames`, one more than there are clips.
std::vector<std::int64_t> read_offsets(const SafetensorsFile& file, std::size_t clips,
                                       std::int64_t frames) {
  const auto& tensor = file.tensor("offsets", DType::kI64, 1);
  std::vector<std::int64_t> offsets(tensor.bytes.size() / sizeof(std::int64_t));
  std::memcpy(offsets.data(), tensor.bytes.data(), tensor.bytes.size());
  if (offsets.size() != clips + 1)
    throw Error(fmt::format("expected {} offsets for {} clips, found {}", clips + 1, clips,
                            offsets.size()));
  if (offsets.front() != 0 || offsets.back() != frames)
    throw Error(fmt::format("expected offsets from 0 to {} rows, found {} to {}", frames,
                            offsets.front(), offsets.back()));
  for (std::size_t i = 1; i < offsets.size(); ++i)
    if (offsets[i] <= offsets[i - 1])
      throw Error(fmt::format("clip {}: expected at least one row, found {} to {}", i - 1,
                              offsets[i - 1], offsets[i]));
  return offsets;
}

/// Metadata and offsets of one file; `values` stays empty.
FeatureTable read_header(const SafetensorsFile& file) {
  if (const std::string& format = file.metadata("format"); format != kFeatureFormat)
    throw Error(fmt::format("expected format '{}', found '{}'", kFeatureFormat, format));
  FeatureTable table;
  with_context("features", [&] { from_json(file.metadata("features"), table.set); });
  if (const std::string expected = fingerprint(table.set); file.metadata("fingerprint") != expected)
    throw Error(fmt::format("fingerprint: expected {} for its feature options, found {}", expected,
                            file.metadata("fingerprint")));
  table.rows = text_list(file.metadata("rows"), "rows");
  table.clips = clips_from_json(file.metadata("clips"));
  const auto& features = file.tensor("features", DType::kF32, 2);
  if (table.rows.empty() || features.shape[1] != static_cast<std::int64_t>(table.rows.size()))
    throw Error(fmt::format("expected {} features a row as in the list of names, found {}",
                            table.rows.size(), features.shape[1]));
  table.offsets = read_offsets(file, table.clips.size(), features.shape[0]);
  return table;
}

/// A row of the file is a column of the table, so the bytes agree.
void copy_values(const SafetensorsFile& file, Eigen::Ref<Eigen::MatrixXf> values) {
  const auto& tensor = file.tensor("features", DType::kF32, 2);
  if (!tensor.bytes.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  if (!values.allFinite()) throw Error("expected finite features, found NaN or infinity");
}

/// One table of several files with the same features, one after the other.
FeatureTable read_files(const std::vector<fs::path>& paths) {
  FeatureTable table;
  std::vector<SafetensorsFile> files;
  std::int64_t frames = 0;
  for (const fs::path& path : paths) {
    const SafetensorsFile& file = files.emplace_back(path);
    FeatureTable part = with_context(path.string(), [&] { return read_header(file); });
    for (std::int64_t& offset : part.offsets) offset += frames;
    frames = part.offsets.back();
    if (files.size() == 1) {
      table = std::move(part);
      continue;
    }
    if (fingerprint(part.set) != fingerprint(table.set) || part.rows != table.rows)
      throw Error(fmt::format("{}: expected the features of {} ({}), found {}", path.string(),
                              paths.front().string(), describe(table.set), describe(part.set)));
    table.clips.insert(table.clips.end(), part.clips.begin(), part.clips.end());
    table.offsets.insert(table.offsets.end(), part.offsets.begin() + 1, part.offsets.end());
  }
  table.values.resize(static_cast<Eigen::Index>(table.rows.size()), frames);
  Eigen::Index begin = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Eigen::Index size = files[i].tensor("features", DType::kF32, 2).shape[0];
    with_context(paths[i].string(),
                 [&] { copy_values(files[i], table.values.middleCols(begin, size)); });
    begin += size;
  }
  return table;
}

/// Files named by an index, all of them in its folder.
std::vector<fs::path> read_index(const fs::path& path) {
  return with_context(path.string(), [&] {
    static constexpr std::array<std::string_view, 3> kKeys = {"format", "fingerprint", "shards"};
    const Json index = parse_json(read_file(path, kMaxIndexBytes), "index");
    check_keys(index, kKeys, "index");
    if (index.value("format", Json()) != kFeatureIndexFormat)
      throw Error(fmt::format("expected format '{}'", kFeatureIndexFormat));
    std::vector<fs::path> files;
    for (const std::string& name : text_list(index.value("shards", Json()).dump(), "shards")) {
      if (name.find('/') != std::string::npos || !name.ends_with(".safetensors"))
        throw Error(
            fmt::format("expected names of .safetensors files beside it, found '{}'", name));
      files.push_back(path.parent_path() / name);
    }
    if (files.empty()) throw Error("expected shards, found none");
    return files;
  });
}

/// The file itself, or the shards where it is, or has beside it, an index.
std::vector<fs::path> files_of(const fs::path& path) {
  if (path.extension() == ".json") return read_index(path);
  if (!fs::exists(path) && fs::exists(feature_index_path(path)))
    return read_index(feature_index_path(path));
  return {path};
}

}  // namespace

fs::path feature_index_path(const fs::path& path) { return path.string() + ".index.json"; }

FeatureTable read_feature_table(const fs::path& path) { return read_feature_tables({path}); }

FeatureTable read_feature_tables(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    const std::vector<fs::path> found = files_of(path);
    files.insert(files.end(), found.begin(), found.end());
  }
  return read_files(files);
}

}  // namespace ser
