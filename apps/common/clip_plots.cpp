#include "clip_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "outputs.h"
#include "progress.h"
#include "ser/audio/audio_file.h"
#include "ser/core/atomic_file.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/report/picture.h"
#include "talk.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

constexpr double kLongestS = 900;     ///< what a picture can still show
constexpr double kMostSamples = 6e6;  ///< what memory holds: 125 s at 48 kHz

double most_s(int sample_rate_hz) { return std::min(kLongestS, kMostSamples / sample_rate_hz); }

std::string title(const Utterance& clip, const Waveform& start) {
  std::vector<std::string> facts;
  for (const std::string& label : {clip.emotion, clip.gender})
    if (!label.empty()) facts.push_back(label);
  facts.push_back(fmt::format("{}{:.2f} s",
                              start.duration_s() > most_s(start.sample_rate_hz) ? "first " : "",
                              start.duration_s()));
  facts.push_back(fmt::format("{:g} kHz", start.sample_rate_hz / 1000.0));
  return fmt::format("{} ({})", clip.path, join(facts, ", "));
}

/// The path of a clip below another folder: it leaves that folder by no "..".
fs::path inside(const std::string& path) {
  fs::path result;
  for (const fs::path& part : fs::path(path).lexically_normal().relative_path())
    result /= part == ".." ? "up" : part;
  return result;
}

/// Where the pictures of each recording go, in the order of the kinds.
std::vector<std::vector<fs::path>> picture_files(const std::vector<Recording>& recordings,
                                                 const PlotOptions& options) {
  const char* suffix = options.plot_format == report::PictureFormat::kSvg ? "svg" : "png";
  std::set<fs::path> taken;
  std::vector<std::vector<fs::path>> files;
  for (const Recording& recording : recordings) {
    std::vector<fs::path>& of_clip = files.emplace_back();
    for (const std::string& kind : options.pictures) {
      const fs::path clip = fs::path(options.plot) / inside(recording.utterance.path);
      of_clip.push_back(clip.parent_path() / fitting_name(clip.filename().string(),
                                                          fmt::format(".{}.{}", kind, suffix)));
      check_kind({"--plot", of_clip.back().string(), FileKind::kPicture});
      if (!taken.insert(of_clip.back()).second)
        fail("{}: the picture of two inputs", of_clip.back().string());
    }
  }
  return files;
}

void write_picture(const fs::path& file, const std::string& bytes) {
  std::error_code failure;
  fs::create_directories(file.parent_path(), failure);
  if (failure) fail("{}: cannot be made: {}", file.parent_path().string(), failure.message());
  write_file(file, bytes);
}

/// The pictures of a recording as bytes, or why it has none.
struct Drawn {
  std::vector<std::string> pictures;
  std::string failure;
};

Drawn draw_recording(const Recording& recording, const FeatureSet& set, const PlotOptions& options,
                     OnError on_error) {
  std::vector<report::Picture> pictures;
  try {
    AudioReader reader(recording.file);
    const Waveform start = read_start(reader, most_s(reader.sample_rate_hz()));
    pictures = with_context(recording.file, [&] {
      return report::clip_pictures(start, set, title(recording.utterance, start), options.pictures);
    });
  } catch (const Error& error) {
    if (on_error == OnError::kFail) throw;
    return {{}, error.what()};
  }
  Drawn drawn;
  for (const report::Picture& picture : pictures)
    drawn.pictures.push_back(report::draw(picture, options.plot_format));
  return drawn;
}

}  // namespace

void PlotOptions::visit(FieldVisitor& v) {
  v.field("plot", plot, "Folder for pictures of each recording, drawn by gnuplot");
  v.field("pictures", pictures,
          fmt::format("{} (default: sheet, all on one page)",
                      fmt::join(report::picture_kinds(), ", ")));
  v.choice("plot_format", plot_format,
           {{"svg", report::PictureFormat::kSvg}, {"png", report::PictureFormat::kPng}},
           "Format of the pictures");
}

void check_pictures(const PlotOptions& options) {
  from_flag("--pictures", [&] { report::check_picture_kinds(options.pictures); });
}

std::size_t plot_recordings(const std::vector<Recording>& recordings, const FeatureSet& set,
                            const PlotOptions& options, OnError on_error,
                            const CommonOptions& common) {
  report::check_drawing();
  const std::vector<std::vector<fs::path>> files = picture_files(recordings, options);
  Progress progress("drawing", "clips", recordings.size(), common.quiet);
  std::vector<Drawn> slots(pipeline_slots(common.threads));
  std::size_t written = 0;
  const auto produce = [&](std::size_t i, std::size_t slot) {
    slots[slot] = draw_recording(recordings[i], set, options, on_error);
  };
  const auto consume = [&](std::size_t i, std::size_t slot) {
    const Drawn& drawn = slots[slot];
    if (!drawn.failure.empty()) talk::warn("skipped {}", drawn.failure);
    for (std::size_t k = 0; k < drawn.pictures.size(); ++k)
      write_picture(files[i][k], drawn.pictures[k]);
    written += drawn.pictures.size();
    progress.advance(1);
  };
  parallel_pipeline(recordings.size(), common.threads, produce, consume);
  if (written == 0) fail("expected recordings to draw, found none that can be read");
  return written;
}

}  // namespace ser
