#include "corpus/extraction_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/internal/fail.h"
#include "corpus/clip_table.h"
#include "ser/core/text.h"

namespace ser {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFormat = "ser-extraction-2 ";

std::string_view bytes_of(const Eigen::MatrixXf& values) {
  return {reinterpret_cast<const char*>(values.data()),
          static_cast<std::size_t>(values.size()) * sizeof(float)};
}

}  // namespace

std::uint64_t stamp_of(const fs::path& recording) {
  std::error_code none;
  const auto changed = fs::last_write_time(recording, none).time_since_epoch().count();
  return fnv1a(fmt::format("{} {}", fs::file_size(recording, none), changed));
}

/// What stands before text and values. At a recording's end: its stamp in place of the text's
/// length, the hash of all that was kept of it in place of the number of frames.
struct ExtractionJournal::Record {
  enum Kind : std::uint64_t { kClip, kFrames, kEnd };
  std::uint64_t kind = kEnd;
  std::uint64_t text_bytes = 0;
  std::uint64_t frames = 0;

  std::string_view bytes() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
};

/// Reads a journal record by record.
class ExtractionJournal::Reader {
 public:
  Reader(const fs::path& path, std::size_t rows)
      : rows_(rows), file_(path, std::ios::binary), size_(file_ ? fs::file_size(path) : 0) {}

  std::string line() {
    std::string line;
    std::getline(file_, line);
    return line;
  }
  std::uint64_t position() { return static_cast<std::uint64_t>(file_.tellg()); }
  void go_to(std::uint64_t position) {
    file_.clear();
    file_.seekg(position);
  }
  /// False where the file ends before the record does.
  bool next() {
    text.clear();
    values.clear();
    return read(reinterpret_cast<char*>(&record), sizeof record) &&
           (record.kind == Record::kEnd ||
            (read(text, record.text_bytes) && record.frames < (std::uint64_t{1} << 40) / rows_ &&
             read(values, record.frames * rows_ * sizeof(float))));
  }

  Record record;
  std::string text, values;

 private:
  bool read(char* out, std::uint64_t bytes) {
    if (bytes > size_ - std::min(size_, position())) return false;
    return static_cast<bool>(file_.read(out, bytes));
  }
  bool read(std::string& out, std::uint64_t bytes) {
    if (bytes > size_ - std::min(size_, position())) return false;
    out.resize(bytes);
    return read(out.data(), bytes);
  }

  std::size_t rows_;
  std::ifstream file_;
  std::uint64_t size_;
};

ExtractionJournal::ExtractionJournal(fs::path path, const std::string& run, std::size_t rows,
                                     FeatureWriter& next)
    : path_(std::move(path)), rows_(rows), next_(next), lock_(path_), hash_(fnv1a("")) {
  const bool there = fs::exists(path_) && fs::file_size(path_) > 0;
  if (there) find_entries(run);
  file_.open(path_, std::ios::binary | std::ios::app);
  if (!there) file_ << kFormat << run << '\n' << std::flush;
  if (!file_) fail("{}: writing failed: {}", path_.string(), std::strerror(errno));
}

ExtractionJournal::~ExtractionJournal() = default;

/// Two runs that write one journal would keep recordings twice. A file system without locks has
/// none.
ExtractionJournal::Lock::Lock(const fs::path& path)
    : descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (descriptor < 0 || ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  ::close(descriptor);
  fail("{}: another extraction is writing it", path.string());
}

ExtractionJournal::Lock::~Lock() {
  if (descriptor >= 0) ::close(descriptor);
}

/// Finds the recordings that are kept whole, and cuts off what follows them.
void ExtractionJournal::find_entries(const std::string& run) {
  kept_ = std::make_unique<Reader>(path_, rows_);
  if (kept_->line() != std::string(kFormat) + run)
    fail(
        "{}: what is kept there is of another extraction: expected the recordings and options it "
        "was started with, or that file gone",
        path_.string());
  Entry entry{kept_->position(), 0, false};
  std::uint64_t hash = hash_;
  while (kept_->next()) {
    const Record& record = kept_->record;
    if (record.kind == Record::kEnd) {
      if (record.frames != hash) break;
      entry.stamp = record.text_bytes;
      entries_.push_back(entry);
      entry = {kept_->position(), 0, false};
      hash = hash_;
      continue;
    }
    entry.has_clips = true;
    for (const std::string_view bytes :
         {record.bytes(), std::string_view(kept_->text), std::string_view(kept_->values)})
      hash = fnv1a(bytes, hash);
  }
  fs::resize_file(path_, entry.position);
}

void ExtractionJournal::hand_on(std::size_t index) {
  kept_->go_to(entries_[index].position);
  while (kept_->next() && kept_->record.kind != Record::kEnd) {
    const Eigen::MatrixXf features = Eigen::Map<const Eigen::MatrixXf>(
        reinterpret_cast<const float*>(kept_->values.data()), static_cast<Eigen::Index>(rows_),
        static_cast<Eigen::Index>(kept_->record.frames));
    if (kept_->record.kind == Record::kClip)
      next_.add(clips_from_json(kept_->text).at(0), features);
    else
      next_.append(features);
  }
}

void ExtractionJournal::put(const Record& record, std::string_view text, std::string_view values) {
  for (const std::string_view bytes : {record.bytes(), text, values}) {
    file_.write(bytes.data(), bytes.size());
    hash_ = fnv1a(bytes, hash_);
  }
}

void ExtractionJournal::start_recording(std::size_t index) {
  next_.start_recording(index);
  writes_ = index >= size();
}

void ExtractionJournal::add(const Utterance& clip, const Eigen::MatrixXf& features) {
  next_.add(clip, features);
  if (!writes_) return;
  const std::string text = clips_to_json({clip});
  put({Record::kClip, text.size(), static_cast<std::uint64_t>(features.cols())}, text,
      bytes_of(features));
}

void ExtractionJournal::append(const Eigen::MatrixXf& features) {
  next_.append(features);
  if (!writes_) return;
  put({Record::kFrames, 0, static_cast<std::uint64_t>(features.cols())}, "", bytes_of(features));
}

void ExtractionJournal::end_recording() {
  next_.end_recording();
  if (!writes_) return;
  put({Record::kEnd, stamp_, hash_}, "", "");
  hash_ = fnv1a("");
  file_.flush();
  if (!file_) fail("{}: writing failed: {}", path_.string(), std::strerror(errno));
}

void ExtractionJournal::finish() {
  next_.finish();
  file_.close();
  fs::remove(path_);
}

}  // namespace ser
