#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr CodeTable<7> kEmotions = {{{"dis", "disgust"},
                                     {"gio", "happy"},
                                     {"neu", "neutral"},
                                     {"pau", "fearful"},
                                     {"rab", "angry"},
                                     {"sor", "surprised"},
                                     {"tri", "sad"}}};
constexpr CodeTable<6> kGenders = {{{"f1", "female"},
                                    {"f2", "female"},
                                    {"f3", "female"},
                                    {"m1", "male"},
                                    {"m2", "male"},
                                    {"m3", "male"}}};

}  // namespace

// emotion-speaker-sentence: the emotion's first letters in Italian (Costantini et al. 2014)
std::optional<Utterance> parse_emovo(const std::filesystem::path& path) {
  const std::vector<std::string> parts = split(to_lower(path.stem().string()), '-');
  if (parts.size() != 3 || parts[2].size() != 2 || !is_number(parts[2].substr(1), 1))
    return std::nullopt;
  const auto emotion = meaning(kEmotions, parts[0]);
  const auto gender = meaning(kGenders, parts[1]);
  if (!emotion || !gender) return std::nullopt;
  Utterance clip;
  clip.emotion = *emotion;
  clip.statement = parts[2];
  clip.speaker = parts[1];
  clip.gender = *gender;
  return clip;
}

}  // namespace ser
