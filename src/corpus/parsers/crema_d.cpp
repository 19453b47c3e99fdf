#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr CodeTable<6> kEmotions = {{{"ANG", "angry"},
                                     {"DIS", "disgust"},
                                     {"FEA", "fearful"},
                                     {"HAP", "happy"},
                                     {"NEU", "neutral"},
                                     {"SAD", "sad"}}};
// One published file ends in a single X.
constexpr CodeTable<5> kIntensities = {
    {{"LO", "low"}, {"MD", "medium"}, {"HI", "high"}, {"XX", ""}, {"X", ""}}};

constexpr int kFirstActor = 1001, kLastActor = 1091;

// The corpus' table VideoDemographics.csv: 43 women, the other 48 actors are men.
constexpr std::array<int, 43> kFemaleActors = {
    1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025,
    1028, 1029, 1030, 1037, 1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060,
    1061, 1063, 1072, 1073, 1074, 1075, 1076, 1078, 1079, 1082, 1084, 1089, 1091};

}  // namespace

// actor_sentence_EMOTION_LEVEL (Cao et al. 2014)
std::optional<Utterance> parse_crema_d(const std::filesystem::path& path) {
  const std::vector<std::string> parts = split(path.stem().string(), '_');
  if (parts.size() != 4 || !is_number(parts[0], 4) || parts[1].size() != 3) return std::nullopt;
  const auto emotion = meaning(kEmotions, parts[2]);
  const auto intensity = meaning(kIntensities, parts[3]);
  const int actor = parse_int(parts[0], "actor");
  if (!emotion || !intensity || actor < kFirstActor || actor > kLastActor) return std::nullopt;
  Utterance clip;
  clip.emotion = *emotion;
  clip.intensity = *intensity;
  clip.statement = parts[1];
  clip.speaker = parts[0];
  clip.gender =
      std::binary_search(kFemaleActors.begin(), kFemaleActors.end(), actor) ? "female" : "male";
  return clip;
}

}  // namespace ser
