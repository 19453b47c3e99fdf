#include "ser/model/listener.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "core/internal/fail.h"
#include "ser/audio/speech.h"

namespace ser {
namespace {

constexpr double kSure = 0.7;  // probability of a gender
constexpr std::size_t kClipsOfOther = 3;

void add(Voice& voice, const MetClip& clip, const Model& model) {
  voice.add(clip.features, uncalibrated(model, clip.prediction.emotions), clip.prediction.genders,
            clip.end_s - clip.start_s);
}

MetClip met(const Predictor& predictor, RecordingFeatures features, const Waveform& wave,
            double start_s, bool speech) {
  ClipPrediction prediction = predictor.predict(features);
  return {std::move(features), std::move(prediction), speech, start_s, start_s + wave.duration_s()};
}

}  // namespace

MetClip meet(const Predictor& predictor, const Waveform& wave, double start_s) {
  // What was analysed is not in memory any more when the networks run.
  auto analysed = std::make_unique<SharedAnalysis>(wave);
  const bool speech = is_speech(analysed->voice_band());
  RecordingFeatures features = predictor.features(*analysed);
  analysed.reset();
  return met(predictor, std::move(features), wave, start_s, speech);
}

MetClip meet(const Predictor& predictor, SharedAnalysis& clip, double start_s, bool speech) {
  return met(predictor, predictor.features(clip), clip.wave(), start_s, speech);
}

Listener::Listener(const Predictor& predictor, Adapting adapting)
    : predictor_(predictor),
      adapting_(predictor.model().listens() ? adapting : Adapting::kToNobody),
      voice_(predictor.voice()) {}

bool tell_different_genders(const Eigen::VectorXd& a, const Eigen::VectorXd& b) {
  if (a.size() < 2 || a.size() != b.size()) return false;
  Eigen::Index of_a = 0, of_b = 0;
  return a.maxCoeff(&of_a) > kSure && b.maxCoeff(&of_b) > kSure && of_a != of_b;
}

ClipPrediction Listener::answer(const MetClip& clip) {
  settle(clip.start_s);
  if (is_of_other_voice(clip)) return clip.prediction;
  return predictor_.adapt(clip.prediction, clip.features, voice_);
}

void Listener::hear(const MetClip& clip) {
  settle(clip.start_s);
  if (adapts() && clip.speech && !pending_) pending_ = clip;
}

void Listener::hear(const Waveform& wave) {
  if (!adapts()) return;
  const auto pieces = std::max(1, static_cast<int>(wave.duration_s() / kHeardPieceS));
  for (int i = 0; i < pieces; ++i) {
    const Eigen::Index begin = wave.samples.size() * i / pieces;
    const Eigen::Index end = wave.samples.size() * (i + 1) / pieces;
    const Waveform piece{wave.samples.segment(begin, end - begin), wave.sample_rate_hz};
    SharedAnalysis clip(piece);
    if (is_speech(clip.voice_band())) take(meet(predictor_, clip, 0, true));
  }
}

void Listener::end_recording() {
  if (pending_) take(*pending_);
  pending_.reset();
}

/// Takes what was heard, if it does not reach into what starts there.
void Listener::settle(double start_s) {
  if (!pending_ || start_s < pending_->end_s) return;
  take(*pending_);
  pending_.reset();
}

void Listener::take(const MetClip& clip) {
  if (is_of_other_voice(clip)) {
    others_.push_back(clip);
    if (others_.size() < kClipsOfOther) return;
    voice_ = {};
    ++changes_;
    for (const MetClip& other : others_) add(voice_, other, predictor_.model());
  } else {
    add(voice_, clip, predictor_.model());
  }
  others_.clear();
}

bool Listener::is_of_other_voice(const MetClip& clip) const {
  const Eigen::Index genders = clip.prediction.genders.size();
  if (adapting_ != Adapting::kToWhoeverSpeaks || voice_.empty() || genders == 0) return false;
  // Where the clip tells nothing, the pool is the voice's own answer.
  const Eigen::VectorXd even = Eigen::VectorXd::Constant(genders, 1.0 / double(genders));
  return tell_different_genders(clip.prediction.genders, pool_genders(even, voice_.answers()));
}

PredictionSmoother::PredictionSmoother(double time_constant_s, double hop_s)
    : keep_(time_constant_s > 0 ? std::exp(-hop_s / time_constant_s) : 0) {
  if (!std::isfinite(time_constant_s) || time_constant_s < 0)
    fail("expected at least 0 s, found {}", time_constant_s);
}

ClipPrediction PredictionSmoother::add(const ClipPrediction& prediction) {
  if (average_.emotions.size() == 0) {
    average_ = prediction;
  } else {
    average_.emotions = keep_ * average_.emotions + (1 - keep_) * prediction.emotions;
    average_.genders = keep_ * average_.genders + (1 - keep_) * prediction.genders;
  }
  return average_;
}

}  // namespace ser
