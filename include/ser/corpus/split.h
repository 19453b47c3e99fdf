#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ser/corpus/utterance.h"

namespace ser {

/// A way to divide a corpus, or several, into folds, parsed from text:
///   speakers:K   speakers sorted by id, K contiguous blocks whose sizes differ by at most one; of
///                several corpora, each is divided so and fold k tests block k of all
///   luna         the five published folds of RAVDESS
///   loso         leave one speaker out
///   random:K     stratified by emotion; speakers leak between training and test
///   actors:A-B   one fold that tests the named speakers (also actors:1,4,9)
///   corpora      leave one corpus out; tested are its clips of classes that the others have
struct SplitScheme {
  enum class Kind { kSpeakers, kLuna, kLoso, kRandom, kActors, kCorpora };
  Kind kind = Kind::kSpeakers;
  int num_folds = 6;
  std::vector<int> actors;

  /// The text it was parsed from.
  std::string name() const;
};

/// Throws Error for text that is none of the above.
SplitScheme parse_split_scheme(std::string_view text);

/// Clips by index into the list the fold was made from, ascending.
struct Fold {
  std::vector<int> train;  ///< with augmented copies
  std::vector<int> test;   ///< originals only
  std::vector<std::string> test_speakers;
};

/// The folds of a scheme. Augmented copies are never tested. No fold trains on a clip whose
/// recording it tests (`recording_numbers`): a copy under another name goes to the same side where
/// clips are dealt at random, and is left out of training where its speaker is not the tested one.
/// A corpus without speakers is told to use random:K.
/// Throws Error for clips without an emotion, fewer speakers than folds, or an empty side.
std::vector<Fold> make_folds(const std::vector<Utterance>& clips, const SplitScheme& scheme,
                             std::uint64_t seed);

/// The folds of some clips, as if there were no others; chosen: their places, ascending.
std::vector<Fold> make_folds(const std::vector<Utterance>& clips, const std::vector<int>& chosen,
                             const SplitScheme& scheme, std::uint64_t seed);

/// No split: trained on all clips, or scored on all of them but augmented copies.
Fold whole_corpus(const std::vector<Utterance>& clips);

/// Sentences a user should see about the scheme on this corpus: speakers that leak, absent actors.
std::vector<std::string> split_warnings(const std::vector<Utterance>& clips,
                                        const SplitScheme& scheme);

/// The speakers of the chosen clips, each once, sorted by name.
std::vector<std::string> speakers_of(const std::vector<Utterance>& clips,
                                     const std::vector<int>& chosen);

/// Training clips divided into those that train and those that tell when to stop.
struct ValidationSplit {
  std::vector<int> train;
  std::vector<int> validation;  ///< originals only; empty with fewer than four training speakers
};

/// Holds out one in eight training speakers, drawn with Rng(seed, stream), balanced by gender.
/// Clips without a speaker: one in eight clips, stratified by emotion.
ValidationSplit hold_out_validation(const std::vector<Utterance>& clips,
                                    const std::vector<int>& train, std::uint64_t seed,
                                    std::uint64_t stream);

}  // namespace ser
