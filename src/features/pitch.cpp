#include "ser/features/pitch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/internal/fail.h"
#include "features/frame_blocks.h"
#include "features/frame_memory.h"
#include "features/pitch_plan.h"
#include "features/registry.h"
#include "ser/features/analysis.h"
#include "ser/features/stft.h"

namespace ser {
namespace {

constexpr double kNoTroughWeight = 0.01;  // of thresholds below the deepest trough
constexpr double kTroughDecay = 2;        // Boltzmann parameter: early troughs are preferred
constexpr double kSwitchProbability = 0.01;
constexpr double kUnvoicedWeight = 0.003;
constexpr double kSemitonesPerSecond = 215;  // half of pYIN's 35.92 octaves, to either side
constexpr std::size_t kUsualCandidates = 16;
constexpr double kSilence = 1e-5;  // energy relative to the loudest frame

int transform_size(const PitchOptions& options, int sample_rate_hz) {
  if (!(options.low_hz > 0 && options.low_hz < options.high_hz &&
        options.high_hz < sample_rate_hz / 2.0))
    fail("f0: expected 0 < low_hz < high_hz < {} Hz, found {} and {} Hz", sample_rate_hz / 2.0,
         options.low_hz, options.high_hz);
  if (options.frame_samples < 2 * sample_rate_hz / options.low_hz || options.frame_samples > 32768)
    fail("f0: expected frame_samples from two periods of low_hz ({}) to 32768, found {}",
         std::ceil(2 * sample_rate_hz / options.low_hz), options.frame_samples);
  if (!(options.min_periodicity >= 0 && options.min_periodicity <= 1))
    fail("f0: expected min_periodicity in [0, 1], found {}", options.min_periodicity);
  if (options.hop_samples < 1)
    fail("hop_samples: expected at least 1, found {}", options.hop_samples);
  check_overlap(options.frame_samples, options.hop_samples);
  const double needed = options.frame_samples + std::ceil(sample_rate_hz / options.low_hz) + 2;
  return static_cast<int>(std::bit_ceil(static_cast<unsigned>(needed)));
}

/// Cumulative distribution function of beta(2, 18).
double beta_cdf(double x) { return 1 - std::pow(1 - x, 18) * (1 + 18 * x); }

/// sums[i]: of values[0] to values[i - 1]. Four at a time, so that few additions wait for others.
void add_up(const Eigen::ArrayXd& values, double* sums) {
  double before = 0;
  Eigen::Index i = 0;
  for (; i + 4 <= values.size(); i += 4) {
    const double two = values[i] + values[i + 1], three = two + values[i + 2];
    const double four = two + (values[i + 2] + values[i + 3]);
    sums[i] = before;
    sums[i + 1] = before + values[i];
    sums[i + 2] = before + two;
    sums[i + 3] = before + three;
    before += four;
  }
  for (; i < values.size(); ++i) {
    sums[i] = before;
    before += values[i];
  }
  sums[i] = before;
}

/// Prefix sums of `values` between zeros: entry i is that of values [0, i - before).
std::vector<double> running_sums(const Eigen::ArrayXd& values, Eigen::Index before,
                                 Eigen::Index after) {
  Eigen::ArrayXd padded = Eigen::ArrayXd::Zero(before + values.size() + after);
  padded.segment(before, values.size()) = values;
  std::vector<double> sums(static_cast<std::size_t>(padded.size()) + 1);
  add_up(padded, sums.data());
  return sums;
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
  lags_ = Eigen::ArrayXd::LinSpaced(longest_lag_ + 2, 0, longest_lag_ + 1);
  for (int i = 0; i < kThresholds; ++i)
    threshold_weights_[static_cast<std::size_t>(i)] =
        beta_cdf((i + 1.0) / kThresholds) - beta_cdf(static_cast<double>(i) / kThresholds);
  const double decay = std::exp(-kTroughDecay);
  for (int n = 0; n <= longest_lag_ - shortest_lag_ + 1; ++n)
    decayed_.push_back(1 - std::pow(decay, static_cast<double>(n)));
}

/// Sums of x[n] x[n + lag] inside each frame, of kLanes frames at a time.
class PitchPlan::Correlator {
 public:
  static constexpr int kLanes = Fft::kLanes;
  using Lags = Eigen::Matrix<float, Eigen::Dynamic, kLanes>;  // a frame is a column

  Correlator(const PitchPlan& plan, const Eigen::VectorXf& samples)
      : fft_(plan.fft_),
        blocks_(samples, plan.options_.frame_samples, plan.options_.hop_samples),
        rows_(blocks_.rows().begin(), blocks_.rows().end()),
        inside_(static_cast<std::size_t>(fft_.size())),
        scale_(static_cast<std::size_t>(fft_.size()), 1.0f / static_cast<float>(fft_.size())),
        scratch_(fft_.scratch_size()),
        power_(Eigen::Index{fft_.num_bins()} * kLanes),
        lags_(plan.longest_lag_ + 2, kLanes),
        lagged_(lags_.size()) {
    rows_.resize(static_cast<std::size_t>(fft_.size()), rows_[0]);
    std::fill_n(inside_.begin(), plan.options_.frame_samples, 1.0f);
    for (int n = 0; n < fft_.size(); ++n)
      power_rows_.push_back(power_.data() + Eigen::Index{std::min(n, fft_.size() - n)} * kLanes);
  }

  /// The last frame that `correlate` may begin with.
  Eigen::Index last_first() const { return (blocks_.frames() - 1) / kLanes * kLanes; }
  /// [lags x frames] of the frames from `first` on.
  const Lags& correlate(Eigen::Index first) {
    fft_.power(rows_, first, inside_, scratch_.data(), power_.data());
    // A power spectrum is real and even, so its forward transform is the inverse one.
    fft_.real_parts(power_rows_, 0, scale_, scratch_.data(), static_cast<int>(lags_.rows()),
                    lagged_.data());
    lags_ = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, kLanes, Eigen::RowMajor>>(
        lagged_.data(), lags_.rows(), kLanes);
    return lags_;
  }

 private:
  const Fft& fft_;
  FrameBlocks blocks_;
  std::vector<const float*> rows_, power_rows_;
  std::vector<float> inside_, scale_;
  Eigen::VectorXf scratch_, power_;
  Lags lags_;
  Eigen::VectorXf lagged_;
};

/// energy, levels: of squares and of samples, running, at the frame's first; levels: null for a
/// frame whose mean counts.
PitchPlan::Candidates PitchPlan::candidates(const float* correlation, const double* energy,
                                            const double* levels) const {
  const int size = options_.frame_samples, lags = longest_lag_ + 2;
  const Eigen::Map<const Eigen::ArrayXd> before(energy, lags);
  const Eigen::Map<const Eigen::ArrayXd> behind(energy + size - lags + 1, lags);
  Eigen::ArrayXd both = behind.reverse() - energy[0] + energy[size] - before;
  Eigen::ArrayXd twice = 2.0 * Eigen::Map<const Eigen::ArrayXf>(correlation, lags).cast<double>();
  if (levels) {  // of x - m: both and twice less 2 m (sum x[n] + sum x[n + lag]) - 2 (size - lag)
                 // m^2
    const double mean = (levels[size] - levels[0]) / size;
    const Eigen::Map<const Eigen::ArrayXd> left(levels, lags),
        right(levels + size - lags + 1, lags);
    const Eigen::ArrayXd of_mean =
        2 * mean * (right.reverse() - levels[0] + levels[size] - left - mean * (size - lags_));
    both -= of_mean;
    twice -= of_mean;
  }
  Eigen::ArrayXd difference = (both - twice).max(0.0) * size / (size - lags_);
  difference[0] = 0;
  Eigen::ArrayXd sums(lags + 1);
  add_up(difference, sums.data());
  const auto sum = sums.tail(lags);
  const Eigen::ArrayXd mean_normalised = difference * lags_ / sum;
  Eigen::ArrayXf normalised = mean_normalised.cast<float>();
  for (int lag = 0; lag < lags && !(sum[lag] > 0); ++lag) normalised[lag] = 1;
  Candidates found;
  std::vector<float> depths;
  found.reserve(kUsualCandidates);
  depths.reserve(kUsualCandidates);
  for (int lag = shortest_lag_; lag <= longest_lag_; ++lag) {
    const float left = normalised[lag - 1], centre = normalised[lag], right = normalised[lag + 1];
    if (!(centre < left && centre <= right)) continue;
    const float similarity = both[lag] > 0 ? static_cast<float>(twice[lag] / both[lag]) : 0.0f;
    if (similarity < options_.min_periodicity) continue;
    const float curvature = left + right - 2 * centre, slope = 0.5f * (right - left);
    const float shift = curvature > std::abs(slope) ? -slope / curvature : 0;
    const float refined = static_cast<float>(lag) + shift;
    const float hz = static_cast<float>(sample_rate_hz_) / refined;
    found.push_back({refined, 12 * std::log2(hz), 0, std::clamp(similarity, 0.0f, 1.0f)});
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
  below.reserve(depths.size());
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

namespace {

/// For each frame its state on the way to state `last` of the last one, less one. from: where each
/// state of all frames comes from; begin: the first of each frame's there.
std::vector<int> traced_back(const std::vector<int>& from, const std::vector<std::size_t>& begin,
                             std::ptrdiff_t last) {
  std::vector<int> path(begin.size());
  for (std::size_t t = begin.size(); t-- > 0;) {
    path[t] = static_cast<int>(last) - 1;
    last = from[begin[t] + last];
  }
  return path;
}

}  // namespace

/// For each frame the index of its candidate, or -1 for unvoiced. Scores are log probabilities.
std::vector<int> PitchPlan::best_path(const std::vector<Candidates>& frames) const {
  const double widest = kSemitonesPerSecond * options_.hop_samples / sample_rate_hz_;
  const double stay = std::log(1 - kSwitchProbability), change = std::log(kSwitchProbability);
  constexpr double kFar = 1e-4;
  const double far = stay + std::log(kFar);
  const auto leap = [&](const Candidate& a, const Candidate& b) {
    const double distance = std::abs(static_cast<double>(a.semitones) - b.semitones);
    const double nearness = 1 - distance / widest;
    return nearness > kFar ? stay + std::log(nearness) : far;
  };
  // State 0 is unvoiced, state c + 1 is candidate c.
  std::vector<int> from;           // of the states of all frames
  std::vector<std::size_t> begin;  // of each frame's
  std::vector<double> score{0}, next;
  for (std::size_t t = 0; t < frames.size(); ++t) {
    const Candidates& now = frames[t];
    double voiced = 0;
    for (const Candidate& c : now) voiced += c.probability;
    next.assign(now.size() + 1, 0);
    begin.push_back(from.size());
    from.resize(from.size() + now.size() + 1);
    for (std::size_t s = 0; s <= now.size(); ++s) {
      double best = -1e300;
      for (std::size_t p = 0; p < score.size(); ++p) {
        double step = (s == 0) == (p == 0) ? stay : change;
        if (s > 0 && p > 0) step = leap(frames[t - 1][p - 1], now[s - 1]);
        if (score[p] + step > best) {
          best = score[p] + step;
          from[begin[t] + s] = static_cast<int>(p);
        }
      }
      const double seen = s == 0 ? kUnvoicedWeight * (1 - voiced) : now[s - 1].probability;
      next[s] = best + std::log(std::max(1e-12, seen));
    }
    score.swap(next);
  }
  return traced_back(from, begin, std::ranges::max_element(score) - score.begin());
}

/// Of each frame; none in silent ones.
std::vector<PitchPlan::Candidates> PitchPlan::all_candidates(const Eigen::VectorXf& samples,
                                                             const FramePlace& place) const {
  const Eigen::Index count = num_frames(samples.size(), options_.hop_samples);
  const Eigen::Index size = options_.frame_samples, hop = options_.hop_samples;
  const auto running = [&](const auto& values) { return running_sums(values, size / 2, size); };
  const auto exact = samples.cast<double>().array();
  const std::vector<double> energy = running(exact.square());
  const std::vector<double> sums = place.may_be_offset ? running(exact) : std::vector<double>();
  const auto in_frame = [&](const std::vector<double>& of, Eigen::Index t) {
    return of[static_cast<std::size_t>(t * hop + size)] - of[static_cast<std::size_t>(t * hop)];
  };
  Eigen::VectorXd frame_energy(count);
  for (Eigen::Index t = 0; t < count; ++t) {
    frame_energy[t] = in_frame(energy, t);
    if (!sums.empty()) frame_energy[t] -= std::pow(in_frame(sums, t), 2) / size;
  }
  const double silence = kSilence * std::max(0.0, frame_energy.maxCoeff());

  const RememberedPitch remembered(place, options_);
  std::vector<Candidates> frames(static_cast<std::size_t>(count));
  std::vector<Eigen::Index> missing;
  for (Eigen::Index t = 0; t < count; ++t) {
    if (!(frame_energy[t] > silence)) continue;
    if (const Candidates* found = remembered.find(t))
      frames[static_cast<std::size_t>(t)] = *found;
    else
      missing.push_back(t);
  }
  Correlator correlator(*this, samples);
  const Correlator::Lags* lags = nullptr;
  Eigen::Index first = 0;
  for (const Eigen::Index t : missing) {
    if (!lags || t >= first + Correlator::kLanes) {
      first = std::min(t, correlator.last_first());
      lags = &correlator.correlate(first);
    }
    Candidates& found = frames[static_cast<std::size_t>(t)];
    found = candidates(lags->col(t - first).data(), energy.data() + t * hop,
                       sums.empty() ? nullptr : sums.data() + t * hop);
    remembered.put(t, found);
  }
  return frames;
}

PitchTrack PitchPlan::track(const Eigen::VectorXf& samples, const FramePlace& place) const {
  const std::vector<Candidates> frames = all_candidates(samples, place);
  const auto count = static_cast<Eigen::Index>(frames.size());
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
  return PitchPlan(options, sample_rate_hz).track(samples, {.may_be_offset = true});
}

namespace {

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

}  // namespace

std::unique_ptr<Feature> make_f0() { return std::make_unique<PitchFeature>(); }

}  // namespace ser
