#include <fmt/format.h>

#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <span>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "corpus/clip_table.h"
#include "corpus/feature_file.h"
#include "ser/core/csv.h"
#include "ser/core/safetensors.h"
#include "ser/core/text.h"
#include "ser/corpus/feature_table.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

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

void check_features(const std::string& clip, const Eigen::MatrixXf& features,
                    const std::vector<std::string>& rows) {
  if (!is_utf8(clip)) fail("{}: expected a name in UTF-8", clip);
  if (features.rows() != static_cast<Eigen::Index>(rows.size()) || features.cols() == 0)
    fail("{}: expected {} features in at least one row, found {} in {}", clip, rows.size(),
         features.rows(), features.cols());
  if (features.allFinite()) return;
  for (Eigen::Index row = 0; row < features.rows(); ++row)
    if (!features.row(row).allFinite()) fail("{}: feature {} is not finite", clip, rows[row]);
}

FeatureTableWriter::FeatureTableWriter(fs::path path, const FeatureSet& set,
                                       std::uint64_t max_shard_bytes,
                                       std::optional<ShardInfo> shard)
    : path_(std::move(path)),
      set_(set),
      rows_(row_names(set)),
      max_shard_bytes_(is_streamed(path_) ? std::numeric_limits<std::uint64_t>::max()
                                          : max_shard_bytes),
      shard_(std::move(shard)),
      spool_(path_),
      clips_(path_) {}

/// As few files as hold the clips in order, each within the limit or of one clip.
std::vector<FeatureTableWriter::Part> FeatureTableWriter::parts() const {
  std::vector<Part> result(1);
  for (std::size_t i = 0; i + 1 < offsets_.size(); ++i) {
    const std::uint64_t frames = offsets_[i + 1] - offsets_[result.back().begin];
    if (frames * rows_.size() * sizeof(float) > max_shard_bytes_ && result.back().begin < i)
      result.push_back({i, i});
    result.back().end = i + 1;
  }
  return result;
}

void FeatureTableWriter::write_part(const fs::path& file, const Part& part) {
  const std::int64_t first = offsets_[part.begin], last = offsets_[part.end];
  std::vector<std::int64_t> local;
  for (std::size_t i = part.begin; i <= part.end; ++i) local.push_back(offsets_[i] - first);
  const auto byte = [&](std::int64_t frame) {
    return static_cast<std::uint64_t>(frame) * rows_.size() * sizeof(float);
  };
  std::map<std::string, std::string> metadata = {{"format", std::string(kFeatureFormat)},
                                                 {"features", to_json(set_)},
                                                 {"fingerprint", fingerprint(set_)},
                                                 {"rows", dump_text(rows_)},
                                                 {"clips", clips_of(part)}};
  std::vector<TensorSource> tensors = {whole_numbers("offsets", local)};
  if (shard_) {
    metadata["shard"] = to_json(*shard_);
    tensors.push_back(whole_numbers(
        "recordings", std::span(recordings_).subspan(part.begin, part.end - part.begin)));
  }
  tensors.push_back({"features",
                     DType::kF32,
                     {last - first, static_cast<std::int64_t>(rows_.size())},
                     [&](AtomicFile& out) { spool_.copy_to(out, byte(first), byte(last)); }});
  write_safetensors(file, metadata, tensors);
}

std::string FeatureTableWriter::clips_of(const Part& part) {
  if (part.begin == part.end) return "[]";
  const std::uint64_t begin = clip_begins_[part.begin], end = clip_begins_[part.end];
  std::string text(1 + end - begin, '[');
  clips_.read_at(begin, std::as_writable_bytes(std::span(text).subspan(1)));
  text.back() = ']';
  return text;
}

void FeatureTableWriter::start_recording(std::size_t index) {
  if (shard_) recording_ = shard_->position(index);
}

void FeatureTableWriter::add(const Utterance& clip, const Eigen::MatrixXf& features) {
  check_features(clip.path, features, rows_);
  last_ = clip.path;
  std::string text = clips_to_json({clip});  // a list; here without its brackets
  text.back() = ',';
  clips_.append(std::as_bytes(std::span(text).subspan(1)));
  clip_begins_.push_back(clips_.size());
  if (shard_) recordings_.push_back(recording_);
  offsets_.push_back(offsets_.back());
  append(features);
}

void FeatureTableWriter::append(const Eigen::MatrixXf& features) {
  check_features(last_, features, rows_);
  const std::span<const float> values(features.data(), features.size());
  spool_.append(std::as_bytes(values));
  offsets_.back() += features.cols();
}

void FeatureTableWriter::finish() {
  if (offsets_.size() == 1 && !shard_)
    fail("{}: expected clips to write, found none", path_.string());
  const std::vector<Part> files = parts();
  if (files.size() == 1) {
    write_part(path_, files.front());
    remove_twin(feature_index_path(path_));
    return;
  }
  std::vector<std::string> names;
  for (const Part& part : files) {
    names.push_back(fmt::format("{}-{:05}-of-{:05}.safetensors", path_.stem().string(),
                                names.size() + 1, files.size()));
    write_part(path_.parent_path() / names.back(), part);
  }
  write_feature_index(feature_index_path(path_), fingerprint(set_), names);
  remove_twin(path_);
}

FeatureCsvWriter::FeatureCsvWriter(const fs::path& path, const FeatureSet& set)
    : rows_(row_names(set)), file_(path) {
  std::string header;
  for (const auto& [name, field] : kLabelFields) header += fmt::format("{},", name);
  header += "frame";
  for (const std::string& row : rows_) header += "," + csv_cell(row);
  file_.write(header + "\n");
}

void FeatureCsvWriter::add(const Utterance& clip, const Eigen::MatrixXf& features) {
  check_features(clip.path, features, rows_);
  clip_ = clip;
  frame_ = 0;
  append(features);
}

void FeatureCsvWriter::append(const Eigen::MatrixXf& features) {
  check_features(clip_.path, features, rows_);
  const std::string labels = csv_labels(clip_);
  std::string lines;
  for (const auto& values : features.colwise()) {
    fmt::format_to(std::back_inserter(lines), "{}{}", labels, frame_++);
    for (const float value : values) fmt::format_to(std::back_inserter(lines), ",{}", value);
    lines += '\n';
  }
  file_.write(lines);
}

}  // namespace ser
