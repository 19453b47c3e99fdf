#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <span>

#include "core/internal/json_io.h"
#include "corpus/clip_table.h"
#include "corpus/feature_file.h"
#include "ser/core/atomic_file.h"
#include "ser/core/csv.h"
#include "ser/core/error.h"
#include "ser/core/safetensors.h"
#include "ser/core/text.h"
#include "ser/corpus/feature_table.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

/// Clips [begin, end) of a writer, the content of one file.
struct Part {
  std::size_t begin = 0, end = 0;
};

std::string part_name(const fs::path& path, std::size_t index, std::size_t count) {
  return fmt::format("{}-{:05}-of-{:05}{}", path.stem().string(), index + 1, count, ".safetensors");
}

TensorSource whole_numbers(std::string name, std::span<const std::int64_t> numbers) {
  return {std::move(name), DType::kI64, {std::ssize(numbers)}, [numbers](AtomicFile& file) {
            file.write(std::as_bytes(numbers));
          }};
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
  Impl(fs::path file, const FeatureSet& features, std::uint64_t max_bytes,
       std::optional<ShardInfo> of_corpus)
      : path(std::move(file)),
        set(features),
        rows(row_names(features)),
        max_shard_bytes(is_streamed(path) ? std::numeric_limits<std::uint64_t>::max() : max_bytes),
        shard(std::move(of_corpus)),
        spool(path) {}

  std::uint64_t bytes_per_frame() const { return rows.size() * sizeof(float); }

  /// As few files as hold the clips in order, each within the limit or of one clip.
  std::vector<Part> parts() const {
    std::vector<Part> result(1);
    for (std::size_t i = 0; i < clips.size(); ++i) {
      const auto frames = static_cast<std::uint64_t>(offsets[i + 1] - offsets[result.back().begin]);
      if (frames * bytes_per_frame() > max_shard_bytes && result.back().begin < i)
        result.push_back({i, i});
      result.back().end = i + 1;
    }
    return result;
  }

  void write_part(const fs::path& file, const Part& part) {
    const std::int64_t first = offsets[part.begin], last = offsets[part.end];
    std::vector<std::int64_t> local;
    for (std::size_t i = part.begin; i <= part.end; ++i) local.push_back(offsets[i] - first);
    const std::vector<Utterance> members(clips.begin() + static_cast<std::ptrdiff_t>(part.begin),
                                         clips.begin() + static_cast<std::ptrdiff_t>(part.end));
    const auto byte = [&](std::int64_t frame) {
      return static_cast<std::uint64_t>(frame) * bytes_per_frame();
    };
    std::map<std::string, std::string> metadata = {{"format", std::string(kFeatureFormat)},
                                                   {"features", to_json(set)},
                                                   {"fingerprint", fingerprint(set)},
                                                   {"rows", Json(rows).dump()},
                                                   {"clips", clips_to_json(members)}};
    std::vector<TensorSource> tensors = {whole_numbers("offsets", local)};
    if (shard) {
      metadata["shard"] = to_json(*shard);
      tensors.push_back(
          whole_numbers("recordings", std::span(recordings).subspan(part.begin, members.size())));
    }
    tensors.push_back({"features",
                       DType::kF32,
                       {last - first, static_cast<std::int64_t>(rows.size())},
                       [&](AtomicFile& out) { spool.copy_to(out, byte(first), byte(last)); }});
    write_safetensors(file, metadata, tensors);
  }

  fs::path path;
  FeatureSet set;
  std::vector<std::string> rows;
  std::uint64_t max_shard_bytes;
  std::optional<ShardInfo> shard;  ///< of the corpus
  std::int64_t recording = 0;      ///< in the whole corpus, that is added
  SpoolFile spool;
  std::vector<Utterance> clips;
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::int64_t> recordings;  ///< of each clip; empty unless a shard
};

FeatureTableWriter::FeatureTableWriter(fs::path path, const FeatureSet& set,
                                       std::uint64_t max_shard_bytes,
                                       std::optional<ShardInfo> shard)
    : impl_(std::make_unique<Impl>(std::move(path), set, max_shard_bytes, std::move(shard))) {}
FeatureTableWriter::~FeatureTableWriter() = default;

void FeatureTableWriter::start_recording(std::size_t index) {
  if (impl_->shard) impl_->recording = impl_->shard->position(static_cast<std::int64_t>(index));
}

void FeatureTableWriter::add(const Utterance& clip, const Eigen::MatrixXf& features) {
  check_features(clip, features, impl_->rows);
  impl_->clips.push_back(clip);
  if (impl_->shard) impl_->recordings.push_back(impl_->recording);
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
  const std::vector<Part> parts = impl_->parts();
  if (parts.size() == 1) {
    impl_->write_part(path, parts.front());
    remove_twin(feature_index_path(path));
    return;
  }
  std::vector<std::string> names;
  for (const Part& part : parts) {
    names.push_back(part_name(path, names.size(), parts.size()));
    impl_->write_part(path.parent_path() / names.back(), part);
  }
  write_feature_index(feature_index_path(path), fingerprint(impl_->set), names);
  remove_twin(path);
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

FeatureCsvWriter::FeatureCsvWriter(const fs::path& path, const FeatureSet& set)
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
