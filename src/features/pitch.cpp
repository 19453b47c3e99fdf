#include "ser/features/pitch.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "features/frame_blocks.h"
#include "features/pitch_plan.h"
#include "features/registry.h"
#include "ser/core/error.h"
#include "ser/features/analysis.h"
#include "ser/features/stft.h"

namespace ser {
namespace {

constexpr double kNoTroughWeight = 0.01;  // of thresholds below the deepest trough
constexpr double kTroughDecay = 2;        // Boltzmann parameter: early troughs are preferred
constexpr double kSwitchProbability = 0.01;
constexpr double kUnvoicedWeight = 0.003;
constexpr double kSemitonesPerSecond = 215;  // half of pYIN's 35.92 octaves, to either side
constexpr double kSilence = 1e-5;            // energy relative to the loudest frame

class PitchFeature : public FeatureWith<PitchFeature, PitchOptions> {
 public:
  static constexpr std::string_view kType = "f0";
  int hop_samples() const override { return options_.hop_samples; }
  bool voiced_only(std::size_t row) const override { return row == 0; }
  PitchOptions voicing(int) const override { return options_; }
  FrameMatrix compute(const Analysis& analysis) const override {
    const PitchTrack& track = analysis.pitch(options_);
    FrameMatrix rows(2, track.hz.size());
    rows.row(0) = track.hz.transpose();
    rows.row(1) = track.periodicity.transpose();
    return rows;
  }

 protected:
  std::vector<std::string> base_names() const override { return {"f0.hz", "f0.periodicity"}; }
};

int transform_size(const PitchOptions& options, int sample_rate_hz) {
  if (!(options.low_hz > 0 && options.low_hz < options.high_hz &&
        options.high_hz < sample_rate_hz / 2.0))
    throw Error(fmt::format("f0: expected 0 < low_hz < high_hz < {} Hz, found {} and {} Hz",
                            sample_rate_hz / 2.0, options.low_hz, options.high_hz));
  if (options.frame_samples < 2 * sample_rate_hz / options.low_hz || options.frame_samples > 32768)
    throw Error(
        fmt::format("f0: expected frame_samples from two periods of low_hz ({}) to 32768, found {}",
                    std::ceil(2 * sample_rate_hz / options.low_hz), options.frame_samples));
  if (!(options.min_periodicity >= 0 && options.min_periodicity <= 1))
    throw Error(
        fmt::format("f0: expected min_periodicity in [0, 1], found {}", options.min_periodicity));
  if (options.hop_samples < 1)
    throw Error(fmt::format("hop_samples: expected at least 1, found {}", options.hop_samples));
  check_overlap(options.frame_samples, options.hop_samples);
  const double needed = options.frame_samples + std::ceil(sample_rate_hz / options.low_hz) + 2;
  return static_cast<int>(std::bit_ceil(static_cast<unsigned>(needed)));
}

/// Cumulative distribution function of beta(2, 18).
double beta_cdf(double x) { return 1 - std::pow(1 - x, 18) * (1 + 18 * x); }

/// Prefix sums of squares: entry i is the energy of samples [0, i - before).
std::vector<double> running_energy(const Eigen::VectorXf& samples, Eigen::Index before,
                                   Eigen::Index after) {
  std::vector<double> energy(static_cast<std::size_t>(before + samples.size() + after + 1));
  for (Eigen::Index i = 0; i < before + samples.size() + after; ++i) {
    const Eigen::Index n = i - before;
    const double sample = n >= 0 && n < samples.size() ? samples[n] : 0.0;
    energy[static_cast<std::size_t>(i) + 1] = energy[static_cast<std::size_t>(i)] + sample * sample;
  }
  return energy;
}

}  // namespace

void PitchOptions::visit(FieldVisitor& v) {
  v.field("frame_samples", frame_samples, "Samples of a frame", Range{2, 32768});
  v.field("hop_samples", hop_samples, "Samples from one frame to the next", Range{1, 1 << 20});
  v.field("low_hz", low_hz, "Lowest fundamental frequency, Hz", Range{0, 1e6}.above());
  v.field("high_hz", high_hz, "Highest fundamental frequency, Hz", Range{0, 1e6}.above());
  v.field("min_periodicity", min_periodicity, "Less periodic frames are unvoiced, 0 to 1",
          Range{0, 1});
}

PitchPlan::PitchPlan(const PitchOptions& options, int sample_rate_hz)
    : options_(options),
      sample_rate_hz_(sample_rate_hz),
      fft_(transform_size(options, sample_rate_hz)) {
  shortest_lag_ = std::max(2, static_cast<int>(std::floor(sample_rate_hz / options.high_hz)));
  longest_lag_ = static_cast<int>(std::ceil(sample_rate_hz / options.low_hz));
  for (int i = 0; i < kThresholds; ++i)
    threshold_weights_[static_cast<std::size_t>(i)] =
        beta_cdf((i + 1.0) / kThresholds) - beta_cdf(static_cast<double>(i) / kThresholds);
  const double decay = std::exp(-kTroughDecay);
  for (int n = 0; n <= longest_lag_ - shortest_lag_ + 1; ++n)
    decayed_.push_back(1 - std::pow(decay, static_cast<double>(n)));
}

/// correlation: [lags x frames], sums of x[n] x[n + lag] inside each frame.
void PitchPlan::correlate(const Eigen::VectorXf& samples, Eigen::MatrixXf& correlation) const {
  constexpr int kLanes = BatchFft::kLanes;
  const int size = fft_.size();
  const FrameBlocks blocks(samples, options_.frame_samples, options_.hop_samples);
  std::vector<BatchFft::Real> inside(static_cast<std::size_t>(size), 0);
  std::fill_n(inside.begin(), options_.frame_samples, 1);
  const std::vector<BatchFft::Real> scale(static_cast<std::size_t>(size), 1.0 / size);
  std::vector<const float*> rows(blocks.rows().begin(), blocks.rows().end());
  rows.resize(static_cast<std::size_t>(size), rows[0]);

  Eigen::VectorX<BatchFft::Real> scratch(fft_.scratch_size());
  Eigen::VectorXf power(Eigen::Index{fft_.num_bins()} * kLanes),
      lagged(correlation.rows() * kLanes);
  std::vector<const float*> power_rows;
  for (int n = 0; n < size; ++n)
    power_rows.push_back(power.data() + Eigen::Index{std::min(n, size - n)} * kLanes);
  for (Eigen::Index first = 0; first < blocks.frames(); first += kLanes) {
    fft_.power(rows, first, inside, scratch.data(), power.data());
    // A power spectrum is real and even, so its forward transform is the inverse one.
    fft_.real_parts(power_rows, 0, scale, scratch.data(), static_cast<int>(correlation.rows()),
                    lagged.data());
    const auto lags =
        Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, kLanes, Eigen::RowMajor>>(
            lagged.data(), correlation.rows(), kLanes);
    const Eigen::Index count = std::min<Eigen::Index>(kLanes, blocks.frames() - first);
    for (Eigen::Index l = 0; l < count; ++l) correlation.col(first + l) = lags.col(l);
  }
}

/// energy: running energy at the frame's first sample.
PitchPlan::Candidates PitchPlan::candidates(const float* correlation, const double* energy) const {
  const int size = options_.frame_samples, lags = longest_lag_ + 2;
  Eigen::ArrayXd difference(lags);
  Eigen::ArrayXf normalised(lags), similarity(lags);
  for (int lag = 0; lag < lags; ++lag) {
    const double both = energy[size - lag] - energy[0] + energy[size] - energy[lag];
    const double twice = 2.0 * correlation[lag];
    difference[lag] = std::max(0.0, both - twice) * size / (size - lag);
    similarity[lag] = both > 0 ? static_cast<float>(twice / (both > 0 ? both : 1)) : 0.0f;
  }
  Eigen::ArrayXd sum(lags);
  sum[0] = 0;
  for (int lag = 1; lag < lags; ++lag) sum[lag] = sum[lag - 1] + difference[lag];
  normalised[0] = 1;
  for (int lag = 1; lag < lags; ++lag)
    normalised[lag] =
        sum[lag] > 0 ? static_cast<float>(difference[lag] * lag / (sum[lag] > 0 ? sum[lag] : 1))
                     : 1.0f;
  Candidates found;
  std::vector<float> depths;
  for (int lag = shortest_lag_; lag <= longest_lag_; ++lag) {
    const float left = normalised[lag - 1], centre = normalised[lag], right = normalised[lag + 1];
    if (!(centre < left && centre <= right)) continue;
    if (similarity[lag] < options_.min_periodicity) continue;
    const float curvature = left + right - 2 * centre, slope = 0.5f * (right - left);
    const float shift = curvature > std::abs(slope) ? -slope / curvature : 0;
    const float refined = static_cast<float>(lag) + shift;
    const float hz = static_cast<float>(sample_rate_hz_) / refined;
    found.push_back({refined, 12 * std::log2(hz), 0, std::clamp(similarity[lag], 0.0f, 1.0f)});
    depths.push_back(centre);
  }
  weigh(found, depths);
  return found;
}

void PitchPlan::weigh(Candidates& found, const std::vector<float>& depths) const {
  if (found.empty()) return;
  const auto deepest =
      static_cast<std::size_t>(std::min_element(depths.begin(), depths.end()) - depths.begin());
  const double decay = std::exp(-kTroughDecay);
  std::vector<std::size_t> below;
  float deepest_above = depths[deepest];
  double missed = 0;
  for (int i = 0; i < kThresholds; ++i) {
    const double threshold = (i + 1.0) / kThresholds;
    const double weight = threshold_weights_[static_cast<std::size_t>(i)];
    if (depths[deepest] >= threshold) {
      missed += weight;
      continue;
    }
    if (deepest_above < threshold) {
      below.clear();
      deepest_above = std::numeric_limits<float>::infinity();
      for (std::size_t c = 0; c < depths.size(); ++c)
        if (depths[c] < threshold)
          below.push_back(c);
        else
          deepest_above = std::min(deepest_above, depths[c]);
    }
    double share = weight * (1 - decay) / decayed_[below.size()];
    for (const std::size_t c : below) {
      found[c].probability += static_cast<float>(share);
      share *= decay;
    }
  }
  found[deepest].probability += static_cast<float>(kNoTroughWeight * missed);
}

/// For each frame the index of its candidate, or -1 for unvoiced. Scores are log probabilities.
std::vector<int> PitchPlan::best_path(const std::vector<Candidates>& frames) const {
  const double widest = kSemitonesPerSecond * options_.hop_samples / sample_rate_hz_;
  const double stay = std::log(1 - kSwitchProbability), change = std::log(kSwitchProbability);
  const auto leap = [&](const Candidate& a, const Candidate& b) {
    const double distance = std::abs(static_cast<double>(a.semitones) - b.semitones);
    return stay + std::log(std::max(1e-4, 1 - distance / widest));
  };
  // State 0 is unvoiced, state c + 1 is candidate c.
  std::vector<std::vector<int>> from(frames.size());
  std::vector<double> score{0}, next;
  for (std::size_t t = 0; t < frames.size(); ++t) {
    const Candidates& now = frames[t];
    double voiced = 0;
    for (const Candidate& c : now) voiced += c.probability;
    next.assign(now.size() + 1, 0);
    from[t].assign(now.size() + 1, 0);
    for (std::size_t s = 0; s <= now.size(); ++s) {
      double best = -1e300;
      for (std::size_t p = 0; p < score.size(); ++p) {
        double step = (s == 0) == (p == 0) ? stay : change;
        if (s > 0 && p > 0) step = leap(frames[t - 1][p - 1], now[s - 1]);
        if (score[p] + step > best) {
          best = score[p] + step;
          from[t][s] = static_cast<int>(p);
        }
      }
      const double seen = s == 0 ? kUnvoicedWeight * (1 - voiced) : now[s - 1].probability;
      next[s] = best + std::log(std::max(1e-12, seen));
    }
    score.swap(next);
  }
  std::vector<int> path(frames.size());
  auto state = static_cast<int>(std::max_element(score.begin(), score.end()) - score.begin());
  for (std::size_t t = frames.size(); t-- > 0;) {
    path[t] = state - 1;
    state = from[t][static_cast<std::size_t>(state)];
  }
  return path;
}

PitchTrack PitchPlan::track(const Eigen::VectorXf& samples) const {
  const Eigen::Index count = num_frames(samples.size(), options_.hop_samples);
  const Eigen::Index size = options_.frame_samples;
  Eigen::MatrixXf correlation(longest_lag_ + 2, count);
  correlate(samples, correlation);
  const std::vector<double> energy = running_energy(samples, size / 2, size);
  const auto frame_energy = [&](Eigen::Index t) {
    const double* begin = energy.data() + t * options_.hop_samples;
    return begin[size] - begin[0];
  };
  double loudest = 0;
  for (Eigen::Index t = 0; t < count; ++t) loudest = std::max(loudest, frame_energy(t));
  std::vector<Candidates> frames(static_cast<std::size_t>(count));
  for (Eigen::Index t = 0; t < count; ++t)
    if (frame_energy(t) > kSilence * loudest)
      frames[static_cast<std::size_t>(t)] =
          candidates(correlation.col(t).data(), energy.data() + t * options_.hop_samples);

  const std::vector<int> path = best_path(frames);
  PitchTrack track{Eigen::VectorXf::Zero(count), Eigen::VectorXf::Zero(count)};
  for (Eigen::Index t = 0; t < count; ++t) {
    const Candidates& found = frames[static_cast<std::size_t>(t)];
    const int chosen = path[static_cast<std::size_t>(t)];
    for (const Candidate& c : found)
      track.periodicity[t] = std::max(track.periodicity[t], c.periodicity);
    if (chosen < 0) continue;
    const Candidate& c = found[static_cast<std::size_t>(chosen)];
    track.hz[t] = static_cast<float>(sample_rate_hz_) / c.lag;
    track.periodicity[t] = c.periodicity;
  }
  return track;
}

PitchTrack track_pitch(const Eigen::VectorXf& samples, int sample_rate_hz,
                       const PitchOptions& options) {
  return PitchPlan(options, sample_rate_hz).track(samples);
}

std::unique_ptr<Feature> make_f0() { return std::make_unique<PitchFeature>(); }

}  // namespace ser
