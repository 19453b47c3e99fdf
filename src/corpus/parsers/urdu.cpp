#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr CodeTable<4> kEmotions = {
    {{"A", "angry"}, {"H", "happy"}, {"N", "neutral"}, {"S", "sad"}}};
constexpr CodeTable<2> kGenders = {{{"SM", "male"}, {"SF", "female"}}};

/// True for letters followed by one to three digits.
bool is_numbered(std::string_view text, std::size_t letters) {
  return text.size() > letters && text.size() <= letters + 3 &&
         is_number(text.substr(letters), text.size() - letters);
}

}  // namespace

// SM1_F01_A12: speaker with sex, file of the speaker, emotion with number (Latif et al. 2018)
std::optional<Utterance> parse_urdu(const std::filesystem::path& path) {
  const std::vector<std::string> parts = split(path.stem().string(), '_');
  if (parts.size() != 3 || !is_numbered(parts[0], 2) || !is_numbered(parts[1], 1) ||
      parts[1][0] != 'F' || !is_numbered(parts[2], 1))
    return std::nullopt;
  const auto gender = meaning(kGenders, parts[0].substr(0, 2));
  const auto emotion = meaning(kEmotions, parts[2].substr(0, 1));
  if (!gender || !emotion) return std::nullopt;
  Utterance clip;
  clip.emotion = *emotion;
  clip.repetition = parts[1];
  clip.speaker = parts[0];
  clip.gender = *gender;
  return clip;
}

}  // namespace ser
