#include <span>

#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {
namespace {

// Copies spell out what the original calls "ps".
constexpr CodeTable<11> kEmotions = {{{"angry", "angry"},
                                      {"disgust", "disgust"},
                                      {"fear", "fearful"},
                                      {"happy", "happy"},
                                      {"neutral", "neutral"},
                                      {"ps", "surprised"},
                                      {"sad", "sad"},
                                      {"surprise", "surprised"},
                                      {"surprised", "surprised"},
                                      {"pleasant_surprise", "surprised"},
                                      {"pleasant_surprised", "surprised"}}};
// The older and the younger actress; one published file says OA.
constexpr CodeTable<3> kSpeakers = {{{"oaf", "OAF"}, {"oa", "OAF"}, {"yaf", "YAF"}}};

}  // namespace

// speaker_word_emotion (Pichora-Fuller and Dupuis 2020)
std::optional<Utterance> parse_tess(const std::filesystem::path& path) {
  const std::vector<std::string> parts = split(to_lower(path.stem().string()), '_');
  if (parts.size() < 3 || parts[1].empty()) return std::nullopt;
  const auto speaker = meaning(kSpeakers, parts[0]);
  const auto emotion = meaning(kEmotions, join(std::span(parts).subspan(2), "_"));
  if (!speaker || !emotion) return std::nullopt;
  Utterance clip;
  clip.emotion = *emotion;
  clip.statement = parts[1];
  clip.speaker = *speaker;
  clip.gender = "female";
  return clip;
}

}  // namespace ser
