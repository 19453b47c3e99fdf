#include <algorithm>
#include <cmath>
#include <complex>
#include <memory>
#include <numbers>
#include <utility>
#include <vector>

#include "core/internal/numbers.h"
#include "ser/audio/low_cut.h"

namespace ser {
namespace {

using Eigen::Index;
using Complex = std::complex<double>;

constexpr double kTurn = 2 * std::numbers::pi;
constexpr double kAnalysisRateHz = 4000;
constexpr double kHighestLineHz = 1500;
constexpr double kBlockS = 0.2;  // ten periods of 50 Hz, twelve of 60 Hz
constexpr Index kFewestBlocks = 8;
constexpr double kPieceS = 8;
constexpr double kMostDeviationHz = 0.4;
// A rectifier's hum begins at the second multiple, what is left of hum on a telephone at the third.
constexpr int kLastFirst = 3;
constexpr double kLeastFirst = 0.1;    // of the strongest line's amplitude
constexpr double kLeastBeside = 0.02;  // share of other sound where a line might be a voice's pitch
constexpr double kSteadyPhase = 0.8;   // of the mean of unit vectors; noise has about 0.3
constexpr double kSteadyBesideVoice = 0.5;
constexpr double kFewer = 0.1, kFew = 0.2, kHalf = 0.5;  // shares of the blocks
constexpr int kReweightings = 8;
constexpr int kRefinements = 3;

struct Line {
  double hz = 0;
  Complex amplitude;  ///< of exp(2 pi i hz t), t in s from the piece's start
};

/// A piece of sound at about 4 kHz (means of neighbouring samples), seen in overlapping blocks
/// through a Hann window.
class Blocks {
 public:
  Blocks(const Eigen::Ref<const Eigen::VectorXf>& samples, int sample_rate_hz)
      : step_(std::max<Index>(1, std::lround(sample_rate_hz / kAnalysisRateHz))),
        sample_rate_hz_(sample_rate_hz),
        rate_hz_(static_cast<double>(sample_rate_hz) / static_cast<double>(step_)),
        hop_(std::lround(kBlockS / 2 * rate_hz_)) {
    // In double: rounding in float would look like a weak, steady line.
    means_.resize(samples.size() / step_);
    for (Index n = 0; n < means_.size(); ++n)
      means_[n] = samples.segment(n * step_, step_).cast<double>().mean();
    count_ = std::max<Index>(0, means_.size() / hop_ - 1);
    window_ = Eigen::VectorXd::NullaryExpr(2 * hop_, [&](Index i) {
      const double turns = (static_cast<double>(i) + 0.5) / static_cast<double>(2 * hop_);
      return 1 - std::cos(kTurn * turns);
    });
  }

  Index count() const { return count_; }
  double power() const { return means_.squaredNorm() / static_cast<double>(means_.size()); }
  double hop_s() const { return static_cast<double>(hop_) / rate_hz_; }
  double highest_hz() const { return std::min(kHighestLineHz, 0.4 * rate_hz_); }

  /// Amplitude of the sinusoid in each block, its phase told at the piece's start.
  Eigen::VectorXcd amplitudes(double hz) const {
    using Overlapping = Eigen::Map<const Eigen::MatrixXd, Eigen::Unaligned, Eigen::OuterStride<>>;
    const Overlapping blocks(means_.data(), 2 * hop_, count_, Eigen::OuterStride<>(hop_));
    Eigen::VectorXd cosine(2 * hop_), sine(2 * hop_);
    const Complex turn = std::polar(1.0, -kTurn * hz / rate_hz_);
    Complex at = 1;
    for (Index i = 0; i < 2 * hop_; ++i, at *= turn) {
      cosine[i] = window_[i] * at.real();
      sine[i] = window_[i] * at.imag();
    }
    const Eigen::VectorXd real = blocks.transpose() * cosine, imag = blocks.transpose() * sine;
    // The mean over a step weakens a sinusoid and tells its phase half a step late.
    const double half_turns = hz / (2 * sample_rate_hz_);
    const double kept = std::sin(kTurn * half_turns * static_cast<double>(step_)) /
                        (static_cast<double>(step_) * std::sin(kTurn * half_turns));
    const double late_s = static_cast<double>(step_ - 1) / (2.0 * sample_rate_hz_);
    Eigen::VectorXcd amplitudes(count_);
    for (Index b = 0; b < count_; ++b) {
      const double turns = hz * (static_cast<double>(b) * hop_s() + late_s);
      amplitudes[b] = Complex(real[b], imag[b]) * std::polar(1.0, -kTurn * turns) /
                      (static_cast<double>(hop_) * kept);
    }
    return amplitudes;
  }

 private:
  Index step_;
  int sample_rate_hz_;
  double rate_hz_;
  Index hop_;
  Index count_ = 0;
  Eigen::VectorXd means_;
  Eigen::VectorXd window_;
};

Eigen::VectorXcd directions(const Eigen::VectorXcd& amplitudes) {
  return amplitudes.unaryExpr(
      [](const Complex& a) { return a == 0.0 ? Complex(0) : a / std::abs(a); });
}

/// How well the phases turn with `deviation_hz` from block to block, 0 to 1.
double steadiness(const Eigen::VectorXcd& directions, double deviation_hz, double hop_s) {
  const Complex turn = std::polar(1.0, -kTurn * deviation_hz * hop_s);
  Complex sum = 0, phase = 1;
  for (const Complex& direction : directions) {
    sum += direction * phase;
    phase *= turn;
  }
  return std::abs(sum) / static_cast<double>(directions.size());
}

/// The frequency near `nominal_hz` at which the phases of its multiples are steadiest, found with
/// multiple `first` alone, then with twice as many and steps half as wide, and so on. 0 if that one
/// is not steady.
double mains_hz(const Blocks& blocks, double nominal_hz, int first) {
  const double duration_s = static_cast<double>(blocks.count()) * blocks.hop_s();
  std::vector<Eigen::VectorXcd> multiples;
  const auto next = [&] { return first + static_cast<int>(multiples.size()); };
  const auto total = [&](double deviation_hz) {
    double sum = 0;
    for (std::size_t i = 0; i < multiples.size(); ++i)
      sum +=
          steadiness(multiples[i], (first + static_cast<double>(i)) * deviation_hz, blocks.hop_s());
    return sum;
  };
  double best_hz = 0, reach_hz = kMostDeviationHz;
  for (int last = first; last * nominal_hz < blocks.highest_hz(); last *= 2) {
    while (next() <= last) multiples.push_back(directions(blocks.amplitudes(next() * nominal_hz)));
    const double step_hz = 1 / (8 * last * duration_s);
    const auto steps = static_cast<int>(std::ceil(reach_hz / step_hz));
    const double centre_hz = best_hz;
    double best = total(centre_hz);
    for (int i = -steps; i <= steps; ++i) {
      const double hz = centre_hz + i * step_hz;
      if (const double found = total(hz); found > best) best = found, best_hz = hz;
    }
    if (last == first && best < (first == 1 ? kSteadyPhase : kSteadyBesideVoice)) return 0;
    const double left = total(best_hz - step_hz), right = total(best_hz + step_hz);
    const double bend = left + right - 2 * best;
    if (bend < 0) best_hz += std::clamp(0.5 * (left - right) / bend, -0.5, 0.5) * step_hz;
    reach_hz = step_hz;
  }
  return nominal_hz + best_hz;
}

/// A line, and how its frequency would have to change to follow the blocks.
struct Fit {
  Complex amplitude;
  double drift_hz = 0;
  double certainty = 0;  ///< one over the variance of drift_hz
};

/// The value that most of the amplitudes lie around (Cauchy M-estimate from their median), and the
/// slope of what is left over time.
Fit fit_line(const Eigen::VectorXcd& amplitudes, double hop_s) {
  const auto coordinate_median = [](const Eigen::VectorXd& v) {
    return ranked({v.begin(), v.end()}, kHalf);
  };
  Fit fit{{coordinate_median(amplitudes.real()), coordinate_median(amplitudes.imag())}};
  Eigen::ArrayXd weights;
  double scale2 = 0;
  for (int i = 0; i < kReweightings; ++i) {
    const Eigen::ArrayXd distance2 = (amplitudes.array() - fit.amplitude).abs2();
    scale2 = ranked({distance2.begin(), distance2.end()}, kHalf);
    if (!(scale2 > 0)) return fit;
    weights = 1 / (1 + distance2 / scale2);
    fit.amplitude = (amplitudes.array() * weights.cast<Complex>()).sum() / weights.sum();
  }
  // c(t) = a exp(2 pi i d t), so Im(c / a) = 2 pi d t for a small drift d.
  const Eigen::ArrayXd block =
      Eigen::ArrayXd::LinSpaced(amplitudes.size(), 0, static_cast<double>(amplitudes.size() - 1));
  const Eigen::ArrayXd turns = (block - (weights * block).sum() / weights.sum()) * kTurn * hop_s;
  const double spread = (weights * turns.square()).sum();
  fit.drift_hz = (weights * turns * (amplitudes.array() / fit.amplitude).imag()).sum() / spread;
  fit.certainty = spread * std::norm(fit.amplitude) / scale2;
  return fit;
}

/// Whether the line is there all the time: some blocks hold little else, and no more than `absent`
/// of them are without it.
bool is_throughout(const Eigen::VectorXcd& amplitudes, const Complex& line, double absent) {
  const Eigen::ArrayXd beside = (amplitudes.array() - line).abs();
  const double half = std::abs(line) / 2;
  return ranked({beside.begin(), beside.end()}, kFew) <= half &&
         (amplitudes.array().abs() < half).count() <=
             static_cast<Index>(absent * amplitudes.size());
}

/// The mains frequency that the drifts of the lines from multiple `first` on agree on.
double refined_hz(const Blocks& blocks, double hz, int first) {
  for (int i = 0; i < kRefinements; ++i) {
    double sum = 0, total = 0;
    for (int k = first; k * hz < blocks.highest_hz(); ++k) {
      const Eigen::VectorXcd amplitudes = blocks.amplitudes(k * hz);
      const Fit fit = fit_line(amplitudes, blocks.hop_s());
      if (!is_throughout(amplitudes, fit.amplitude, kFew)) continue;
      sum += k * k * fit.certainty * fit.drift_hz / k;
      total += k * k * fit.certainty;
    }
    if (total > 0) hz += sum / total;
  }
  return hz;
}

double power_of(const std::vector<Line>& lines) {
  double power = 0;
  for (const Line& line : lines) power += std::norm(line.amplitude) / 2;
  return power;
}

/// The lines at a mains frequency's multiples from `first` on; none if that one is not there.
std::vector<Line> lines_from(const Blocks& blocks, double nominal_hz, int first) {
  std::vector<Line> lines;
  const double roughly_hz = mains_hz(blocks, nominal_hz, first);
  if (roughly_hz == 0) return lines;
  const double hz = refined_hz(blocks, roughly_hz, first);
  for (int k = first; k * hz < blocks.highest_hz(); ++k) {
    const Eigen::VectorXcd amplitudes = blocks.amplitudes(k * hz);
    const Complex line = fit_line(amplitudes, blocks.hop_s()).amplitude;
    if (is_throughout(amplitudes, line, first == 1 ? kFew : kFewer))
      lines.push_back({k * hz, line});
    else if (k == first)
      break;
  }
  if (first == 1 || lines.empty()) return lines;
  // No voice is as low as the mains, but a steady one may be as high as their multiples.
  const auto weaker = [](const Line& a, const Line& b) {
    return std::abs(a.amplitude) < std::abs(b.amplitude);
  };
  const double most = std::abs(std::ranges::max(lines, weaker).amplitude);
  if (std::abs(lines[0].amplitude) < kLeastFirst * most ||
      power_of(lines) > (1 - kLeastBeside) * blocks.power())
    lines.clear();
  return lines;
}

std::vector<Line> find_lines(const Blocks& blocks, double nominal_hz) {
  std::vector<Line> strongest;
  for (int first = 1; first <= kLastFirst; ++first)
    if (std::vector<Line> lines = lines_from(blocks, nominal_hz, first);
        power_of(lines) > power_of(strongest))
      strongest = std::move(lines);
  return strongest;
}

void subtract(Eigen::Ref<Eigen::VectorXf> samples, int sample_rate_hz, const Line& line) {
  constexpr Index kRun = 1024;
  const auto turns = [&](Index n) { return line.hz * static_cast<double>(n) / sample_rate_hz; };
  Eigen::ArrayXf cosine(kRun), sine(kRun);
  for (Index n = 0; n < kRun; ++n) {
    cosine[n] = static_cast<float>(std::cos(kTurn * turns(n)));
    sine[n] = static_cast<float>(std::sin(kTurn * turns(n)));
  }
  for (Index begin = 0; begin < samples.size(); begin += kRun) {
    const Index size = std::min(kRun, samples.size() - begin);
    const Complex at = line.amplitude * std::polar(1.0, kTurn * turns(begin));
    samples.segment(begin, size).array() -= static_cast<float>(at.real()) * cosine.head(size) -
                                            static_cast<float>(at.imag()) * sine.head(size);
  }
}

void remove_hum(Eigen::Ref<Eigen::VectorXf> piece, int sample_rate_hz) {
  const auto strength = [&](const Blocks& blocks, double hz) {
    const Eigen::ArrayXd found = blocks.amplitudes(hz).cwiseAbs();
    return ranked({found.begin(), found.end()}, kHalf);
  };
  auto blocks = std::make_unique<Blocks>(piece, sample_rate_hz);
  if (blocks->count() < kFewestBlocks) return;
  // The stronger first: its lines leak into the other's.
  const bool is_60 = strength(*blocks, 60) > strength(*blocks, 50);
  for (const double nominal_hz : {is_60 ? 60.0 : 50.0, is_60 ? 50.0 : 60.0}) {
    const std::vector<Line> lines = find_lines(*blocks, nominal_hz);
    if (lines.empty()) continue;
    for (const Line& line : lines) subtract(piece, sample_rate_hz, line);
    blocks = std::make_unique<Blocks>(piece, sample_rate_hz);
  }
}

}  // namespace

Waveform remove_hum(const Waveform& wave) {
  Waveform clean = wave;
  const Index size = wave.samples.size();
  const auto pieces = static_cast<Index>(std::ceil(wave.duration_s() / kPieceS));
  for (Index i = 0; i < pieces; ++i) {
    const Index begin = size * i / pieces, end = size * (i + 1) / pieces;
    remove_hum(clean.samples.segment(begin, end - begin), wave.sample_rate_hz);
  }
  return clean;
}

}  // namespace ser
