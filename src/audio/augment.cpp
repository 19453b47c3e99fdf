#include "ser/audio/augment.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <set>
#include <unsupported/Eigen/FFT>

#include "audio/soxr_resample.h"
#include "core/internal/fail.h"
#include "ser/audio/level.h"
#include "ser/audio/low_cut.h"
#include "ser/audio/resample.h"
#include "ser/core/text.h"

namespace ser {
namespace {

using Eigen::Index;

constexpr int kVoices = 6;
constexpr int kVoicesRateHz = 16000;
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
      const Index steps = std::lround(seconds * kVoicesRateHz) / kStep;
      const Articulation next = draw_sound();
      for (Index s = 0; s < steps && begin < sum.size(); ++s, begin += kStep) {
        const double share = static_cast<double>(s) / steps;
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
      const double radius = std::exp(-std::numbers::pi * kBandwidthHz[f] / kVoicesRateHz);
      second[f] = -radius * radius;
      first[f] = 2 * radius * std::cos(2 * std::numbers::pi * sound.formants_hz[f] / kVoicesRateHz);
      gain[f] = 1 - first[f] - second[f];
    }
    const double noise = sound.voicing > 0 ? kBreath : kFricative;
    for (double& sample : out) {
      phase_ += sound.pitch_hz / kVoicesRateHz;
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

/// A murmur of six synthetic voices that talk at once, each with a pitch, a vocal tract and a tempo
/// of its own: nobody's recording. Vowels (a sawtooth through four formants, in series as in Klatt
/// 1980) and fricatives (noise in their place) in syllables of 0.12 to 0.28 s, with pauses. Nothing
/// above 8 kHz. The level has no meaning.
Eigen::VectorXd make_babble(Index size, int sample_rate_hz, Rng& rng) {
  const auto samples =
      static_cast<Index>(std::ceil(static_cast<double>(size) * kVoicesRateHz / sample_rate_hz));
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(samples);
  for (int v = 0; v < kVoices; ++v) Voice(rng).add_to(sum);
  if (sample_rate_hz == kVoicesRateHz) return sum;
  return soxr_resample(sum.cast<float>(), kVoicesRateHz, sample_rate_hz, size).cast<double>();
}

/// Convolution, as long as the wave.
Eigen::VectorXf convolve(const Eigen::VectorXf& wave, const Eigen::VectorXf& response) {
  Eigen::Index size = 1;
  while (size < wave.size() + response.size()) size *= 2;
  const auto spectrum = [&](const Eigen::VectorXf& signal) {
    Eigen::VectorXf padded = Eigen::VectorXf::Zero(size);
    padded.head(signal.size()) = signal;
    Eigen::VectorXcf values;
    Eigen::FFT<float>().fwd(values, padded);
    return values;
  };
  const Eigen::VectorXcf product = spectrum(wave).cwiseProduct(spectrum(response));
  Eigen::VectorXf result;
  Eigen::FFT<float>().inv(result, product);
  return result.head(wave.size());
}

/// A room: the sound itself and a tail of noise that falls by 60 dB in `rt60_s`, both of the same
/// energy (Polack 1988); at the level of the recording, with its size.
Waveform reverberated(const Waveform& wave, double rt60_s, Rng& rng) {
  Eigen::VectorXf response(std::lround(rt60_s * wave.sample_rate_hz));
  const double decay = std::log(1000.0) / static_cast<double>(response.size());
  for (Eigen::Index i = 0; i < response.size(); ++i)
    response[i] = static_cast<float>(rng.normal() * std::exp(-decay * static_cast<double>(i)));
  response /= response.norm();
  response[0] = 1;
  Eigen::VectorXf wet = convolve(wave.samples, response);
  const float level = wet.norm();
  if (level > 0) wet *= wave.samples.norm() / level;
  return {wet, wave.sample_rate_hz};
}

using Kind = AugmentationStep::Kind;

Waveform change_speed(const Waveform& wave, double factor, Rng&) {
  const Eigen::Index size = std::lround(static_cast<double>(wave.samples.size()) / factor);
  return {soxr_resample(wave.samples, factor, 1, size), wave.sample_rate_hz};
}

Waveform change_gain(const Waveform& wave, double gain_db, Rng&) {
  return {wave.samples * static_cast<float>(std::pow(10, gain_db / 20)), wave.sample_rate_hz};
}

/// The sum of the wave and `noise`, which is scaled to be `snr_db` below the voice. The noise
/// itself, not its expectation, has the level asked for.
Waveform mix(const Waveform& wave, const Eigen::VectorXd& noise, double snr_db) {
  const double noise_rms = std::sqrt(noise.squaredNorm() / static_cast<double>(noise.size()));
  if (!(noise_rms > 0)) return wave;
  const double scale = active_rms(wave) * std::pow(10, -snr_db / 20) / noise_rms;
  return {(wave.samples.cast<double>() + scale * noise).cast<float>(), wave.sample_rate_hz};
}

Waveform add_noise(const Waveform& wave, double snr_db, Rng& rng) {
  Eigen::VectorXd noise(wave.samples.size());
  for (double& sample : noise) sample = rng.normal();
  return mix(wave, noise, snr_db);
}

Waveform add_babble(const Waveform& wave, double snr_db, Rng& rng) {
  return mix(wave, make_babble(wave.samples.size(), wave.sample_rate_hz, rng), snr_db);
}

Waveform limit_band(const Waveform& wave, double limit_hz, Rng&) {
  const int low_rate_hz = static_cast<int>(std::lround(2 * limit_hz));
  if (low_rate_hz >= wave.sample_rate_hz) return wave;
  Eigen::VectorXf limited = resample(resample(wave, low_rate_hz), wave.sample_rate_hz).samples;
  limited.conservativeResizeLike(Eigen::VectorXf::Zero(wave.samples.size()));
  return {limited, wave.sample_rate_hz};
}

Waveform remove_lows(const Waveform& wave, double limit_hz, Rng&) {
  return low_cut(wave, limit_hz);
}

struct KindRow {
  Kind kind;
  std::string_view name;
  double lowest;
  double highest;
  Waveform (*apply)(const Waveform& wave, double amount, Rng& rng);
};

constexpr std::array kKinds = {
    KindRow{Kind::kSpeed, "speed", 0.5, 2, change_speed},
    KindRow{Kind::kGain, "gain", -60, 60, change_gain},
    KindRow{Kind::kNoise, "noise", -20, 100, add_noise},
    KindRow{Kind::kBabble, "babble", -20, 100, add_babble},
    KindRow{Kind::kBand, "band", 500, 100000, limit_band},
    KindRow{Kind::kLowCut, "low_cut", 20, 400, remove_lows},
    KindRow{Kind::kReverb, "reverb", 0.05, 5, reverberated},
};

const KindRow& row_of(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Kind parse_kind(std::string_view name) {
  std::vector<std::string> names;
  for (const KindRow& row : kKinds) {
    if (row.name == name) return row.kind;
    names.emplace_back(row.name);
  }
  fail("augmentation: expected one of {}, found '{}'{}", join(names, ", "), name,
       did_you_mean(name, names));
}

double parse_amount(std::string_view text, const KindRow& row) {
  const double amount = parse_double(text, fmt::format("augmentation {}", row.name));
  if (amount < row.lowest || amount > row.highest)
    fail("augmentation {}: expected {} to {}, found {}", row.name, row.lowest, row.highest, amount);
  return amount;
}

}  // namespace

std::vector<Augmentation> parse_augmentations(std::string_view list) {
  std::vector<Augmentation> augmentations;
  std::set<std::string> names;
  std::optional<Kind> kind;  // of the step before
  for (const std::string& copy : split(list, ',')) {
    Augmentation& steps = augmentations.emplace_back();
    if (trim(copy).empty()) fail("augmentation: expected KIND:AMOUNT, found nothing");
    for (const std::string& part : split(copy, '+')) {
      const std::string_view item = trim(part);
      const std::size_t colon = item.find(':');
      if (colon != std::string_view::npos) kind = parse_kind(item.substr(0, colon));
      if (!kind) fail("augmentation: expected KIND:AMOUNT such as speed:0.9, found '{}'", item);
      const std::string_view amount = item.substr(colon == std::string_view::npos ? 0 : colon + 1);
      steps.push_back({*kind, parse_amount(amount, row_of(*kind))});
    }
    if (!names.insert(augmentation_name(steps)).second)
      fail("augmentation: expected each copy once, found {} twice", augmentation_name(steps));
  }
  return augmentations;
}

std::string augmentation_name(const Augmentation& augmentation) {
  std::vector<std::string> names;
  for (const AugmentationStep& step : augmentation)
    names.push_back(fmt::format("{}:{}", row_of(step.kind).name, step.amount));
  return join(names, "+");
}

Waveform augment(const Waveform& wave, const Augmentation& augmentation, Rng& rng) {
  Waveform changed = wave;
  for (const AugmentationStep& step : augmentation)
    changed = row_of(step.kind).apply(changed, step.amount, rng);
  return changed;
}

}  // namespace ser
