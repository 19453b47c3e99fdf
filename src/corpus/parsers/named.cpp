#include <algorithm>
#include <array>
#include <span>

#include "corpus/parsers/parsers.h"

namespace ser {
namespace {

/// The number a two-digit field spells, or 0 if it is none of 1 ... max.
int field(std::string_view text, int max) {
  if (!is_number(text, 2)) return 0;
  const int value = (text[0] - '0') * 10 + (text[1] - '0');
  return value <= max ? value : 0;
}

/// True for letters followed by one to three digits.
bool is_numbered(std::string_view text, std::size_t letters) {
  return text.size() > letters && text.size() <= letters + 3 &&
         is_number(text.substr(letters), text.size() - letters);
}

Utterance labelled(std::string_view emotion, std::string_view gender, std::string_view speaker) {
  Utterance clip;
  clip.emotion = emotion;
  clip.gender = gender;
  clip.speaker = speaker;
  return clip;
}

/// The same from the words of a name; nothing for words that mean nothing.
std::optional<Utterance> labelled_by(std::string_view emotions, std::string_view emotion,
                                     std::string_view genders, std::string_view gender,
                                     std::string_view speaker) {
  const auto meant_emotion = meaning(emotions, emotion);
  const auto meant_gender = meaning(genders, gender);
  if (!meant_emotion || !meant_gender) return std::nullopt;
  return labelled(*meant_emotion, *meant_gender, speaker);
}

}  // namespace

// modality-channel-emotion-intensity-statement-repetition-actor (Livingstone and Russo 2018)
std::optional<Utterance> parse_ravdess(const std::filesystem::path& path) {
  constexpr std::array<const char*, 8> kEmotions = {"neutral", "calm",    "happy",   "sad",
                                                    "angry",   "fearful", "disgust", "surprised"};
  constexpr std::array<int, 7> kLargest = {3, 2, 8, 2, 2, 2, 24};
  const std::vector<std::string> parts = split(path.stem().string(), '-');
  if (parts.size() != kLargest.size()) return std::nullopt;
  std::array<int, kLargest.size()> fields{};
  for (std::size_t i = 0; i < fields.size(); ++i)
    if ((fields[i] = field(parts[i], kLargest[i])) == 0) return std::nullopt;
  const auto [modality, channel, emotion, intensity, statement, repetition, actor] = fields;
  Utterance clip = labelled(kEmotions[emotion - 1], actor % 2 == 1 ? "male" : "female", parts[6]);
  clip.intensity = intensity == 1 ? "normal" : "strong";
  clip.statement = parts[4];
  clip.repetition = parts[5];
  clip.channel = channel == 1 ? "speech" : "song";
  return clip;
}

std::string ravdess_take(const std::filesystem::path& path) {
  constexpr std::size_t kModalityChars = 3;
  return parse_ravdess(path) ? path.stem().string().substr(kModalityChars) : "";
}

// actor_sentence_EMOTION_LEVEL (Cao et al. 2014)
std::optional<Utterance> parse_crema_d(const std::filesystem::path& path) {
  constexpr std::string_view kEmotions =
      "ANG=angry DIS=disgust FEA=fearful HAP=happy NEU=neutral SAD=sad";
  // One published file ends in a single X.
  constexpr std::string_view kIntensities = "LO=low MD=medium HI=high XX= X=";
  constexpr int kFirstActor = 1001, kLastActor = 1091;
  // The corpus' table VideoDemographics.csv: 43 women, the other 48 actors are men.
  constexpr std::array<int, 43> kFemaleActors = {
      1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025,
      1028, 1029, 1030, 1037, 1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060,
      1061, 1063, 1072, 1073, 1074, 1075, 1076, 1078, 1079, 1082, 1084, 1089, 1091};
  const std::vector<std::string> parts = split(path.stem().string(), '_');
  if (parts.size() != 4 || !is_number(parts[0], 4) || parts[1].size() != 3) return std::nullopt;
  const auto emotion = meaning(kEmotions, parts[2]);
  const auto intensity = meaning(kIntensities, parts[3]);
  const int actor = parse_int(parts[0], "actor");
  if (!emotion || !intensity || actor < kFirstActor || actor > kLastActor) return std::nullopt;
  Utterance clip = labelled(
      *emotion,
      std::binary_search(kFemaleActors.begin(), kFemaleActors.end(), actor) ? "female" : "male",
      parts[0]);
  clip.intensity = *intensity;
  clip.statement = parts[1];
  return clip;
}

// speaker_word_emotion (Pichora-Fuller and Dupuis 2020)
std::optional<Utterance> parse_tess(const std::filesystem::path& path) {
  // Copies spell out what the original calls "ps".
  constexpr std::string_view kEmotions =
      "angry=angry disgust=disgust fear=fearful happy=happy neutral=neutral ps=surprised sad=sad "
      "surprise=surprised surprised=surprised pleasant_surprise=surprised "
      "pleasant_surprised=surprised";
  // The older and the younger actress; one published file says OA.
  constexpr std::string_view kSpeakers = "oaf=OAF oa=OAF yaf=YAF";
  const std::vector<std::string> parts = split(to_lower(path.stem().string()), '_');
  if (parts.size() < 3 || parts[1].empty()) return std::nullopt;
  const auto speaker = meaning(kSpeakers, parts[0]);
  const auto emotion = meaning(kEmotions, join(std::span(parts).subspan(2), "_"));
  if (!speaker || !emotion) return std::nullopt;
  Utterance clip = labelled(*emotion, "female", *speaker);
  clip.statement = parts[1];
  return clip;
}

// DC_a01, or a01 in a folder DC: emotion and sentence of a male speaker (Haq and Jackson 2010)
std::optional<Utterance> parse_savee(const std::filesystem::path& path) {
  constexpr std::string_view kEmotions =
      "a=angry d=disgust f=fearful h=happy n=neutral sa=sad su=surprised";
  constexpr std::string_view kSpeakers = "dc=DC je=JE jk=JK kl=KL";
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
  Utterance clip = labelled(*emotion, "male", *known);
  clip.statement = sentence;
  return clip;
}

// 03a01Fa: speaker, sentence, emotion (first letter of its German name), version
// (Burkhardt et al. 2005)
std::optional<Utterance> parse_emodb(const std::filesystem::path& path) {
  constexpr std::string_view kEmotions =
      "W=angry L=bored E=disgust A=fearful F=happy T=sad N=neutral";
  constexpr std::string_view kGenders =
      "03=male 08=female 09=female 10=male 11=male 12=male 13=female 14=female 15=male 16=female";
  const std::string name = path.stem().string();
  if (name.size() != 7 || (name[2] != 'a' && name[2] != 'b') || name[6] < 'a' || name[6] > 'z')
    return std::nullopt;
  if (!is_number(name.substr(3, 2), 2)) return std::nullopt;
  const std::string speaker = name.substr(0, 2);
  auto clip = labelled_by(kEmotions, name.substr(5, 1), kGenders, speaker, speaker);
  if (!clip) return std::nullopt;
  clip->statement = name.substr(2, 3);
  clip->repetition = name.substr(6);
  return clip;
}

// speaker_emotion_sentence, genders as in the corpus' table data.tsv (Christop 2024)
std::optional<Utterance> parse_nemo(const std::filesystem::path& path) {
  constexpr std::string_view kEmotions =
      "anger=angry fear=fearful happiness=happy neutral=neutral sadness=sad surprised=surprised";
  constexpr std::string_view kGenders =
      "EB0=female IC0=female KD0=female KS0=male MK0=female MP0=male SM0=male TP0=male WR0=male";
  const std::vector<std::string> parts = split(path.stem().string(), '_');
  if (parts.size() != 3 || !is_number(parts[2], parts[2].size()) || parts[2].empty())
    return std::nullopt;
  auto clip = labelled_by(kEmotions, parts[1], kGenders, parts[0], parts[0]);
  if (clip) clip->statement = parts[2];
  return clip;
}

// emotion-speaker-sentence: the emotion's first letters in Italian (Costantini et al. 2014)
std::optional<Utterance> parse_emovo(const std::filesystem::path& path) {
  constexpr std::string_view kEmotions =
      "dis=disgust gio=happy neu=neutral pau=fearful rab=angry sor=surprised tri=sad";
  constexpr std::string_view kGenders = "f1=female f2=female f3=female m1=male m2=male m3=male";
  const std::vector<std::string> parts = split(to_lower(path.stem().string()), '-');
  if (parts.size() != 3 || parts[2].size() != 2 || !is_number(parts[2].substr(1), 1))
    return std::nullopt;
  auto clip = labelled_by(kEmotions, parts[0], kGenders, parts[1], parts[1]);
  if (clip) clip->statement = parts[2];
  return clip;
}

// SM1_F01_A12: speaker with sex, file of the speaker, emotion with number (Latif et al. 2018)
std::optional<Utterance> parse_urdu(const std::filesystem::path& path) {
  constexpr std::string_view kEmotions = "A=angry H=happy N=neutral S=sad";
  constexpr std::string_view kGenders = "SM=male SF=female";
  const std::vector<std::string> parts = split(path.stem().string(), '_');
  if (parts.size() != 3 || !is_numbered(parts[0], 2) || !is_numbered(parts[1], 1) ||
      parts[1][0] != 'F' || !is_numbered(parts[2], 1))
    return std::nullopt;
  auto clip =
      labelled_by(kEmotions, parts[2].substr(0, 1), kGenders, parts[0].substr(0, 2), parts[0]);
  if (clip) clip->repetition = parts[1];
  return clip;
}

}  // namespace ser
