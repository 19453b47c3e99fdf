#include "ser/corpus/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/internal/fail.h"
#include "core/internal/numbers.h"
#include "corpus/internal/clip_groups.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/speaker.h"

namespace ser {
namespace {

using Kind = SplitScheme::Kind;

// Five folds of the 24 actors of RAVDESS, balanced by gender (Luna-Jimenez et al. 2021,
// "Multimodal Emotion Recognition on RAVDESS Dataset Using Transfer Learning").
const std::vector<std::vector<int>> kLunaFolds = {{2, 5, 14, 15, 16},
                                                  {3, 6, 7, 13, 18},
                                                  {10, 11, 12, 19, 20},
                                                  {8, 17, 21, 23, 24},
                                                  {1, 4, 9, 22}};

bool is_original(const Utterance& clip) { return clip.augmentation.empty(); }

std::vector<int> originals_of(const std::vector<Utterance>& clips, const std::vector<int>& chosen) {
  std::vector<int> originals;
  for (const int i : chosen)
    if (is_original(clips[i])) originals.push_back(i);
  return originals;
}

/// Throws Error, counting them and naming the first, for clips whose `field` is not known.
void require_known(const std::vector<Utterance>& clips, std::string Utterance::*field,
                   std::string_view expected) {
  std::size_t unknown = 0;
  const Utterance* first = nullptr;
  for (const Utterance& clip : clips)
    if ((clip.*field).empty() && unknown++ == 0) first = &clip;
  if (first)
    fail("{}; found none for {} of {} clips (the first is {})", expected, unknown, clips.size(),
         first->path);
}

using Sides = std::vector<std::vector<Speaker>>;

/// Contiguous blocks; the first ones are longer by one where they cannot be equal.
Sides contiguous_blocks(std::span<const Speaker> speakers, std::size_t num_folds) {
  Sides sides(num_folds);
  auto next = speakers.begin();
  for (std::size_t k = 0; k < num_folds; ++k) {
    const std::size_t size = speakers.size() / num_folds + (k < speakers.size() % num_folds);
    sides[k].assign(next, next + static_cast<std::ptrdiff_t>(size));
    next += size;
  }
  return sides;
}

/// Contiguous blocks of every corpus, block k of all corpora on side k. `speakers` are sorted by
/// corpus. Throws Error if no corpus has a speaker for every side.
Sides blocks_of_corpora(const std::vector<Speaker>& speakers, std::size_t num_folds) {
  Sides sides(num_folds);
  std::size_t most = 0;
  for (auto begin = speakers.begin(); begin != speakers.end();) {
    const auto end = std::find_if(begin, speakers.end(),
                                  [&](const Speaker& s) { return s.corpus != begin->corpus; });
    const Sides blocks = contiguous_blocks({begin, end}, num_folds);
    for (std::size_t k = 0; k < num_folds; ++k)
      sides[k].insert(sides[k].end(), blocks[k].begin(), blocks[k].end());
    most = std::max(most, static_cast<std::size_t>(end - begin));
    begin = end;
  }
  if (most < num_folds) fail("expected at least {} speakers, found {}", num_folds, most);
  return sides;
}

std::vector<Speaker> speakers_numbered(const std::vector<Speaker>& speakers,
                                       std::span<const int> numbers) {
  std::vector<Speaker> chosen;
  for (const Speaker& speaker : speakers)
    if (speaker.number &&
        std::find(numbers.begin(), numbers.end(), *speaker.number) != numbers.end())
      chosen.push_back(speaker);
  return chosen;
}

std::vector<int> named_actors(const SplitScheme& scheme) {
  if (scheme.kind == Kind::kActors) return scheme.actors;
  std::vector<int> actors;
  if (scheme.kind == Kind::kLuna)
    for (const auto& fold : kLunaFolds) actors.insert(actors.end(), fold.begin(), fold.end());
  std::sort(actors.begin(), actors.end());
  return actors;
}

Sides speaker_sides(const std::vector<Utterance>& clips, const SplitScheme& scheme) {
  require_known(clips, &Utterance::speaker,
                "expected clips with a speaker (without, use random:K)");
  const std::vector<Speaker> speakers = group_by_speaker(clips, indices<int>(clips.size()));
  switch (scheme.kind) {
    case Kind::kLoso:
      return contiguous_blocks(speakers, speakers.size());
    case Kind::kActors:
      return {speakers_numbered(speakers, scheme.actors)};
    case Kind::kLuna: {
      for (const Speaker& speaker : speakers)
        if (speaker.corpus != "ravdess")
          fail("expected clips of RAVDESS only, found corpus '{}'", speaker.corpus);
      Sides sides;
      for (const auto& fold : kLunaFolds) sides.push_back(speakers_numbered(speakers, fold));
      return sides;
    }
    default:
      return blocks_of_corpora(speakers, scheme.num_folds);
  }
}

/// Clips of `all` that are of no recording in `held_out`.
std::vector<int> without_recordings(const std::vector<int>& all, const std::vector<int>& held_out,
                                    const std::vector<int>& recordings) {
  const auto recording = [&](int i) { return recordings[i]; };
  std::set<int> heard;
  for (const int i : held_out) heard.insert(recording(i));
  std::vector<int> rest;
  std::copy_if(all.begin(), all.end(), std::back_inserter(rest),
               [&](int i) { return !heard.contains(recording(i)); });
  return rest;
}

/// The fold that tests `held_out`, sorted. recordings: as from `recording_numbers`.
Fold make_fold(const std::vector<Utterance>& clips, const std::vector<int>& held_out,
               const std::vector<int>& recordings) {
  Fold fold;
  fold.train = without_recordings(indices<int>(clips.size()), held_out, recordings);
  fold.test = originals_of(clips, held_out);
  if (fold.test.empty()) {
    std::set<std::string> there;
    for (const Utterance& clip : clips)
      if (!clip.speaker.empty()) there.insert(clip.speaker);
    fail("no clip is left to test: none of its speakers is there, but {}",
         some_of(std::vector(there.begin(), there.end()), 4));
  }
  if (fold.train.empty()) fail("no clip is left to train on");
  return fold;
}

std::vector<Fold> speaker_folds(const std::vector<Utterance>& clips, const SplitScheme& scheme) {
  const Sides sides = speaker_sides(clips, scheme);
  const std::vector<int> recordings = recording_numbers(clips);
  std::vector<Fold> folds;
  for (const std::vector<Speaker>& side : sides) {
    std::vector<int> held_out;
    for (const Speaker& speaker : side)
      held_out.insert(held_out.end(), speaker.clips.begin(), speaker.clips.end());
    std::sort(held_out.begin(), held_out.end());
    folds.push_back(with_context(fmt::format("fold {}", folds.size()),
                                 [&] { return make_fold(clips, held_out, recordings); }));
    for (const Speaker& speaker : side) folds.back().test_speakers.push_back(speaker.name);
  }
  return folds;
}

std::vector<Fold> random_folds(const std::vector<Utterance>& clips, int num_folds,
                               std::uint64_t seed) {
  const auto parts = deal_by_emotion(clips, indices<int>(clips.size()), num_folds,
                                     Rng(seed, fnv1a("random folds")));
  const std::vector<int> recordings = recording_numbers(clips);
  std::vector<Fold> folds;
  for (const std::vector<int>& part : parts) {
    if (part.empty()) fail("expected at least {} clips, found {}", num_folds, clips.size());
    folds.push_back(make_fold(clips, part, recordings));
    for (const Speaker& speaker : group_by_speaker(clips, folds.back().test))
      folds.back().test_speakers.push_back(speaker.name);
  }
  return folds;
}

/// The fold that tests one corpus's clips, `held_out`, of emotions that the others have.
Fold corpus_fold(const std::vector<Utterance>& clips, const std::vector<int>& held_out,
                 const std::vector<int>& recordings) {
  Fold fold = make_fold(clips, held_out, recordings);
  const std::vector<std::string> known = emotion_labels(clips, fold.train);
  std::erase_if(fold.test,
                [&](int i) { return std::ranges::find(known, clips[i].emotion) == known.end(); });
  const std::vector<std::string> common = emotion_labels(clips, fold.test);
  if (common.empty()) fail("none of its emotions is one of the other corpora's");
  if (common.size() == 1)
    fail("'{}' alone is one of the other corpora's emotions: nothing to tell apart", common[0]);
  for (const Speaker& speaker : group_by_speaker(clips, fold.test))
    fold.test_speakers.push_back(speaker.name);
  return fold;
}

std::vector<Fold> corpus_folds(const std::vector<Utterance>& clips) {
  require_known(clips, &Utterance::corpus, "expected clips with a corpus");
  std::map<std::string, std::vector<int>> corpora;
  for (const int i : indices<int>(clips.size())) corpora[clips[i].corpus].push_back(i);
  if (corpora.size() < 2)
    fail("expected clips of at least two corpora, found '{}'", corpora.begin()->first);
  const std::vector<int> recordings = recording_numbers(clips);
  std::vector<Fold> folds;
  for (const auto& corpus : corpora)
    folds.push_back(with_context(fmt::format("fold {} ({})", folds.size(), corpus.first),
                                 [&] { return corpus_fold(clips, corpus.second, recordings); }));
  return folds;
}

/// Clips that `corpora` does not test, by corpus and emotion; empty: it tests all.
std::string untested(const std::vector<Utterance>& clips) {
  std::map<std::string, std::set<std::string>> corpora_with;  // by emotion
  for (const Utterance& clip : clips) corpora_with[clip.emotion].insert(clip.corpus);
  std::map<std::string, int> counts;
  for (const Utterance& clip : clips)
    if (is_original(clip) && corpora_with[clip.emotion].size() == 1)
      ++counts[fmt::format("{} {}", clip.corpus, clip.emotion)];
  std::vector<std::string> parts;
  for (const auto& [what, count] : counts) parts.push_back(fmt::format("{} ({})", what, count));
  return join(parts, ", ");
}

/// One in eight speakers, at least one, drawn from the genders in turn; the last speaker of a
/// gender stays, so that training always hears every gender it could.
std::vector<Speaker> draw_validation_speakers(std::vector<Speaker> speakers, Rng rng) {
  const std::size_t wanted = std::max<std::size_t>(1, (speakers.size() + 4) / 8);
  rng.shuffle(std::span(speakers));
  std::vector<std::vector<Speaker>> genders;
  for (Speaker& speaker : speakers) {
    const auto same = std::find_if(genders.begin(), genders.end(), [&](const auto& group) {
      return group.front().gender == speaker.gender;
    });
    (same == genders.end() ? genders.emplace_back() : *same).push_back(std::move(speaker));
  }
  std::vector<Speaker> drawn;
  for (bool any = true; any && drawn.size() < wanted;) {
    any = false;
    for (std::vector<Speaker>& group : genders) {
      if (group.size() < 2 || drawn.size() == wanted) continue;
      drawn.push_back(std::move(group.back()));
      group.pop_back();
      any = true;
    }
  }
  return drawn;
}

}  // namespace

std::vector<Fold> make_folds(const std::vector<Utterance>& clips, const SplitScheme& scheme,
                             std::uint64_t seed) {
  return with_context("split " + scheme.name(), [&] {
    if (clips.empty()) fail("expected clips, found none");
    require_known(clips, &Utterance::emotion, "expected clips with an emotion");
    if (scheme.kind == Kind::kRandom) return random_folds(clips, scheme.num_folds, seed);
    if (scheme.kind == Kind::kCorpora) return corpus_folds(clips);
    return speaker_folds(clips, scheme);
  });
}

std::vector<Fold> make_folds(const std::vector<Utterance>& clips, const std::vector<int>& chosen,
                             const SplitScheme& scheme, std::uint64_t seed) {
  std::vector<Utterance> some;
  some.reserve(chosen.size());
  for (const int i : chosen) some.push_back(clips[i]);
  std::vector<Fold> folds = make_folds(some, scheme, seed);
  for (Fold& fold : folds)
    for (std::vector<int>* side : {&fold.train, &fold.test})
      for (int& i : *side) i = chosen[i];
  return folds;
}

std::vector<std::string> split_warnings(const std::vector<Utterance>& clips,
                                        const SplitScheme& scheme) {
  if (scheme.kind == Kind::kRandom)
    return {
        fmt::format("{}: speakers leak: clips of one speaker are on both sides, which flatters the "
                    "score; speakers:K tests on unseen speakers",
                    scheme.name())};
  if (scheme.kind == Kind::kCorpora) {
    const std::string left_out = untested(clips);
    if (left_out.empty()) return {};
    return {
        fmt::format("corpora: not tested, because no other corpus has the class: {}", left_out)};
  }
  const std::vector<Speaker> speakers = group_by_speaker(clips, indices<int>(clips.size()));
  constexpr std::size_t kNamed = 24;
  std::vector<std::string> absent;
  for (const int actor : named_actors(scheme))
    if (speakers_numbered(speakers, std::array{actor}).empty())
      absent.push_back(std::to_string(actor));
  if (absent.empty()) return {};
  return {fmt::format("{}: not in this corpus and left out: speaker{} {}", scheme.name(),
                      absent.size() == 1 ? "" : "s", some_of(absent, kNamed))};
}

std::vector<std::string> speakers_of(const std::vector<Utterance>& clips,
                                     const std::vector<int>& chosen) {
  const std::vector<std::string> names = speaker_names(clips);
  std::set<std::string> speakers;
  for (const int clip : chosen) speakers.insert(names[clip]);
  speakers.erase("");
  return {speakers.begin(), speakers.end()};
}

Fold whole_corpus(const std::vector<Utterance>& clips) {
  Fold fold;
  fold.train = indices<int>(clips.size());
  for (const int i : fold.train)
    if (clips[i].augmentation.empty()) fold.test.push_back(i);
  fold.test_speakers = speakers_of(clips, fold.test);
  return fold;
}

ValidationSplit hold_out_validation(const std::vector<Utterance>& clips,
                                    const std::vector<int>& train, std::uint64_t seed,
                                    std::uint64_t stream) {
  constexpr std::size_t kMinSpeakers = 4, kOneIn = 8;
  // A fork, because training itself draws from the same stream.
  const Rng rng = Rng(seed, stream).fork(fnv1a("validation"));
  std::vector<int> held_out;
  const bool all_known =
      std::all_of(train.begin(), train.end(), [&](int i) { return !clips[i].speaker.empty(); });
  if (!all_known) {
    if (originals_of(clips, train).size() >= kOneIn)
      held_out = deal_by_emotion(clips, train, kOneIn, rng).front();
  } else if (auto speakers = group_by_speaker(clips, train); speakers.size() >= kMinSpeakers) {
    for (const Speaker& speaker : draw_validation_speakers(std::move(speakers), rng))
      held_out.insert(held_out.end(), speaker.clips.begin(), speaker.clips.end());
    std::sort(held_out.begin(), held_out.end());
  }
  return {without_recordings(train, held_out, recording_numbers(clips)),
          originals_of(clips, held_out)};
}

}  // namespace ser
