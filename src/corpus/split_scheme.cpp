#include <fmt/format.h>

#include <array>

#include "core/internal/fail.h"
#include "ser/core/text.h"
#include "ser/corpus/split.h"

namespace ser {
namespace {

using Kind = SplitScheme::Kind;

/// In the order of Kind.
constexpr std::array<std::string_view, 6> kWords = {"speakers", "luna",   "loso",
                                                    "random",   "actors", "corpora"};
constexpr int kMaxFolds = 1000;
constexpr int kMaxActor = 100000;
constexpr std::string_view kExpected =
    "expected speakers:K, luna, loso, random:K, actors:A-B (also actors:1,4,9) or corpora";

int parse_fold_count(std::string_view text) {
  const int folds = parse_int(text, "number of folds");
  if (folds < 2 || folds > kMaxFolds)
    fail("number of folds: expected 2 to {}, found {}", kMaxFolds, folds);
  return folds;
}

int parse_actor(std::string_view text) {
  const int actor = parse_int(text, "speaker");
  if (actor < 0 || actor > kMaxActor) fail("speaker: expected 0 to {}, found {}", kMaxActor, actor);
  return actor;
}

std::vector<int> parse_actors(std::string_view text) {
  std::vector<int> actors;
  for (const std::string& part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    const int first = parse_actor(std::string_view(part).substr(0, dash));
    const int last =
        dash == std::string::npos ? first : parse_actor(std::string_view(part).substr(dash + 1));
    if (last < first) fail("expected rising numbers, found '{}'", part);
    if (actors.size() + static_cast<std::size_t>(last - first) > kMaxActor)
      fail("expected at most {} speakers", kMaxActor);
    for (int actor = first; actor <= last; ++actor) actors.push_back(actor);
  }
  if (actors.empty()) fail("expected numbers of speakers, found none");
  return actors;
}

/// "19-24" for runs of three and more, commas elsewhere.
std::string actors_text(const std::vector<int>& actors) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0, end = 0; begin < actors.size(); begin = end) {
    for (end = begin + 1; end < actors.size() && actors[end] == actors[end - 1] + 1;) ++end;
    if (end - begin < 2) end = begin + 1;
    parts.push_back(end - begin == 1 ? fmt::format("{}", actors[begin])
                                     : fmt::format("{}-{}", actors[begin], actors[end - 1]));
  }
  return join(parts, ",");
}

}  // namespace

std::string SplitScheme::name() const {
  const std::string word(kWords[static_cast<std::size_t>(kind)]);
  if (kind == Kind::kActors) return word + ":" + actors_text(actors);
  const bool counted = kind == Kind::kSpeakers || kind == Kind::kRandom;
  return counted ? fmt::format("{}:{}", word, num_folds) : word;
}

SplitScheme parse_split_scheme(std::string_view text) {
  return with_context(fmt::format("split '{}'", text), [&]() -> SplitScheme {
    if (text == "luna") return {Kind::kLuna, 5, {}};
    if (text == "loso") return {Kind::kLoso, 0, {}};
    if (text == "corpora") return {Kind::kCorpora, 0, {}};
    const std::size_t colon = text.find(':');
    const std::string_view word = text.substr(0, colon);
    const std::string_view rest = colon == text.npos ? "" : text.substr(colon + 1);
    if (colon != text.npos) {
      if (word == "speakers") return {Kind::kSpeakers, parse_fold_count(rest), {}};
      if (word == "random") return {Kind::kRandom, parse_fold_count(rest), {}};
      if (word == "actors") return {Kind::kActors, 1, parse_actors(rest)};
    }
    fail("{}{}", kExpected, did_you_mean(word, std::span<const std::string_view>(kWords)));
  });
}

}  // namespace ser
