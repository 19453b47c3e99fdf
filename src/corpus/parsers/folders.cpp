#include <array>
#include <map>
#include <set>

#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"

namespace ser {
namespace {

/// Folders that divide recordings, but not by speaker.
constexpr std::array<std::string_view, 11> kDivisions = {
    "train",      "training", "test", "testing",    "val",    "valid",
    "validation", "dev",      "eval", "evaluation", "holdout"};

bool is_known(const std::string& emotion) {
  const auto known = known_emotions();
  return std::find(known.begin(), known.end(), emotion) != known.end();
}

bool is_division(const std::string& folder) {
  const std::string lower = to_lower(folder);
  return std::find(kDivisions.begin(), kDivisions.end(), lower) != kDivisions.end();
}

}  // namespace

// happy/clip.wav: the nearest folder named after a known emotion, else the folder of the file. The
// folder above it or, of a known emotion, below it may be a speaker: anna/happy/clip.wav,
// happy/anna/clip.wav.
std::optional<Utterance> parse_folders(const std::filesystem::path& path) {
  const std::filesystem::path folders = path.parent_path();
  if (folders.empty()) return std::nullopt;
  Utterance clip;
  clip.emotion = canonical_emotion(folders.filename().string());
  clip.speaker = folders.parent_path().filename().string();
  std::filesystem::path below;
  for (auto folder = folders; !folder.empty(); folder = folder.parent_path()) {
    const std::string emotion = canonical_emotion(folder.filename().string());
    if (is_known(emotion)) {
      clip.emotion = emotion;
      const bool above = below.empty() || is_division(below.filename().string());
      clip.speaker = (above ? folder.parent_path() : below).filename().string();
      break;
    }
    below = folder;
  }
  return clip;
}

void keep_plausible_speakers(std::vector<Utterance>& clips) {
  std::map<std::string, std::set<std::string>> emotions;
  for (const Utterance& clip : clips)
    if (!clip.speaker.empty()) emotions[clip.speaker].insert(clip.emotion);
  const auto in_several = std::count_if(emotions.begin(), emotions.end(),
                                        [](const auto& entry) { return entry.second.size() > 1; });
  const bool divided = std::any_of(emotions.begin(), emotions.end(),
                                   [](const auto& entry) { return is_division(entry.first); });
  if (in_several > 1 && !divided) return;
  for (Utterance& clip : clips) clip.speaker.clear();
}

}  // namespace ser
