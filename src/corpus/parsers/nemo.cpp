#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr CodeTable<6> kEmotions = {{{"anger", "angry"},
                                     {"fear", "fearful"},
                                     {"happiness", "happy"},
                                     {"neutral", "neutral"},
                                     {"sadness", "sad"},
                                     {"surprised", "surprised"}}};
constexpr CodeTable<9> kGenders = {{{"EB0", "female"},
                                    {"IC0", "female"},
                                    {"KD0", "female"},
                                    {"KS0", "male"},
                                    {"MK0", "female"},
                                    {"MP0", "male"},
                                    {"SM0", "male"},
                                    {"TP0", "male"},
                                    {"WR0", "male"}}};

}  // namespace

// speaker_emotion_sentence, genders as in the corpus' table data.tsv (Christop 2024)
std::optional<Utterance> parse_nemo(const std::filesystem::path& path) {
  const std::vector<std::string> parts = split(path.stem().string(), '_');
  if (parts.size() != 3 || !is_number(parts[2], parts[2].size()) || parts[2].empty())
    return std::nullopt;
  const auto gender = meaning(kGenders, parts[0]);
  const auto emotion = meaning(kEmotions, parts[1]);
  if (!gender || !emotion) return std::nullopt;
  Utterance clip;
  clip.emotion = *emotion;
  clip.statement = parts[2];
  clip.speaker = parts[0];
  clip.gender = *gender;
  return clip;
}

}  // namespace ser
