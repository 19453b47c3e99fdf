#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr CodeTable<7> kEmotions = {{{"angry", "angry"},
                                     {"disgust", "disgust"},
                                     {"fear", "fearful"},
                                     {"happy", "happy"},
                                     {"neutral", "neutral"},
                                     {"ps", "surprised"},
                                     {"sad", "sad"}}};
// The older and the younger actress; one published file says OA.
constexpr CodeTable<3> kSpeakers = {{{"oaf", "OAF"}, {"oa", "OAF"}, {"yaf", "YAF"}}};

}  // namespace

// speaker_word_emotion (Pichora-Fuller and Dupuis 2020)
std::optional<Utterance> parse_tess(const std::filesystem::path& path) {
  const std::vector<std::string> parts = split(to_lower(path.stem().string()), '_');
  if (parts.size() != 3 || parts[1].empty()) return std::nullopt;
  const auto speaker = meaning(kSpeakers, parts[0]);
  const auto emotion = meaning(kEmotions, parts[2]);
  if (!speaker || !emotion) return std::nullopt;
  Utterance clip;
  clip.emotion = *emotion;
  clip.statement = parts[1];
  clip.speaker = *speaker;
  clip.gender = "female";
  return clip;
}

}  // namespace ser
