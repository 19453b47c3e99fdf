#include "corpus/parsers/parsers.h"
#include "ser/corpus/corpus.h"

namespace ser {

// happy/clip.wav: the nearest folder named after a known emotion, else the folder of the file.
std::optional<Utterance> parse_folders(const std::filesystem::path& path) {
  const std::filesystem::path folders = path.parent_path();
  if (folders.empty()) return std::nullopt;
  Utterance clip;
  clip.emotion = canonical_emotion(folders.filename().string());
  for (auto folder = folders; !folder.empty(); folder = folder.parent_path()) {
    const std::string emotion = canonical_emotion(folder.filename().string());
    const auto known = known_emotions();
    if (std::find(known.begin(), known.end(), emotion) == known.end()) continue;
    clip.emotion = emotion;
    break;
  }
  return clip;
}

}  // namespace ser
