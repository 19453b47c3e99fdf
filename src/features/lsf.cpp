#include "ser/features/descriptors.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

#include "core/internal/fail.h"
#include "features/internal/feature_set.h"
#include "features/registry.h"
#include "ser/features/analysis.h"

namespace ser {
namespace {

using std::numbers::pi;

constexpr int kGrid = 512;              // points at which the line spectrum is evaluated
constexpr double kLagWindowHz = 60;     // Tohkura et al. 1978
constexpr double kWhiteNoise = 1.0001;  // 40 dB below the frame
constexpr std::size_t kBlock = 256;     // frames at once: memory does not grow with the clip
constexpr float kMinPower = 1e-12f;

class LsfFeature : public FeatureWith<LsfFeature, LsfOptions> {
 public:
  static constexpr std::string_view kType = "lsf";
  int hop_samples() const override { return options_.stft.hop_samples; }
  bool voiced_only(std::size_t) const override { return true; }
  FrameMatrix compute(const Analysis& analysis) const override {
    const int rate_hz = analysis.wave().sample_rate_hz;
    return line_spectral_frequencies(
        analysis.power(options_.stft), static_cast<double>(rate_hz) / options_.stft.fft_size,
        analysis.pitch(voicing_options(rate_hz, options_.stft.hop_samples)), options_);
  }

 protected:
  std::vector<std::string> base_names() const override { return numbered("lsf", options_.order); }
};

/// cos(pi i / half_turn) for a whole turn: an element for each i below 2 half_turn.
std::vector<double> cosines(Eigen::Index half_turn) {
  std::vector<double> values(2 * half_turn);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::cos(pi * i / half_turn);
  return values;
}

/// From power to autocorrelation at twice high_hz, [1 + order x bins]: an inverse cosine transform,
/// with the pre-emphasis and the lag window in it.
Eigen::MatrixXf autocorrelation_matrix(Eigen::Index bins, const LsfOptions& options) {
  const std::vector<double> cosine = cosines(bins - 1);
  const double a = options.preemphasis;
  Eigen::MatrixXf matrix(options.order + 1, bins);
  for (int k = 0; k <= options.order; ++k) {
    const double lag = kLagWindowHz * pi * k / options.high_hz;
    const double window = std::exp(-lag * lag / 2) * (k == 0 ? kWhiteNoise : 1);
    for (Eigen::Index b = 0; b < bins; ++b) {
      const double gain = (1 + a * a - 2 * a * cosine[b]) * (b == 0 || b == bins - 1 ? 0.5 : 1);
      matrix(k, b) = static_cast<float>(gain * cosine[b * k % cosine.size()] * window);
    }
  }
  return matrix;
}

/// Coefficients 1, a_1, ... of the predictor error filter (Levinson 1947, Durbin 1960).
Eigen::VectorXd predictor(const Eigen::VectorXd& autocorrelation) {
  const Eigen::Index order = autocorrelation.size() - 1;
  Eigen::VectorXd a = Eigen::VectorXd::Zero(order + 1);
  a[0] = 1;
  double error = autocorrelation[0];
  for (Eigen::Index i = 1; i <= order; ++i) {
    const double reflection = -a.head(i).dot(autocorrelation.segment(1, i).reverse()) / error;
    const Eigen::VectorXd reversed = a.head(i).reverse();
    a.segment(1, i) += reflection * reversed;
    error *= 1 - reflection * reflection;
  }
  return a;
}

/// P(z) = A(z) + z^-(p+1) A(1/z) (sign 1) or Q(z), with a minus, without its root at -1 or 1, as a
/// cosine series c_0 + c_1 cos w + ... of order / 2.
Eigen::VectorXf line_spectrum(const Eigen::VectorXd& a, double sign) {
  const Eigen::Index half = (a.size() - 1) / 2;
  Eigen::VectorXd f(half + 1);
  f[0] = 1;
  for (Eigen::Index i = 1; i <= half; ++i) f[i] = a[i] + sign * a[a.size() - i] - sign * f[i - 1];
  f.head(half) *= 2;
  return f.reverse().cast<float>();
}

/// cos(k w) on the grid from w = 0 to pi, [1 + grid x 1 + half].
Eigen::MatrixXf cosine_grid(Eigen::Index half) {
  const std::vector<double> cosine = cosines(kGrid);
  Eigen::MatrixXf grid(kGrid + 1, half + 1);
  for (Eigen::Index k = 0; k <= half; ++k)
    for (Eigen::Index i = 0; i <= kGrid; ++i)
      grid(i, k) = static_cast<float>(cosine[i * k % cosine.size()]);
  return grid;
}

/// Where P or Q, given on the grid, crosses zero, as shares of the range, rising. Two crossings of
/// one within a step of the grid are not seen: what is missing is spread evenly at the end.
Eigen::VectorXd crossings(const Eigen::Ref<const Eigen::VectorXf>& sum,
                          const Eigen::Ref<const Eigen::VectorXf>& difference, Eigen::Index order) {
  Eigen::VectorXd found(order);
  Eigen::Index count = 0;
  for (Eigen::Index i = 0; i < kGrid; ++i) {
    double at[2];
    int here = 0;
    for (const auto* half : {&sum, &difference}) {
      const double left = (*half)[i], right = (*half)[i + 1];
      if ((left > 0) != (right > 0)) at[here++] = static_cast<double>(i) + left / (left - right);
    }
    if (here == 2 && at[0] > at[1]) std::swap(at[0], at[1]);
    for (int j = 0; j < here && count < order; ++j) found[count++] = at[j] / kGrid;
  }
  const double last = count > 0 ? found[count - 1] : 0;
  for (Eigen::Index i = count; i < order; ++i)
    found[i] = last + (1 - last) * static_cast<double>(i - count + 1) /
                          static_cast<double>(order - count + 1);
  return found;
}

/// Line spectra of many frames at once.
class LineFinder {
 public:
  LineFinder(Eigen::Index bins, const LsfOptions& options)
      : autocorrelation_(autocorrelation_matrix(bins, options)),
        grid_(cosine_grid(options.order / 2)) {}

  /// power: [bins x frames]. Result: shares of the band, [order x frames].
  Eigen::MatrixXd lines(const Eigen::MatrixXf& power) const {
    const Eigen::Index order = autocorrelation_.rows() - 1;
    const Eigen::MatrixXd autocorrelations = (autocorrelation_ * power).cast<double>();
    Eigen::MatrixXf sums(order / 2 + 1, power.cols()), differences(order / 2 + 1, power.cols());
    for (Eigen::Index i = 0; i < power.cols(); ++i) {
      const Eigen::VectorXd a = predictor(autocorrelations.col(i));
      sums.col(i) = line_spectrum(a, 1);
      differences.col(i) = line_spectrum(a, -1);
    }
    const Eigen::MatrixXf sum = grid_ * sums, difference = grid_ * differences;
    Eigen::MatrixXd found(order, power.cols());
    for (Eigen::Index i = 0; i < power.cols(); ++i)
      found.col(i) = crossings(sum.col(i), difference.col(i), order);
    return found;
  }

 private:
  Eigen::MatrixXf autocorrelation_;
  Eigen::MatrixXf grid_;
};

}  // namespace

void LsfOptions::visit(FieldVisitor& v) {
  v.group("stft", stft);
  v.field("order", order, "Order of the predictor, even", Range{2, 64});
  v.field("high_hz", high_hz, "Upper end of the band that is predicted", Range{100, 1e6});
  v.field("preemphasis", preemphasis, "Of the first difference that is taken before", Range{0, 1});
}

FrameMatrix line_spectral_frequencies(const FrameMatrix& power, double bin_hz,
                                      const PitchTrack& pitch, const LsfOptions& options) {
  const auto bins = static_cast<Eigen::Index>(std::floor(options.high_hz / bin_hz + 1e-9)) + 1;
  if (bins > power.rows())
    fail("lsf: expected high_hz of at most half the sampling rate, found {}", options.high_hz);
  if (options.order % 2 != 0 || options.order * 6 > bins)
    fail("lsf: expected an even order of at most a sixth of the {} bins below {} Hz, found {}",
         bins, options.high_hz, options.order);
  std::vector<Eigen::Index> voiced;
  for (Eigen::Index t = 0; t < power.cols(); ++t)
    if (pitch.hz[t] > 0) voiced.push_back(t);
  const LineFinder finder(bins, options);
  const double top_hz = static_cast<double>(bins - 1) * bin_hz;
  FrameMatrix rows = FrameMatrix::Zero(options.order, power.cols());
  for (std::size_t begin = 0; begin < voiced.size(); begin += kBlock) {
    const auto frames = std::span(voiced).subspan(begin, std::min(kBlock, voiced.size() - begin));
    Eigen::MatrixXf block(bins, std::ssize(frames));
    for (Eigen::Index i = 0; i < block.cols(); ++i)
      block.col(i) = power.col(frames[static_cast<std::size_t>(i)]).head(bins).cwiseMax(kMinPower);
    const Eigen::MatrixXd lines = finder.lines(block);
    for (Eigen::Index i = 0; i < block.cols(); ++i)
      rows.col(frames[static_cast<std::size_t>(i)]) = (top_hz * lines.col(i)).cast<float>();
  }
  return rows;
}

std::unique_ptr<Feature> make_lsf() { return std::make_unique<LsfFeature>(); }

}  // namespace ser
