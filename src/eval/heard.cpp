#include "eval/heard.h"

#include <algorithm>
#include <map>
#include <span>

#include "core/internal/fail.h"
#include "ser/core/rng.h"
#include "ser/core/text.h"
#include "ser/corpus/speaker.h"
#include "ser/eval/evaluate.h"

namespace ser {
namespace {

/// The clips of one voice but for those of the recording of `own`: their places among the scored
/// ones. recordings: their numbers.
std::vector<int> others_of(const std::vector<int>& recordings, const std::vector<int>& voice,
                           int own) {
  std::vector<int> others;
  for (const int other : voice)
    if (recordings[other] != recordings[own]) others.push_back(other);
  return others;
}

}  // namespace

void check_listens(bool listens, const std::vector<int>& heard) {
  const auto some = std::ranges::find_if(heard, [](int count) { return count > 0; });
  if (!listens && some != heard.end())
    fail(
        "{} clips heard: expected a model that listens, found one that answers the same whatever "
        "it has heard",
        heard_text(*some));
}

void check_hears(const std::vector<Utterance>& clips, const std::vector<Fold>& folds,
                 const std::vector<int>& heard) {
  if (std::ranges::all_of(heard, [](int count) { return count == 0; })) return;
  const std::vector<int> recordings = recording_numbers(clips);
  for (const Fold& fold : folds) {
    std::map<std::string, int> first;  // recording of a voice
    for (const int i : fold.test)
      if (!clips[i].speaker.empty() &&
          first.emplace(speaker_name(clips[i]), recordings[i]).first->second != recordings[i])
        return;
  }
  fail("expected other clips of the speakers to hear, found none");
}

std::vector<int> parse_heard(std::string_view text) {
  std::vector<int> counts;
  for (const std::string& word : split(text, ',')) {
    const int count = word == "all" ? kAllHeard : parse_int(word, "a number of clips, or all");
    if (count < 0) fail("expected 0 clips heard or more, found {}", count);
    if (std::ranges::find(counts, count) != counts.end())
      fail("expected each number of clips heard once, found {} twice", word);
    counts.push_back(count);
  }
  if (counts.empty()) fail("expected numbers of clips heard, found none");
  return counts;
}

HeardClips draw_heard(const std::vector<Utterance>& clips, const std::vector<int>& scored,
                      int count, std::uint64_t seed) {
  HeardClips heard(scored.size());
  if (count == 0) return heard;
  std::vector<Utterance> own;
  std::map<std::string, std::vector<int>> voices;
  for (const int index : scored) {
    const Utterance& clip = clips[index];
    if (!clip.speaker.empty()) voices[speaker_name(clip)].push_back(own.size());
    own.push_back(clip);
  }
  const std::vector<int> recordings = recording_numbers(own);
  const Rng draws(seed, fnv1a("heard"));
  for (const auto& [name, voice] : voices)
    for (const int i : voice) {
      std::vector<int> others = others_of(recordings, voice, i);
      Rng rng = draws.fork(fnv1a(own[i].path, fnv1a(name)));
      rng.shuffle(std::span(others));
      if (others.size() > static_cast<std::size_t>(count)) others.resize(count);
      heard[i] = std::move(others);
    }
  return heard;
}

}  // namespace ser
