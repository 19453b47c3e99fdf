#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr CodeTable<7> kEmotions = {{{"a", "angry"},
                                     {"d", "disgust"},
                                     {"f", "fearful"},
                                     {"h", "happy"},
                                     {"n", "neutral"},
                                     {"sa", "sad"},
                                     {"su", "surprised"}}};
constexpr CodeTable<4> kSpeakers = {{{"dc", "DC"}, {"je", "JE"}, {"jk", "JK"}, {"kl", "KL"}}};

}  // namespace

// DC_a01, or a01 in a folder DC: emotion and sentence of a male speaker (Haq and Jackson 2010)
std::optional<Utterance> parse_savee(const std::filesystem::path& path) {
  std::string code = to_lower(path.stem().string());
  std::string speaker = to_lower(path.parent_path().filename().string());
  if (const std::size_t bar = code.find('_'); bar != std::string::npos) {
    speaker = code.substr(0, bar);
    code.erase(0, bar + 1);
  }
  const auto known = meaning(kSpeakers, speaker);
  if (!known || code.size() < 3) return std::nullopt;
  const std::string sentence = code.substr(code.size() - 2);
  const auto emotion = meaning(kEmotions, code.substr(0, code.size() - 2));
  if (!emotion || !is_number(sentence, 2)) return std::nullopt;
  Utterance clip;
  clip.emotion = *emotion;
  clip.statement = sentence;
  clip.speaker = *known;
  clip.gender = "male";
  return clip;
}

}  // namespace ser
