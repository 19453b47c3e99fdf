#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/internal/json_io.h"
#include "corpus/clip_table.h"
#include "corpus/feature_file.h"
#include "ser/core/csv.h"
#include "ser/core/error.h"
#include "ser/core/safetensors.h"
#include "ser/core/text.h"
#include "ser/corpus/feature_table.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

/// Clips [begin, end) of a writer, the content of one file.
struct Shard {
  std::size_t begin = 0, end = 0;
};

std::string shard_name(const fs::path& path, std::size_t index, std::size_t count) {
  return fmt::format("{}-{:05}-of-{:05}{}", path.stem().string(), index + 1, count, ".safetensors");
}

/// A line of a CSV file without features: what is known of the clip.
std::string csv_labels(const Utterance& clip) {
  std::string line;
  for (const auto& [name, field] : kLabelFields) line += csv_cell(clip.*field) + ",";
  return line;
}

}  // namespace

void check_features(const Utterance& clip, const Eigen::MatrixXf& features,
                    const std::vector<std::string>& rows) {
  if (!is_utf8(clip.path)) throw Error(fmt::format("{}: expected a name in UTF-8", clip.path));
  if (features.rows() != static_cast<Eigen::Index>(rows.size()) || features.cols() == 0)
    throw Error(fmt::format("{}: expected {} features in at least one row, found {} in {}",
                            clip.path, rows.size(), features.rows(), features.cols()));
  if (features.allFinite()) return;
  for (Eigen::Index row = 0; row < features.rows(); ++row)
    if (!features.row(row).allFinite())
      throw Error(fmt::format("{}: feature {} is not finite", clip.path,
                              rows[static_cast<std::size_t>(row)]));
}

struct FeatureTableWriter::Impl {
  Impl(fs::path file, const FeatureSet& features, std::uint64_t max_bytes)
      : path(std::move(file)),
        set(features),
        rows(row_names(features)),
        max_shard_bytes(max_bytes),
        spool(path) {}

  std::uint64_t bytes_per_frame() const { return rows.size() * sizeof(float); }

  /// As few files as hold the clips in order, each within the limit or of one clip.
  std::vector<Shard> shards() const {
    std::vector<Shard> result(1);
    for (std::size_t i = 0; i < clips.size(); ++i) {
      const auto frames = static_cast<std::uint64_t>(offsets[i + 1] - offsets[result.back().begin]);
      if (frames * bytes_per_frame() > max_shard_bytes && result.back().begin < i)
        result.push_back({i, i});
      result.back().end = i + 1;
    }
    return result;
  }

  void write_shard(const fs::path& file, const Shard& shard) {
    const std::int64_t first = offsets[shard.begin], last = offsets[shard.end];
    std::vector<std::int64_t> local;
    for (std::size_t i = shard.begin; i <= shard.end; ++i) local.push_back(offsets[i] - first);
    const std::vector<Utterance> members(clips.begin() + static_cast<std::ptrdiff_t>(shard.begin),
                                         clips.begin() + static_cast<std::ptrdiff_t>(shard.end));
    const auto byte = [&](std::int64_t frame) {
      return static_cast<std::uint64_t>(frame) * bytes_per_frame();
    };
    write_safetensors(file,
                      {{"format", std::string(kFeatureFormat)},
                       {"features", to_json(set)},
                       {"fingerprint", fingerprint(set)},
                       {"rows", Json(rows).dump()},
                       {"clips", clips_to_json(members)}},
                      {{"offsets",
                        DType::kI64,
                        {static_cast<std::int64_t>(local.size())},
                        [&](AtomicFile& out) { out.write(std::as_bytes(std::span(local))); }},
                       {"features",
                        DType::kF32,
                        {last - first, static_cast<std::int64_t>(rows.size())},
                        [&](AtomicFile& out) { spool.copy_to(out, byte(first), byte(last)); }}});
  }

  void write_index(const std::vector<std::string>& names) const {
    const Json index = {
        {"format", kFeatureIndexFormat}, {"fingerprint", fingerprint(set)}, {"shards", names}};
    write_file(feature_index_path(path), index.dump(2) + "\n");
  }

  fs::path path;
  FeatureSet set;
  std::vector<std::string> rows;
  std::uint64_t max_shard_bytes;
  SpoolFile spool;
  std::vector<Utterance> clips;
  std::vector<std::int64_t> offsets = {0};
};

FeatureTableWriter::FeatureTableWriter(fs::path path, const FeatureSet& set,
                                       std::uint64_t max_shard_bytes)
    : impl_(std::make_unique<Impl>(std::move(path), set, max_shard_bytes)) {}
FeatureTableWriter::~FeatureTableWriter() = default;

void FeatureTableWriter::add(const Utterance& clip, const Eigen::MatrixXf& features) {
  check_features(clip, features, impl_->rows);
  impl_->clips.push_back(clip);
  impl_->offsets.push_back(impl_->offsets.back());
  append(features);
}

void FeatureTableWriter::append(const Eigen::MatrixXf& features) {
  check_features(impl_->clips.back(), features, impl_->rows);
  const std::span<const float> values(features.data(), static_cast<std::size_t>(features.size()));
  impl_->spool.append(std::as_bytes(values));
  impl_->offsets.back() += features.cols();
}

void FeatureTableWriter::finish() {
  const fs::path& path = impl_->path;
  if (impl_->clips.empty())
    throw Error(fmt::format("{}: expected clips to write, found none", path.string()));
  const std::vector<Shard> shards = impl_->shards();
  // A file and an index of the same name would be two answers to one question: one of them goes.
  if (shards.size() == 1) {
    impl_->write_shard(path, shards.front());
    fs::remove(feature_index_path(path));
    return;
  }
  std::vector<std::string> names;
  for (const Shard& shard : shards) {
    names.push_back(shard_name(path, names.size(), shards.size()));
    impl_->write_shard(path.parent_path() / names.back(), shard);
  }
  impl_->write_index(names);
  fs::remove(path);
}

struct FeatureCsvWriter::Impl {
  Impl(const fs::path& path, const FeatureSet& set) : rows(row_names(set)), file(path) {
    std::string header;
    for (const auto& [name, field] : kLabelFields) header += fmt::format("{},", name);
    header += "frame";
    for (const std::string& row : rows) header += "," + csv_cell(row);
    file.write(header + "\n");
  }

  std::vector<std::string> rows;
  AtomicFile file;
  Utterance clip = {};     ///< the one added last
  Eigen::Index frame = 0;  ///< its next frame
};

FeatureCsvWriter::FeatureCsvWriter(fs::path path, const FeatureSet& set)
    : impl_(std::make_unique<Impl>(path, set)) {}
FeatureCsvWriter::~FeatureCsvWriter() = default;

void FeatureCsvWriter::add(const Utterance& clip, const Eigen::MatrixXf& features) {
  check_features(clip, features, impl_->rows);
  impl_->clip = clip;
  impl_->frame = 0;
  append(features);
}

void FeatureCsvWriter::append(const Eigen::MatrixXf& features) {
  check_features(impl_->clip, features, impl_->rows);
  const std::string labels = csv_labels(impl_->clip);
  std::string lines;
  for (const auto& values : features.colwise()) {
    fmt::format_to(std::back_inserter(lines), "{}{}", labels, impl_->frame++);
    for (const float value : values) fmt::format_to(std::back_inserter(lines), ",{}", value);
    lines += '\n';
  }
  impl_->file.write(lines);
}

void FeatureCsvWriter::finish() { impl_->file.commit(); }

}  // namespace ser
