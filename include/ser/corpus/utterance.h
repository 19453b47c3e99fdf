#pragma once

#include <map>
#include <string>

namespace ser {

/// One recording and what is known of it. Empty text means unknown.
struct Utterance {
  std::string path;     ///< relative to the corpus root, '/' between folders
  std::string corpus;   ///< "ravdess", "crema-d", ...
  std::string emotion;  ///< "neutral", "calm", "happy", ... or a class of the user's own
  std::string gender;   ///< "male" or "female"
  std::string speaker;
  std::string intensity;  ///< "normal" or "strong" (RAVDESS); "low", "medium" or "high" (CREMA-D)
  std::string statement;
  std::string repetition;
  std::string channel;       ///< "speech" or "song"
  std::string augmentation;  ///< what makes it a changed copy ("speed:0.9"); empty: the original
  /// Listeners, by the emotion they chose; need not be whole numbers. Empty: nobody was asked.
  std::map<std::string, double> votes;
  std::string content;  ///< hash of the recording's sound (`ContentHash`)
};

}  // namespace ser
