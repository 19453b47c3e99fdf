#include "corpus/parsers/parsers.h"

namespace ser {
namespace {

constexpr CodeTable<7> kEmotions = {{{"W", "angry"},
                                     {"L", "bored"},
                                     {"E", "disgust"},
                                     {"A", "fearful"},
                                     {"F", "happy"},
                                     {"T", "sad"},
                                     {"N", "neutral"}}};
constexpr CodeTable<10> kGenders = {{{"03", "male"},
                                     {"08", "female"},
                                     {"09", "female"},
                                     {"10", "male"},
                                     {"11", "male"},
                                     {"12", "male"},
                                     {"13", "female"},
                                     {"14", "female"},
                                     {"15", "male"},
                                     {"16", "female"}}};

}  // namespace

// 03a01Fa: speaker, sentence, emotion (first letter of its German name), version
// (Burkhardt et al. 2005)
std::optional<Utterance> parse_emodb(const std::filesystem::path& path) {
  const std::string name = path.stem().string();
  if (name.size() != 7 || (name[2] != 'a' && name[2] != 'b') || name[6] < 'a' || name[6] > 'z')
    return std::nullopt;
  const auto gender = meaning(kGenders, name.substr(0, 2));
  const auto emotion = meaning(kEmotions, name.substr(5, 1));
  if (!gender || !emotion || !is_number(name.substr(3, 2), 2)) return std::nullopt;
  Utterance clip;
  clip.emotion = *emotion;
  clip.statement = name.substr(2, 3);
  clip.repetition = name.substr(6);
  clip.speaker = name.substr(0, 2);
  clip.gender = *gender;
  return clip;
}

}  // namespace ser
