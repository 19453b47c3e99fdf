#include "audio/babble.h"

#include <array>
#include <cmath>
#include <numbers>

#include "audio/soxr_resample.h"

namespace ser {
namespace {

using Eigen::Index;

constexpr int kVoices = 6;
constexpr int kRateHz = 16000;
constexpr Index kStep = 80;  // samples with one pitch and one set of formants
constexpr int kFormants = 4;
constexpr std::array<double, kFormants> kBandwidthHz = {60, 90, 150, 200};
constexpr double kFricative = 0.2;  // of a vowel's source
constexpr double kBreath = 0.03;

/// What the mouth does at one time.
struct Articulation {
  double pitch_hz = 0;
  std::array<double, kFormants> formants_hz{};
  double voicing = 0;  ///< 1: vowel; 0: fricative
};

Articulation between(const Articulation& a, const Articulation& b, double share) {
  const auto mixed = [&](double x, double y) { return x + share * (y - x); };
  Articulation result{mixed(a.pitch_hz, b.pitch_hz), {}, b.voicing};
  for (std::size_t f = 0; f < kFormants; ++f)
    result.formants_hz[f] = mixed(a.formants_hz[f], b.formants_hz[f]);
  return result;
}

class Voice {
 public:
  explicit Voice(Rng& rng)
      : rng_(rng),
        pitch_hz_(85 * std::exp2(rng.uniform(0, 1.6))),
        tract_(0.85 + 0.1 * std::log2(pitch_hz_ / 85) + rng.uniform(-0.05, 0.1)),
        now_(draw_sound()) {}

  void add_to(Eigen::VectorXd& sum) {
    for (Index begin = 0; begin < sum.size();) {
      const bool pauses = rng_.uniform(0, 1) < 0.15;
      const double seconds = pauses ? rng_.uniform(0.2, 0.6) : rng_.uniform(0.12, 0.28);
      const Index steps = std::lround(seconds * kRateHz) / kStep;
      const Articulation next = draw_sound();
      for (Index s = 0; s < steps && begin < sum.size(); ++s, begin += kStep) {
        const double share = static_cast<double>(s) / static_cast<double>(steps);
        const double loudness = pauses ? 0 : std::sin(std::numbers::pi * share);
        add_step(sum.segment(begin, std::min(kStep, sum.size() - begin)),
                 between(now_, next, share), loudness);
      }
      now_ = next;
    }
  }

 private:
  Articulation draw_sound() {
    const bool is_vowel = rng_.uniform(0, 1) < 0.75;
    return {pitch_hz_ * std::exp2(rng_.uniform(-4, 4) / 12),
            {tract_ * rng_.uniform(270, 780), tract_ * rng_.uniform(850, 2200),
             tract_ * rng_.uniform(2300, 2900), tract_ * 3500},
            is_vowel ? 1.0 : 0.0};
  }

  void add_step(Eigen::Ref<Eigen::VectorXd> out, const Articulation& sound, double loudness) {
    std::array<double, kFormants> gain{}, first{}, second{};
    for (std::size_t f = 0; f < kFormants; ++f) {
      const double radius = std::exp(-std::numbers::pi * kBandwidthHz[f] / kRateHz);
      second[f] = -radius * radius;
      first[f] = 2 * radius * std::cos(2 * std::numbers::pi * sound.formants_hz[f] / kRateHz);
      gain[f] = 1 - first[f] - second[f];
    }
    const double noise = sound.voicing > 0 ? kBreath : kFricative;
    for (double& sample : out) {
      phase_ += sound.pitch_hz / kRateHz;
      phase_ -= std::floor(phase_);
      double value = loudness * (sound.voicing * (1 - 2 * phase_) + noise * rng_.uniform(-1, 1));
      const double source = value;
      for (std::size_t f = 0; f < kFormants; ++f) {
        value = gain[f] * value + first[f] * memory_[f][0] + second[f] * memory_[f][1];
        memory_[f][1] = memory_[f][0];
        memory_[f][0] = value;
      }
      sample += sound.voicing > 0 ? value : source;
    }
  }

  Rng& rng_;
  double pitch_hz_;
  double tract_;  ///< scale of the formants: shorter in higher voices
  Articulation now_;
  double phase_ = 0;
  std::array<std::array<double, 2>, kFormants> memory_{};
};

}  // namespace

Eigen::VectorXd make_babble(Index size, int sample_rate_hz, Rng& rng) {
  const auto samples =
      static_cast<Index>(std::ceil(static_cast<double>(size) * kRateHz / sample_rate_hz));
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(samples);
  for (int v = 0; v < kVoices; ++v) Voice(rng).add_to(sum);
  if (sample_rate_hz == kRateHz) return sum;
  return soxr_resample(sum.cast<float>(), kRateHz, sample_rate_hz, size).cast<double>();
}

}  // namespace ser
