#pragma once

#include <optional>
#include <vector>

#include "ser/model/model.h"

namespace ser {

/// Of a long recording, a voice is heard in pieces of this length.
inline constexpr double kHeardPieceS = 3;

/// A clip, or a window of a recording, and what a stranger is told of it.
struct MetClip {
  RecordingFeatures features;
  ClipPrediction prediction;
  bool speech = false;
  double start_s = 0;
  double end_s = 0;
};

/// Does all that needs nothing heard before, so it may run in parallel. start_s: of `wave` in its
/// recording. Throws Error as `Predictor::features` does.
MetClip meet(const Predictor& predictor, const Waveform& wave, double start_s);

/// The same where somebody has looked for speech in the clip's voice band.
MetClip meet(const Predictor& predictor, SharedAnalysis& clip, double start_s, bool speech);

/// Whether both are sure of a gender (0.7 and more), and not of the same one.
bool tell_different_genders(const Eigen::VectorXd& a, const Eigen::VectorXd& b);

/// Whom a listener adapts to.
enum class Adapting {
  kToNobody,        ///< answers by the predictor's voice, and hears nothing more
  kToOneVoice,      ///< somebody says that all is one voice
  kToWhoeverSpeaks  ///< to the voice it hears; begins anew where another one speaks
};

/// Answers about one clip after the other and hears each for those that follow: never for itself
/// nor for one that overlaps it. Clips without speech are not heard, nor those that overlap the
/// last one heard. Begins with the predictor's voice, which is not changed. A model that does not
/// listen adapts to nobody.
///
/// Another voice speaks (kToWhoeverSpeaks) where three clips in a row are surely of the other
/// gender than the voice; until then each of them is a stranger's. Another voice of the same gender
/// is not noticed.
class Listener {
 public:
  /// The predictor must outlive it.
  Listener(const Predictor& predictor, Adapting adapting);

  ClipPrediction answer(const MetClip& clip);
  /// After its answer, if one is wanted.
  void hear(const MetClip& clip);
  /// Hears a recording in pieces of 3 to 6 s.
  void hear(const Waveform& wave);
  /// What comes now is another recording, whose clock begins anew.
  void end_recording();

  const Predictor& predictor() const { return predictor_; }
  bool adapts() const { return adapting_ != Adapting::kToNobody; }
  /// All that was heard, except the last clip of a recording that has not ended.
  const Voice& voice() const { return voice_; }
  /// How often another voice was noticed.
  int changes() const { return changes_; }

 private:
  void settle(double start_s);
  void take(const MetClip& clip);
  bool is_of_other_voice(const MetClip& clip) const;

  const Predictor& predictor_;
  Adapting adapting_;
  Voice voice_;
  std::optional<MetClip> pending_;  ///< heard, but what overlaps it must not know
  std::vector<MetClip> others_;     ///< in a row, that seem to be of another voice
  int changes_ = 0;
};

/// Evens out the predictions of windows that follow one another: an exponential average, in which a
/// window `time_constant_s` ago weighs 1/e of the present one. The first prediction after a
/// `reset()` is taken as it is.
class PredictionSmoother {
 public:
  /// hop_s: from window to window. time_constant_s 0: nothing is smoothed.
  /// Throws Error if the time constant is negative or not finite.
  PredictionSmoother(double time_constant_s, double hop_s);

  ClipPrediction add(const ClipPrediction& prediction);
  void reset() { average_ = {}; }

 private:
  double keep_;
  ClipPrediction average_;
};

}  // namespace ser
