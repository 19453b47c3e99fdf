#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr std::array<std::string_view, 8> kEmotions = {
    "neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"};

/// The number a two-digit field spells, or 0 if it is none of 1 ... max.
int field(std::string_view text, int max) {
  if (!is_number(text, 2)) return 0;
  const int value = (text[0] - '0') * 10 + (text[1] - '0');
  return value <= max ? value : 0;
}

}  // namespace

// modality-channel-emotion-intensity-statement-repetition-actor (Livingstone and Russo 2018)
std::optional<Utterance> parse_ravdess(const std::filesystem::path& path) {
  constexpr std::array<int, 7> kLargest = {3, 2, 8, 2, 2, 2, 24};
  const std::vector<std::string> parts = split(path.stem().string(), '-');
  if (parts.size() != kLargest.size()) return std::nullopt;
  std::array<int, kLargest.size()> fields{};
  for (std::size_t i = 0; i < fields.size(); ++i)
    if ((fields[i] = field(parts[i], kLargest[i])) == 0) return std::nullopt;
  const auto [modality, channel, emotion, intensity, statement, repetition, actor] = fields;
  Utterance clip;
  clip.channel = channel == 1 ? "speech" : "song";
  clip.emotion = kEmotions[static_cast<std::size_t>(emotion - 1)];
  clip.intensity = intensity == 1 ? "normal" : "strong";
  clip.statement = parts[4];
  clip.repetition = parts[5];
  clip.speaker = parts[6];
  clip.gender = actor % 2 == 1 ? "male" : "female";
  return clip;
}

std::string ravdess_take(const std::filesystem::path& path) {
  constexpr std::size_t kModalityChars = 3;
  return parse_ravdess(path) ? path.stem().string().substr(kModalityChars) : "";
}

}  // namespace ser
