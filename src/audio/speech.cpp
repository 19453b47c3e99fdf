#include "ser/audio/speech.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>
#include <utility>

#include "core/internal/numbers.h"
#include "ser/audio/resample.h"

namespace ser {
namespace {

using Eigen::Index;

constexpr int kRateHz = 8000;  // telephone speech has all that is looked at
constexpr int kFrame = 256;
constexpr int kHop = 128;
constexpr double kHopS = static_cast<double>(kHop) / kRateHz;
constexpr int kShortestLag = 13, kLongestLag = 114;  // 615 to 70 Hz
constexpr int kFirstLag = kShortestLag - 1, kLags = kLongestLag + 2 - kFirstLag;
constexpr Index kFrameReach = kFrame + kLongestLag + 1;
constexpr int kBands = 14;
constexpr double kPieceS = 5;
constexpr double kAroundVoiceS = 0.2;

constexpr double kActiveRange_dB = 30;
constexpr float kVoicedPeriodicity = 0.6f;
constexpr double kLongestLeap_st = 1.5;  // between frames of one voice
constexpr int kChangeHops = 4;           // 64 ms, about half a sound of speech
constexpr double kBandRange_dB = 40;

using Flags = Eigen::Array<bool, Eigen::Dynamic, 1>;

/// What is measured in each frame; but for the level, in those that are loud enough to count alone.
struct Frames {
  Eigen::VectorXd level_db;
  Flags active;
  Eigen::VectorXd tilt_db;  ///< energy above 2 kHz over that below
  Eigen::MatrixXd bands_db;
  Eigen::VectorXf periodicity;
  Eigen::VectorXf pitch_hz;  ///< 0 where there is no period

  explicit Frames(Eigen::VectorXd levels_db)
      : level_db(std::move(levels_db)),
        active(level_db.array() > level_db.maxCoeff() - kActiveRange_dB),
        tilt_db(Eigen::VectorXd::Zero(count())),
        bands_db(Eigen::MatrixXd::Zero(kBands, count())),
        periodicity(Eigen::VectorXf::Zero(count())),
        pitch_hz(Eigen::VectorXf::Zero(count())) {}
  Index count() const { return level_db.size(); }
};

/// First-order high-pass at 300 Hz: brown noise and rumble become nearly white, so that their slow
/// drift is no period.
void high_pass(Eigen::VectorXf& samples) {
  const auto pole = static_cast<float>(std::exp(-2 * std::numbers::pi * 300 / kRateHz));
  float input = samples[0], output = 0;
  for (float& sample : samples) {
    output = sample - input + pole * output;
    input = sample;
    sample = output;
  }
}

/// Bin edges of bands that are equally wide in Bark (Traunmueller 1990), 150 to 3,800 Hz.
std::array<int, kBands + 1> band_edges() {
  const auto bark = [](double hz) { return 26.81 * hz / (1960 + hz) - 0.53; };
  std::array<int, kBands + 1> edges{};
  for (int b = 0; b <= kBands; ++b) {
    const double z = bark(150) + (bark(3800) - bark(150)) * b / kBands;
    const double hz = 1960 * (z + 0.53) / (26.28 - z);
    edges[b] = static_cast<int>(std::lround(hz * kFrame / kRateHz));
  }
  return edges;
}

struct Period {
  float periodicity = 0;
  float hz = 0;
};

/// The shortest of the best periods by normalised cross-correlation (Talkin 1995): the first peak
/// that reaches nine tenths of the highest.
/// samples: kFrameReach of them.
Period best_period(const float* samples) {
  using Lagged = Eigen::Map<const Eigen::MatrixXf, Eigen::Unaligned, Eigen::OuterStride<1>>;
  const Eigen::Map<const Eigen::VectorXf> frame(samples, kFrame);
  Eigen::Vector<float, kLags> correlation =
      Lagged(samples + kFirstLag, kFrame, kLags, Eigen::OuterStride<1>(1)).transpose() * frame;
  const double energy = frame.cast<double>().squaredNorm();
  Eigen::Array<double, kLags, 1> lagged_energy;
  lagged_energy[0] =
      Eigen::Map<const Eigen::VectorXf>(samples + kFirstLag, kFrame).cast<double>().squaredNorm();
  for (int i = 1; i < kLags; ++i) {
    const double leaves = samples[kFirstLag + i - 1], enters = samples[kFirstLag + i - 1 + kFrame];
    lagged_energy[i] = lagged_energy[i - 1] + enters * enters - leaves * leaves;
  }
  correlation.array() /= ((energy * lagged_energy.max(0.0)).sqrt() + 1e-20).cast<float>();
  const auto is_peak = [&](int i) {
    return correlation[i] > correlation[i - 1] && correlation[i] >= correlation[i + 1];
  };
  float highest = 0;
  for (int i = 1; i + 1 < kLags; ++i)
    if (is_peak(i)) highest = std::max(highest, correlation[i]);
  for (int i = 1; i + 1 < kLags; ++i) {
    if (!is_peak(i) || correlation[i] <= 0.9f * highest) continue;
    const float left = correlation[i - 1], centre = correlation[i], right = correlation[i + 1];
    const float shift = 0.5f * (left - right) / (left + right - 2 * centre);
    return {centre, kRateHz / (static_cast<float>(kFirstLag + i) + shift)};
  }
  return {};
}

/// The cosines and sines of a transform of kFrame real samples, [bins x samples]: of the samples up
/// to the middle, those behind it being added to, or taken from, their mirrors.
struct Waves {
  static constexpr int kHalf = kFrame / 2;
  Eigen::MatrixXf cosines{kHalf + 1, kHalf + 1}, sines{kHalf + 1, kHalf - 1};

  Waves() {
    const auto wave = [](int turns) {  // of a circle's kFrame parts
      return static_cast<float>(std::cos(2 * std::numbers::pi * turns / kFrame));
    };
    const auto table = Eigen::VectorXf::NullaryExpr(kFrame, wave).eval();
    for (int k = 0; k <= kHalf; ++k)
      for (int n = 0; n <= kHalf; ++n) {
        cosines(k, n) = table[k * n % kFrame];
        if (n > 0 && n < kHalf) sines(k, n - 1) = table[(k * n + 3 * kFrame / 4) % kFrame];
      }
  }
};

/// Power spectra of frames, [bins x frames] of [kFrame x frames]: with so short frames, products of
/// matrices are faster than transforms one by one.
Eigen::MatrixXf power_spectra(const Eigen::MatrixXf& frames) {
  static const Waves kWaves;
  constexpr int kHalf = Waves::kHalf;
  const auto first = frames.middleRows(1, kHalf - 1);
  const auto mirrors = frames.bottomRows(kHalf - 1).colwise().reverse();
  Eigen::MatrixXf even(kHalf + 1, frames.cols());
  even.row(0) = frames.row(0);
  even.middleRows(1, kHalf - 1) = first + mirrors;
  even.row(kHalf) = frames.row(kHalf);
  const Eigen::MatrixXf odd = first - mirrors;
  return (kWaves.cosines * even).cwiseAbs2() + (kWaves.sines * odd).cwiseAbs2();
}

double decibel(double power) { return 10 * std::log10(power + 1e-30); }

/// Tilt and bands of the active frames.
void measure_spectra(const Eigen::VectorXf& samples, Frames& frames) {
  static const std::array<int, kBands + 1> kEdges = band_edges();
  const Eigen::VectorXf window = Eigen::VectorXf::NullaryExpr(kFrame, [](Index i) {
    return static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * (i + 0.5) / kFrame));
  });
  Eigen::MatrixXf windowed(kFrame, frames.active.count());
  Index i = 0;
  for (Index t = 0; t < frames.count(); ++t)
    if (frames.active[t])
      windowed.col(i++) = samples.segment(t * kHop, kFrame).cwiseProduct(window);
  const Eigen::MatrixXf spectra = power_spectra(windowed);
  i = 0;
  for (Index t = 0; t < frames.count(); ++t) {
    if (!frames.active[t]) continue;
    const Eigen::VectorXd power = spectra.col(i++).cast<double>();
    constexpr int kBin2kHz = 2000 * kFrame / kRateHz;
    frames.tilt_db[t] = decibel(power.tail(power.size() - kBin2kHz - 1).sum()) -
                        decibel(power.head(kBin2kHz + 1).sum());
    for (std::size_t b = 0; b < kBands; ++b)
      frames.bands_db(b, t) = decibel(power.segment(kEdges[b], kEdges[b + 1] - kEdges[b]).mean());
  }
}

/// samples: high-passed, at kRateHz, kFrameReach of them at least.
Frames analyse(const Eigen::VectorXf& samples) {
  Eigen::VectorXd level_db((samples.size() - kFrameReach) / kHop + 1);
  for (Index t = 0; t < level_db.size(); ++t)
    level_db[t] = decibel(samples.segment(t * kHop, kFrame).cast<double>().squaredNorm() / kFrame);
  Frames frames(std::move(level_db));
  for (Index t = 0; t < frames.count(); ++t) {
    if (!frames.active[t]) continue;
    const Period period = best_period(samples.data() + t * kHop);
    frames.periodicity[t] = period.periodicity;
    frames.pitch_hz[t] = period.hz;
  }
  measure_spectra(samples, frames);
  return frames;
}

/// What tells speech from other sounds, over the frames of one piece.
struct Measures {
  double voiced_s = 0;
  double pitch_speed = 0;         ///< of the voice, semitones a second, median
  double fast_pitch_speed = 0;    ///< 85th percentile
  double spectral_change_db = 0;  ///< of the voice in 64 ms, level apart, median
  double tilt_spread_db = 0;      ///< standard deviation over what is loud enough
  double syllabic = 0;    ///< RMS of the envelope's modulation at 2 to 8 Hz, relative to its mean
  double percussive = 0;  ///< the same above 8 Hz
};

double leap_semitones(const Frames& frames, Index t) {
  return 12 * std::abs(std::log2(frames.pitch_hz[t] / frames.pitch_hz[t - 1]));
}

/// Whether frames t - 1 and t are periodic and of one voice.
bool goes_on(const Frames& frames, const Flags& periodic, Index t) {
  return t > 0 && t < frames.count() && periodic[t - 1] && periodic[t] &&
         leap_semitones(frames, t) < kLongestLeap_st;
}

/// Distance of the spectra of two frames, overall level and what lies 40 dB below the peak apart.
double spectral_distance_db(const Frames& frames, Index a, Index b) {
  const auto floored = [&](Index t) {
    const auto bands = frames.bands_db.col(t).array();
    return bands.max(bands.maxCoeff() - kBandRange_dB).eval();
  };
  const Eigen::ArrayXd difference = floored(a) - floored(b);
  return std::sqrt((difference - difference.mean()).square().mean());
}

void measure_modulation(const Eigen::VectorXd& level_db, Measures& m) {
  const Eigen::ArrayXd amplitude = (level_db.array() / 20 * std::numbers::ln10).exp();
  const double mean = amplitude.mean();
  const Eigen::ArrayXd envelope = amplitude / mean - 1;
  const double count = envelope.size();
  double slow = 0, syllabic = 0;
  for (int k = 1; k <= envelope.size() / 2; ++k) {
    const double hz = k / (count * kHopS);
    if (hz > 8) break;
    const std::complex<double> step = std::polar(1.0, -2 * std::numbers::pi * k / count);
    std::complex<double> sum = 0, phasor = 1;
    for (const double value : envelope) {
      sum += value * phasor;
      phasor *= step;
    }
    (hz < 2 ? slow : syllabic) += 2 * std::norm(sum) / (count * count);
  }
  m.syllabic = std::sqrt(syllabic);
  m.percussive = std::sqrt(std::max(0.0, envelope.square().mean() - slow - syllabic));
}

Flags voiced_frames(const Frames& frames) {
  const Flags periodic = frames.active && frames.periodicity.array() > kVoicedPeriodicity;
  Flags voiced(frames.count());
  for (Index t = 0; t < frames.count(); ++t)
    voiced[t] = goes_on(frames, periodic, t) || goes_on(frames, periodic, t + 1);
  return voiced;
}

Measures measure(const Frames& frames, const Flags& voiced) {
  Measures m;
  m.voiced_s = static_cast<double>(voiced.count()) * kHopS;
  std::vector<double> speeds, changes;
  for (Index t = 1; t < frames.count(); ++t)
    if (goes_on(frames, voiced, t)) speeds.push_back(leap_semitones(frames, t) / kHopS);
  for (Index t = kChangeHops; t < frames.count(); ++t)
    if (voiced[t] && voiced[t - kChangeHops])
      changes.push_back(spectral_distance_db(frames, t, t - kChangeHops));
  m.pitch_speed = ranked(speeds, 0.5);
  m.fast_pitch_speed = ranked(speeds, 0.85);
  m.spectral_change_db = ranked(changes, 0.5);
  const Eigen::ArrayXd weights = frames.active.cast<double>();
  const double mean = (weights * frames.tilt_db.array()).sum() / weights.sum();
  m.tilt_spread_db =
      std::sqrt((weights * (frames.tilt_db.array() - mean).square()).sum() / weights.sum());
  measure_modulation(frames.level_db, m);
  return m;
}

constexpr double kLeastVoiced_s = 0.15;

/// Each threshold leaves out at most one in two hundred recordings of acted speech; they were set
/// on half of the recordings that the README names.
bool is_spoken(const Measures& m) {
  const bool glides = m.pitch_speed >= 3;                // a held note does not
  const bool articulates = m.spectral_change_db >= 2.8;  // the timbre of an instrument stays
  const bool has_syllables = m.syllabic >= 0.2;          // sirens and sweeps have none
  // Fricatives and vowels take turns: less in instruments, more in kick drums and sweeps.
  const bool alternates = m.tilt_spread_db >= 2.5 && m.tilt_spread_db <= 20;
  // Drums begin sharply and their pitch is haphazard, while their spectrum stays.
  const bool is_drummed = m.percussive * m.fast_pitch_speed > 6 * m.syllabic * m.spectral_change_db;
  return m.voiced_s >= kLeastVoiced_s && glides && articulates && has_syllables && alternates &&
         !is_drummed;
}

/// The voiced frames with what lies around them, as samples of the recording from `begin` on.
void add_parts(const Flags& voiced, Index begin, Index size, int sample_rate_hz,
               std::vector<SampleRange>& parts) {
  const double rate = sample_rate_hz;
  for (Index t = 0; t < voiced.size(); ++t) {
    if (!voiced[t]) continue;
    const double from_s = static_cast<double>(t) * kHopS - kAroundVoiceS;
    const double to_s = static_cast<double>(t * kHop + kFrame) / kRateHz + kAroundVoiceS;
    const SampleRange part{std::max<Index>(0, begin + std::lround(from_s * rate)),
                           std::min<Index>(size, begin + std::lround(to_s * rate))};
    if (!parts.empty() && part.begin <= parts.back().end)
      parts.back().end = part.end;
    else
      parts.push_back(part);
  }
}

}  // namespace

Speech find_speech(const Waveform& wave) {
  const Index size = wave.samples.size();
  const auto num_pieces =
      std::max<Index>(1, static_cast<Index>(std::ceil(wave.duration_s() / kPieceS)));
  Index with_voice = 0, spoken = 0;
  Speech speech;
  for (Index i = 0; i < num_pieces; ++i) {
    const Index begin = size * i / num_pieces, end = size * (i + 1) / num_pieces;
    const auto samples = wave.samples.segment(begin, end - begin);
    if (samples.size() == 0 || samples.isZero(0)) continue;
    Waveform piece = resample({samples, wave.sample_rate_hz}, kRateHz);
    high_pass(piece.samples);
    if (piece.samples.size() < kFrameReach) continue;
    const Frames frames = analyse(piece.samples);
    const Flags voiced = voiced_frames(frames);
    const Measures m = measure(frames, voiced);
    if (m.voiced_s < kLeastVoiced_s) continue;
    ++with_voice;
    if (!is_spoken(m)) continue;
    ++spoken;
    add_parts(voiced, begin, size, wave.sample_rate_hz, speech.parts);
  }
  speech.found = spoken > 0 && 4 * spoken >= with_voice;
  if (!speech.found) speech.parts.clear();
  return speech;
}

bool is_speech(const Waveform& wave) { return find_speech(wave).found; }

}  // namespace ser
