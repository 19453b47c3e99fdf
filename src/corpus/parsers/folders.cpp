#include <array>
#include <map>
#include <set>

#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"

namespace ser {
namespace {

/// Folders that divide recordings, but not by speaker.
constexpr std::array<std::string_view, 25> kDivisions = {
    "train", "training", "test",       "testing", "val",  "valid",  "validation",
    "dev",   "eval",     "evaluation", "holdout", "low",  "medium", "mid",
    "high",  "weak",     "normal",     "strong",  "male", "female", "men",
    "women", "speech",   "song",       "audio"};

/// Words that divide with a number behind: level_1, session2.
constexpr std::array<std::string_view, 8> kNumbered = {"level", "session", "sess",  "ses",
                                                       "take",  "part",    "batch", "fold"};

bool is_usual(const std::string& emotion) {
  return !emotion.empty() && unusual_emotions({emotion}).empty();
}

bool is_division(const std::string& folder) {
  const std::string lower = to_lower(folder);
  const std::string_view word =
      std::string_view(lower).substr(0, lower.find_last_not_of("0123456789_- ") + 1);
  return std::ranges::find(kDivisions, lower) != kDivisions.end() ||
         (word.size() < lower.size() && std::ranges::find(kNumbered, word) != kNumbered.end());
}

/// The last folder of the path that may be a speaker's.
std::string speaker_of(std::filesystem::path path) {
  while (is_division(path.filename().string())) path = path.parent_path();
  return path.filename().string();
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
  clip.speaker = speaker_of(folders.parent_path());
  std::filesystem::path below;
  for (auto folder = folders; !folder.empty(); folder = folder.parent_path()) {
    const std::string emotion = canonical_emotion(folder.filename().string());
    if (is_usual(emotion)) {
      clip.emotion = emotion;
      const bool above = below.empty() || is_division(below.filename().string());
      clip.speaker = above ? speaker_of(folder.parent_path()) : below.filename().string();
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
