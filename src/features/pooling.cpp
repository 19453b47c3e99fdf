#include "features/internal/pooling.h"

#include <cmath>
#include <optional>

#include "ser/features/functionals.h"

namespace ser {
namespace {

// Lower than where pYIN is followed best: three periods hold little change of pitch, and melody
// gains more from whole phrases than it loses by a few doubtful frames.
constexpr double kVoicedPeriodicity = 0.35;

using Frames = std::vector<Eigen::Index>;

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
  const std::vector<std::string> names = feature.names();
  bool asks_for_voicing = feature.pool_over == PoolOver::kVoiced;
  for (std::size_t r = 0; r < names.size(); ++r) asks_for_voicing |= feature.voiced_only(r);
  const Frames voiced =
      asks_for_voicing ? voiced_frames(analysis.pitch(feature.voicing(rate_hz))) : Frames{};
  const bool over_voiced = feature.pool_over == PoolOver::kVoiced && !voiced.empty();
  const Frames frames = over_voiced ? voiced : all_frames(values.cols());
  const auto per_row =
      pooling == Pooling::kMean ? 1 : static_cast<Eigen::Index>(kFunctionals.size());
  FrameMatrix pooled(values.rows() * per_row, 1);
  for (Eigen::Index r = 0; r < values.rows(); ++r) {
    const Frames& chosen = feature.voiced_only(static_cast<std::size_t>(r)) ? voiced : frames;
    const Eigen::VectorXd row = values.row(r)(chosen).transpose().cast<double>();
    if (pooling == Pooling::kMean) {
      pooled(r, 0) = row.size() > 0 ? static_cast<float>(row.mean()) : 0.0f;
      continue;
    }
    Eigen::VectorXd times_s(row.size());
    for (Eigen::Index i = 0; i < row.size(); ++i)
      times_s[i] = static_cast<double>(chosen[static_cast<std::size_t>(i)]) * frame_s;
    pooled.middleRows(r * per_row, per_row) = functionals(times_s, row).cast<float>();
  }
  return pooled;
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
