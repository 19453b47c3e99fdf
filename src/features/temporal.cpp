#include "ser/features/temporal.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/internal/fail.h"
#include "features/registry.h"
#include "ser/features/analysis.h"
#include "ser/features/stft.h"

namespace ser {
namespace {

constexpr double kMinEnergy = 1e-10;
constexpr float kMinLevel = 1e-5f;
constexpr double kNoCrossing = 1e-10;

void check(const FrameOptions& options) {
  if (options.frame_samples < 1 || options.hop_samples < 1)
    fail("expected frame_samples and hop_samples of at least 1, found {} and {}",
         options.frame_samples, options.hop_samples);
  check_overlap(options.frame_samples, options.hop_samples);
}

/// Sums of squares. They are taken of blocks that tile all frames, and each frame adds its own.
FrameMatrix frame_energy(const Eigen::VectorXf& samples, const FrameOptions& options) {
  check(options);
  const Eigen::Index hop = options.hop_samples, half = options.frame_samples / 2;
  const Eigen::Index block = std::gcd(std::gcd(hop, half), Eigen::Index{options.frame_samples});
  const auto blocks_energy = [&](Eigen::Index b) {
    const Eigen::Index begin = std::min(b * block, samples.size());
    const Eigen::Index end = std::min(begin + block, samples.size());
    return samples.segment(begin, end - begin).cast<double>().squaredNorm();
  };
  const auto energies =
      Eigen::VectorXd::NullaryExpr((samples.size() + block - 1) / block, blocks_energy).eval();
  FrameMatrix energy(1, num_frames(samples.size(), options.hop_samples));
  for (Eigen::Index t = 0; t < energy.cols(); ++t) {
    const Eigen::Index start = (t * hop - half) / block;
    const Eigen::Index begin = std::clamp<Eigen::Index>(start, 0, energies.size());
    const Eigen::Index end =
        std::clamp<Eigen::Index>(start + options.frame_samples / block, begin, energies.size());
    energy(0, t) = static_cast<float>(energies.segment(begin, end - begin).sum());
  }
  return energy;
}

using FrameFunction = FrameMatrix (*)(const Eigen::VectorXf&, const FrameOptions&);

/// A feature of the waveform's frames, one row.
template <FrameFunction kFunction, const char* kName>
class TemporalFeature : public FeatureWith<TemporalFeature<kFunction, kName>, FrameOptions> {
 public:
  static constexpr std::string_view kType = kName;
  int hop_samples() const override { return this->options_.hop_samples; }
  FrameMatrix compute(const Analysis& analysis) const override {
    return kFunction(analysis.wave().samples, this->options_);
  }

 protected:
  std::vector<std::string> base_names() const override { return {kName}; }
};

constexpr char kRms[] = "rms", kZcr[] = "zcr", kEnergy[] = "energy";

}  // namespace

void FrameOptions::visit(FieldVisitor& v) {
  v.field("frame_samples", frame_samples, "Samples of a frame", Range{1, 1 << 20});
  v.field("hop_samples", hop_samples, "Samples from one frame to the next", Range{1, 1 << 20});
}

FrameMatrix rms(const Eigen::VectorXf& samples, const FrameOptions& options) {
  return (frame_energy(samples, options) / static_cast<float>(options.frame_samples)).cwiseSqrt();
}

Eigen::RowVectorXf level_db(const Waveform& wave, int hop_samples) {
  const FrameMatrix level = rms(wave.samples, {wave.sample_rate_hz / 40, hop_samples});
  return (level.row(0).array().max(kMinLevel).log() * (20 / std::log(10.0f))).matrix();
}

FrameMatrix log_energy(const Eigen::VectorXf& samples, const FrameOptions& options) {
  return frame_energy(samples, options).array().max(static_cast<float>(kMinEnergy)).log().matrix();
}

FrameMatrix zero_crossing_rate(const Eigen::VectorXf& samples, const FrameOptions& options) {
  check(options);
  // crossings[i]: sign changes between samples 0 and i.
  std::vector<int> crossings(static_cast<std::size_t>(std::max<Eigen::Index>(1, samples.size())));
  const auto negative = [&](Eigen::Index i) {
    return static_cast<double>(samples[i]) < -kNoCrossing;
  };
  for (Eigen::Index i = 1; i < samples.size(); ++i)
    crossings[static_cast<std::size_t>(i)] =
        crossings[static_cast<std::size_t>(i - 1)] + (negative(i) != negative(i - 1));
  const auto last = static_cast<Eigen::Index>(crossings.size()) - 1;
  FrameMatrix rate(1, num_frames(samples.size(), options.hop_samples));
  for (Eigen::Index t = 0; t < rate.cols(); ++t) {
    const Eigen::Index start = t * options.hop_samples - options.frame_samples / 2;
    const Eigen::Index begin = std::clamp<Eigen::Index>(start, 0, last);
    const Eigen::Index end = std::clamp<Eigen::Index>(start + options.frame_samples - 1, 0, last);
    const int changes =
        crossings[static_cast<std::size_t>(end)] - crossings[static_cast<std::size_t>(begin)];
    rate(0, t) = static_cast<float>(static_cast<double>(changes) / options.frame_samples);
  }
  return rate;
}

std::unique_ptr<Feature> make_rms() { return std::make_unique<TemporalFeature<rms, kRms>>(); }
std::unique_ptr<Feature> make_zcr() {
  return std::make_unique<TemporalFeature<zero_crossing_rate, kZcr>>();
}
std::unique_ptr<Feature> make_energy() {
  return std::make_unique<TemporalFeature<log_energy, kEnergy>>();
}

}  // namespace ser
