#include "features/internal/feature_set.h"

#include <cmath>

#include "ser/features/functionals.h"

namespace ser {
namespace {

// Lower than where pYIN is followed best: three periods hold little change of pitch, and melody
// gains more from whole phrases than it loses by a few doubtful frames.
constexpr double kVoicedPeriodicity = 0.35;

using Frames = std::vector<Eigen::Index>;
using RowNumbers = std::vector<Eigen::Index>;

Frames voiced_frames(const PitchTrack& pitch) {
  Frames frames;
  for (Eigen::Index t = 0; t < pitch.hz.size(); ++t)
    if (pitch.hz[t] > 0) frames.push_back(t);
  return frames;
}

Frames all_frames(Eigen::Index count) {
  Frames frames(static_cast<std::size_t>(count));
  for (std::size_t t = 0; t < frames.size(); ++t) frames[t] = static_cast<Eigen::Index>(t);
  return frames;
}

/// Of each row, [rows x 1] or [rows x kFunctionals].
FrameMatrix statistics(const FrameMatrix& values, const Frames& frames, double frame_s,
                       Pooling pooling) {
  if (pooling == Pooling::kMean) {
    FrameMatrix means = FrameMatrix::Zero(values.rows(), 1);
    for (Eigen::Index r = 0; r < values.rows() && values.cols() > 0; ++r) {
      const Eigen::VectorXd row = values.row(r).transpose().cast<double>();
      means(r, 0) = static_cast<float>(row.mean());
    }
    return means;
  }
  Eigen::VectorXd times_s(values.cols());
  for (Eigen::Index i = 0; i < times_s.size(); ++i)
    times_s[i] = static_cast<double>(frames[static_cast<std::size_t>(i)]) * frame_s;
  return functionals_of_rows(times_s, values);
}

}  // namespace

PitchOptions voicing_options(int sample_rate_hz, int hop_samples) {
  PitchOptions options;
  options.hop_samples = hop_samples;
  options.frame_samples = static_cast<int>(std::ceil(3 * sample_rate_hz / options.low_hz));
  options.min_periodicity = kVoicedPeriodicity;
  return options;
}

FrameMatrix pool(const Feature& feature, const FrameMatrix& values, const Analysis& analysis,
                 Pooling pooling) {
  if (feature.hop_samples() == 0) return values;
  const int rate_hz = analysis.wave().sample_rate_hz;
  const double frame_s = static_cast<double>(feature.hop_samples()) / rate_hz;
  RowNumbers of_voiced, of_all;
  for (Eigen::Index r = 0; r < values.rows(); ++r)
    (feature.voiced_only(static_cast<std::size_t>(r)) ? of_voiced : of_all).push_back(r);
  const bool asks_for_voicing = feature.pool_over == PoolOver::kVoiced || !of_voiced.empty();
  const Frames voiced =
      asks_for_voicing ? voiced_frames(analysis.pitch(feature.voicing(rate_hz))) : Frames{};
  const bool over_voiced = feature.pool_over == PoolOver::kVoiced && !voiced.empty();
  const Frames frames = over_voiced ? voiced : all_frames(values.cols());

  // A row's statistics lie one below the other.
  const Eigen::Index per_row = pooling == Pooling::kMean ? 1 : Eigen::Index{kFunctionals.size()};
  FrameMatrix pooled(values.rows(), per_row);
  pooled(of_all, Eigen::all) = statistics(values(of_all, frames), frames, frame_s, pooling);
  pooled(of_voiced, Eigen::all) = statistics(values(of_voiced, voiced), voiced, frame_s, pooling);
  return FrameMatrix::Map(pooled.data(), pooled.size(), 1);
}

std::vector<std::string> pooled_names(const Feature& feature, Pooling pooling) {
  std::vector<std::string> names = feature.names();
  if (pooling == Pooling::kNone || feature.hop_samples() == 0) return names;
  std::vector<std::string> pooled;
  for (const std::string& name : names) {
    if (pooling == Pooling::kMean) {
      pooled.push_back(name + ".mean");
      continue;
    }
    for (const std::string_view functional : kFunctionals)
      pooled.push_back(name + "." + std::string(functional));
  }
  return pooled;
}

}  // namespace ser
