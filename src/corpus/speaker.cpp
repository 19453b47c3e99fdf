#include "ser/corpus/speaker.h"

#include <fmt/format.h>

#include <algorithm>

#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"

namespace ser {

std::optional<int> speaker_number(std::string_view speaker) {
  constexpr std::size_t kMaxDigits = 9;
  if (const std::size_t point = speaker.find('.'); point != speaker.npos) {
    if (speaker.find_first_not_of('0', point + 1) != speaker.npos) return std::nullopt;
    speaker = speaker.substr(0, point);
  }
  if (speaker.empty() || speaker.size() > kMaxDigits || !is_number(speaker, speaker.size()))
    return std::nullopt;
  return parse_int(speaker, "speaker");
}

std::string canonical_speaker(std::string_view speaker) {
  const std::optional<int> number = speaker_number(speaker);
  return number ? fmt::format("{:02}", *number) : std::string(speaker);
}

std::string speaker_name(const Utterance& clip) {
  if (clip.speaker.empty()) return "";
  const std::string speaker = canonical_speaker(clip.speaker);
  return clip.corpus.empty() ? speaker : fmt::format("{}:{}", clip.corpus, speaker);
}

std::vector<std::string> speaker_names(const std::vector<Utterance>& clips) {
  std::vector<std::string> names(clips.size());
  std::transform(clips.begin(), clips.end(), names.begin(), speaker_name);
  return names;
}

Utterance clip_of_speaker(std::string_view name) {
  Utterance clip;
  const std::size_t colon = name.find(':');
  if (colon != name.npos) clip.corpus = name.substr(0, colon);
  clip.speaker = name.substr(colon == name.npos ? 0 : colon + 1);
  return clip;
}

}  // namespace ser
