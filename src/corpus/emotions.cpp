#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "ser/core/error.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"

namespace ser {
namespace {

constexpr std::array<std::string_view, 8> kEmotions = {
    "neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"};

const std::map<std::string_view, std::string_view> kAliases = {
    {"anger", "angry"},
    {"boredom", "bored"},
    {"calmness", "calm"},
    {"disgusted", "disgust"},
    {"fear", "fearful"},
    {"happiness", "happy"},
    {"joy", "happy"},
    {"joyful", "happy"},
    {"neutrality", "neutral"},
    {"pleasant surprise", "surprised"},
    {"pleasant surprised", "surprised"},
    {"ps", "surprised"},
    {"sadness", "sad"},
    {"surprise", "surprised"},
};

/// Throws Error, with the nearest class, if none of `classes` is called `name`.
void check_present(const std::string& name, const std::vector<std::string>& classes) {
  if (std::find(classes.begin(), classes.end(), name) != classes.end()) return;
  throw Error(fmt::format("emotion '{}': expected one of {}{}", name,
                          classes.empty() ? "the corpus' classes, but no clip has a label"
                                          : fmt::format("{}", fmt::join(classes, ", ")),
                          did_you_mean(name, classes)));
}

/// A name as the user wrote it: a class of that very name, else the emotion it means.
std::string resolve(std::string_view name, const std::vector<std::string>& classes) {
  const std::string exact(trim(name));
  if (std::find(classes.begin(), classes.end(), exact) != classes.end()) return exact;
  return canonical_emotion(exact);
}

void merge_classes(std::vector<Utterance>& utterances, const std::vector<std::string>& map) {
  const std::vector<std::string> classes = emotion_labels(utterances);
  std::map<std::string, std::string> merged;
  for (const std::string& entry : map) {
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == entry.size())
      throw Error(fmt::format("emotion map: expected 'from=to', found '{}'", entry));
    const std::string from = resolve(entry.substr(0, equals), classes);
    check_present(from, classes);
    if (!merged.emplace(from, resolve(entry.substr(equals + 1), classes)).second)
      throw Error(fmt::format("emotion map: '{}' is mapped twice", from));
  }
  for (Utterance& clip : utterances)
    if (const auto found = merged.find(clip.emotion); found != merged.end())
      clip.emotion = found->second;
}

}  // namespace

std::span<const std::string_view> known_emotions() { return kEmotions; }

std::string canonical_emotion(std::string_view name) {
  std::string key = to_lower(trim(name));
  std::replace_if(
      key.begin(), key.end(), [](char c) { return c == '_' || c == '-'; }, ' ');
  if (const auto alias = kAliases.find(key); alias != kAliases.end())
    return std::string(alias->second);
  if (std::find(kEmotions.begin(), kEmotions.end(), key) != kEmotions.end() || key == "bored")
    return key;
  return std::string(trim(name));
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
  return utterances;
}

}  // namespace ser
