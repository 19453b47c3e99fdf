#include "corpus/extraction_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/internal/fail.h"
#include "corpus/clip_table.h"
#include "ser/core/text.h"

namespace ser {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kFormat = "ser-extraction-1 ";

std::string_view bytes_of(const Eigen::MatrixXf& values) {
  return {reinterpret_cast<const char*>(values.data()),
          static_cast<std::size_t>(values.size()) * sizeof(float)};
}

}  // namespace

/// What stands before text and values of an entry. At a recording's end: the hash of all that was
/// kept of it, in place of the number of frames.
struct ExtractionJournal::Record {
  enum Kind : std::uint64_t { kClip, kFrames, kEnd };
  std::uint64_t kind = kEnd;
  std::uint64_t text_bytes = 0;
  std::uint64_t frames = 0;

  std::string_view bytes() const { return {reinterpret_cast<const char*>(this), sizeof *this}; }
};

namespace {

/// Reads a journal entry by entry.
class Reader {
 public:
  explicit Reader(const fs::path& path)
      : file_(path, std::ios::binary), size_(file_ ? fs::file_size(path) : 0) {}

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
  /// False where the file ends before.
  bool read(char* out, std::uint64_t bytes) {
    if (bytes > size_ - std::min(size_, position())) return false;
    return static_cast<bool>(file_.read(out, bytes));
  }
  bool read(std::string& text, std::uint64_t bytes) {
    if (bytes > size_ - std::min(size_, position())) return false;
    text.resize(bytes);
    return read(text.data(), bytes);
  }

 private:
  std::ifstream file_;
  std::uint64_t size_;
};

}  // namespace

ExtractionJournal::ExtractionJournal(fs::path path, const std::string& run, std::size_t rows,
                                     FeatureWriter& next)
    : path_(std::move(path)), rows_(rows), next_(next), lock_(path_), hash_(fnv1a("")) {
  const bool there = fs::exists(path_) && fs::file_size(path_) > 0;
  if (there) replay(run);
  file_.open(path_, std::ios::binary | std::ios::app);
  if (!there) file_ << kFormat << run << '\n' << std::flush;
  if (!file_) fail("{}: writing failed: {}", path_.string(), std::strerror(errno));
}

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

/// Hands on the recordings that are whole, twice read: their clips are known to be good before the
/// first is handed on.
void ExtractionJournal::replay(const std::string& run) {
  Reader file(path_);
  if (file.line() != std::string(kFormat) + run)
    fail(
        "{}: what is kept there is of another extraction: expected the recordings and options it "
        "was started with, or that file gone",
        path_.string());
  Record record;
  std::string text, values;
  const auto next = [&] {
    return file.read(reinterpret_cast<char*>(&record), sizeof record) &&
           file.read(text, record.text_bytes) &&
           (record.kind == Record::kEnd ||
            (record.frames < (std::uint64_t{1} << 40) / rows_ &&
             file.read(values, record.frames * rows_ * sizeof(float))));
  };
  const std::uint64_t start = file.position();
  std::uint64_t good = start, hash = hash_;
  while (next()) {
    if (record.kind == Record::kEnd) {
      if (record.frames != hash) break;
      good = file.position();
      hash = hash_;
      continue;
    }
    for (const std::string_view bytes :
         {record.bytes(), std::string_view(text), std::string_view(values)})
      hash = fnv1a(bytes, hash);
  }
  file.go_to(start);
  next_.start_recording(0);
  while (file.position() < good && next()) {
    if (record.kind == Record::kEnd) {
      next_.end_recording();
      next_.start_recording(++kept_);
      continue;
    }
    const Eigen::MatrixXf features = Eigen::Map<const Eigen::MatrixXf>(
        reinterpret_cast<const float*>(values.data()), static_cast<Eigen::Index>(rows_),
        static_cast<Eigen::Index>(record.frames));
    if (record.kind == Record::kClip)
      next_.add(clips_from_json(text).at(0), features);
    else
      next_.append(features);
  }
  fs::resize_file(path_, good);
}

void ExtractionJournal::put(const Record& record, std::string_view text, std::string_view values) {
  for (const std::string_view bytes : {record.bytes(), text, values}) {
    file_.write(bytes.data(), bytes.size());
    hash_ = fnv1a(bytes, hash_);
  }
}

void ExtractionJournal::add(const Utterance& clip, const Eigen::MatrixXf& features) {
  next_.add(clip, features);
  const std::string text = clips_to_json({clip});
  put({Record::kClip, text.size(), static_cast<std::uint64_t>(features.cols())}, text,
      bytes_of(features));
}

void ExtractionJournal::append(const Eigen::MatrixXf& features) {
  next_.append(features);
  put({Record::kFrames, 0, static_cast<std::uint64_t>(features.cols())}, "", bytes_of(features));
}

void ExtractionJournal::end_recording() {
  next_.end_recording();
  put({Record::kEnd, 0, hash_}, "", "");
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
