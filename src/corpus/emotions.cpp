#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>

#include "core/internal/fail.h"
#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"

namespace ser {
namespace {

constexpr std::array<std::string_view, 8> kEmotions = {
    "neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"};

constexpr std::string_view kBored = "bored";  // of EMO-DB

constexpr std::string_view kAliases =
    "ang=angry anger=angry bor=bored boredom=bored cal=calm calmness=calm dis=disgust "
    "disgusted=disgust fea=fearful fear=fearful hap=happy happiness=happy joy=happy "
    "joyful=happy neu=neutral neutrality=neutral pleasant_surprise=surprised "
    "pleasant_surprised=surprised ps=surprised sadness=sad sur=surprised surprise=surprised";

// What spreadsheets, pandas and annotators write where nothing is known; "xxx" is IEMOCAP's.
constexpr std::array<std::string_view, 13> kNothing = {
    "",     "nan",     "none", "null", "n/a", "#n/a",       "na",
    "<na>", "unknown", "xxx",  "-",    "?",   "unspecified"};

bool is_known(std::string_view emotion) {
  return std::find(kEmotions.begin(), kEmotions.end(), emotion) != kEmotions.end();
}

constexpr std::size_t kNamedClasses = 20;

/// Throws Error, with the nearest class, if none of `classes` is called `name`.
void check_present(const std::string& name, const std::vector<std::string>& classes) {
  if (std::find(classes.begin(), classes.end(), name) != classes.end()) return;
  fail("emotion '{}': expected one of {}{}", name,
       classes.empty() ? "the corpus' classes, but no clip has a label"
                       : some_of(classes, kNamedClasses),
       did_you_mean(name, classes));
}

/// A name as the user wrote it: a class of that very name, else the emotion it means.
std::string resolve(std::string_view name, const std::vector<std::string>& classes) {
  std::string exact(trim(name));
  if (std::find(classes.begin(), classes.end(), exact) != classes.end()) return exact;
  return canonical_emotion(exact);
}

/// "from=to", or "corpus:from=to" for the clips of one corpus.
struct Merge {
  std::string corpus;  ///< empty: every corpus
  std::string from, to;

  bool concerns(const Utterance& clip) const { return corpus.empty() || clip.corpus == corpus; }
};

Merge parse_merge(const std::string& entry, const std::vector<Utterance>& utterances) {
  const std::size_t equals = entry.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == entry.size())
    fail("emotion map: expected 'from=to', found '{}'", entry);
  Merge merge{"", entry.substr(0, equals), entry.substr(equals + 1)};
  if (const std::size_t colon = merge.from.find(':'); colon != std::string::npos) {
    merge.corpus = merge.from.substr(0, colon);
    merge.from.erase(0, colon + 1);
  }
  std::vector<Utterance> concerned;
  for (const Utterance& clip : utterances)
    if (merge.concerns(clip)) concerned.push_back(clip);
  if (concerned.empty() && !merge.corpus.empty())
    fail("emotion map: no clip is of corpus '{}'", merge.corpus);
  const std::vector<std::string> classes = emotion_labels(concerned);
  merge.from = resolve(merge.from, classes);
  check_present(merge.from, classes);
  merge.to = resolve(merge.to, emotion_labels(utterances));
  return merge;
}

/// All at once, so that classes may change places.
void merge_classes(std::vector<Utterance>& utterances, const std::vector<std::string>& map) {
  std::vector<Merge> merges;
  for (const std::string& entry : map) {
    const Merge& added = merges.emplace_back(parse_merge(entry, utterances));
    for (const Merge& earlier : std::span(merges).first(merges.size() - 1))
      if (earlier.from == added.from && earlier.corpus == added.corpus)
        fail("emotion map: '{}' is mapped twice", added.from);
  }
  // What is said of one corpus goes before what is said of all.
  std::stable_partition(merges.begin(), merges.end(),
                        [](const Merge& merge) { return !merge.corpus.empty(); });
  for (Utterance& clip : utterances) {
    const auto merged = [&](const std::string& emotion) {
      for (const Merge& merge : merges)
        if (merge.from == emotion && merge.concerns(clip)) return merge.to;
      return emotion;
    };
    clip.emotion = merged(clip.emotion);
    std::map<std::string, double> votes;
    for (const auto& [emotion, count] : clip.votes) votes[merged(emotion)] += count;
    clip.votes = std::move(votes);
  }
}

}  // namespace

std::span<const std::string_view> known_emotions() { return kEmotions; }

bool says_nothing(std::string_view word) {
  return std::find(kNothing.begin(), kNothing.end(), to_lower(trim(word))) != kNothing.end();
}

std::string canonical_emotion(std::string_view name) {
  constexpr std::size_t kLongestName = 256;
  if (says_nothing(name)) return "";
  if (name.size() > kLongestName)
    fail("expected the name of an emotion, found {} bytes", name.size());
  std::string lower = to_lower(trim(name));
  std::string key = lower;
  std::replace_if(
      key.begin(), key.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  if (const auto alias = meaning(kAliases, key)) return *alias;
  return lower;
}

std::vector<std::string> unusual_emotions(const std::vector<std::string>& labels) {
  std::vector<std::string> unusual;
  for (const std::string& label : labels)
    if (!is_known(label) && label != kBored) unusual.push_back(label);
  return unusual;
}

std::string canonical_gender(std::string_view name) {
  const std::string lower = to_lower(trim(name));
  if (lower == "male" || lower == "m" || lower == "man") return "male";
  if (lower == "female" || lower == "f" || lower == "woman") return "female";
  constexpr std::array<std::string_view, 4> kNeither = {"other", "nonbinary", "non-binary",
                                                        "diverse"};
  if (says_nothing(lower) || std::ranges::find(kNeither, lower) != kNeither.end()) return "";
  fail("gender: expected male, female or nothing, found '{}'", name);
}

std::vector<std::string> emotion_labels(const std::vector<Utterance>& utterances) {
  std::set<std::string> present;
  for (const Utterance& clip : utterances)
    if (!clip.emotion.empty()) present.insert(clip.emotion);
  std::vector<std::string> labels;
  for (const std::string_view emotion : kEmotions)
    if (present.erase(std::string(emotion)) > 0) labels.emplace_back(emotion);
  labels.insert(labels.end(), present.begin(), present.end());
  return labels;
}

std::vector<std::string> emotion_labels(const std::vector<Utterance>& utterances,
                                        const std::vector<int>& chosen) {
  std::vector<Utterance> some;
  for (const int i : chosen) some.push_back(utterances[i]);
  return emotion_labels(some);
}

std::vector<Utterance> select_emotions(std::vector<Utterance> utterances,
                                       const std::vector<std::string>& emotions,
                                       const std::vector<std::string>& map) {
  merge_classes(utterances, map);
  if (emotions.empty()) return utterances;
  const std::vector<std::string> classes = emotion_labels(utterances);
  std::set<std::string> kept;
  for (const std::string& name : emotions) {
    const std::string emotion = resolve(name, classes);
    check_present(emotion, classes);
    kept.insert(emotion);
  }
  std::erase_if(utterances, [&](const Utterance& clip) { return !kept.contains(clip.emotion); });
  for (Utterance& clip : utterances)
    std::erase_if(clip.votes, [&](const auto& vote) { return !kept.contains(vote.first); });
  return utterances;
}

}  // namespace ser
