#include "ser/features/descriptors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/internal/fail.h"
#include "features/contour.h"
#include "features/internal/feature_set.h"
#include "features/registry.h"
#include "ser/features/analysis.h"
#include "ser/features/functionals.h"
#include "ser/features/temporal.h"

namespace ser {
namespace {

constexpr double kReferenceHz = 27.5;  // semitones are counted from A0
constexpr double kPauseDb = 25;        // below the loud parts of the clip
constexpr double kSyllableRiseDb = 3;
constexpr double kSmoothingS = 0.03;      // to either side
constexpr Eigen::Index kShortestRun = 3;  // frames of a voiced segment that has a slope

/// Values with their names, in the order they are added.
class Rows {
 public:
  void add(std::string name, double value) {
    names_.push_back("prosody." + std::move(name));
    values_.push_back(std::isfinite(value) ? static_cast<float>(value) : 0.0f);
  }
  void add(const std::string& name, const Moments& m) {
    add(name + ".mean", m.mean);
    add(name + ".sd", m.sd);
  }
  void add_functionals(const std::string& name, const Eigen::VectorXd& times_s,
                       const Eigen::VectorXd& values) {
    const Eigen::VectorXd statistics = functionals(times_s, values);
    for (std::size_t i = 0; i < kFunctionals.size(); ++i)
      add(fmt::format("{}.{}", name, kFunctionals[i]), statistics[static_cast<Eigen::Index>(i)]);
  }
  void add_sixths(const std::string& name, const Eigen::VectorXd& values) {
    for (Eigen::Index i = 0; i < values.size(); ++i)
      add(fmt::format("{}.sixth{}", name, i), values[i]);
  }
  const std::vector<std::string>& names() const { return names_; }
  Eigen::VectorXf values() const {
    return Eigen::VectorXf::Map(values_.data(), static_cast<Eigen::Index>(values_.size()));
  }

 private:
  std::vector<std::string> names_;
  std::vector<float> values_;
};

Eigen::VectorXd chosen(const Eigen::VectorXd& values, const std::vector<bool>& inside) {
  std::vector<double> kept;
  for (Eigen::Index t = 0; t < values.size(); ++t)
    if (inside[static_cast<std::size_t>(t)]) kept.push_back(values[t]);
  return Eigen::VectorXd::Map(kept.data(), static_cast<Eigen::Index>(kept.size()));
}

/// Slopes a second from frame to frame inside the segments, split into rising and falling ones.
void add_movement(Rows& rows, const std::string& name, const Eigen::VectorXd& values,
                  const std::vector<Segment>& runs, double hop_s) {
  std::vector<double> rising, falling, steps, bends;
  for (const Segment& run : runs)
    for (Eigen::Index t = run.begin + 1; t < run.end; ++t) {
      const double slope = (values[t] - values[t - 1]) / hop_s;
      (slope > 0 ? rising : falling).push_back(slope);
      steps.push_back(std::abs(slope));
      if (t + 1 < run.end) bends.push_back(std::abs(values[t + 1] - 2 * values[t] + values[t - 1]));
    }
  rows.add(name + ".rise", moments(rising));
  rows.add(name + ".fall", moments(falling));
  rows.add(name + ".movement", moments(steps));
  rows.add(name + ".bend", moments(bends));
  rows.add(name + ".rising_share", static_cast<double>(rising.size()) /
                                       std::max<double>(1, static_cast<double>(steps.size())));
}

/// Regression slope, extent and curvature of each voiced segment.
void add_segment_shapes(Rows& rows, const std::string& name, const Eigen::VectorXd& values,
                        const std::vector<Segment>& runs, double hop_s) {
  std::vector<double> slopes, extents, arches;
  for (const Segment& run : runs) {
    if (run.size() < kShortestRun) continue;
    const Eigen::VectorXd part = values.segment(run.begin, run.size());
    const Eigen::VectorXd times =
        Eigen::VectorXd::LinSpaced(run.size(), 0, static_cast<double>(run.size() - 1) * hop_s);
    slopes.push_back(line_slope(times, part));
    extents.push_back(part.maxCoeff() - part.minCoeff());
    const Eigen::Index third = run.size() / 3;
    arches.push_back(part.segment(third, run.size() - 2 * third).mean() -
                     0.5 * (part.head(third).mean() + part.tail(third).mean()));
  }
  rows.add(name + ".segment_slope", moments(slopes));
  rows.add(name + ".segment_extent", moments(extents));
  rows.add(name + ".segment_arch", moments(arches));
}

void add_melody(Rows& rows, const PitchTrack& pitch, const std::vector<bool>& voiced,
                const std::vector<Segment>& runs, const Eigen::VectorXd& times_s, double hop_s) {
  Eigen::VectorXd semitones = Eigen::VectorXd::Zero(pitch.hz.size());
  for (Eigen::Index t = 0; t < semitones.size(); ++t)
    if (pitch.hz[t] > 0) semitones[t] = 12 * std::log2(pitch.hz[t] / kReferenceHz);
  Eigen::VectorXd sorted = chosen(semitones, voiced);
  rows.add_functionals("f0", chosen(times_s, voiced), sorted);
  std::sort(sorted.begin(), sorted.end());
  const double median = quantile(sorted, 0.5);
  rows.add("f0.top", sorted.size() > 0 ? quantile(sorted, 0.99) - median : 0);
  rows.add_sixths("f0", sixths(semitones.array() - median, voiced, 0));
  add_movement(rows, "f0", semitones, runs, hop_s);
  add_segment_shapes(rows, "f0", semitones, runs, hop_s);
  // What jitter is of periods, of frames: how far one lies from the mean of three, relative to it.
  std::vector<double> unrest;
  for (const Segment& run : runs)
    for (Eigen::Index t = run.begin + 1; t + 1 < run.end; ++t) {
      const double around = (pitch.hz[t - 1] + pitch.hz[t] + pitch.hz[t + 1]) / 3.0;
      unrest.push_back(std::abs(pitch.hz[t] / around - 1));
    }
  rows.add("f0.unrest", moments(unrest));
}

void add_loudness(Rows& rows, const Eigen::VectorXd& level_db, const std::vector<bool>& voiced,
                  const std::vector<Segment>& runs, const Eigen::VectorXd& times_s, double hop_s) {
  rows.add_functionals("level", times_s, level_db);
  rows.add_functionals("level_voiced", chosen(times_s, voiced), chosen(level_db, voiced));
  const std::vector<bool> everywhere(voiced.size(), true);
  rows.add_sixths("level", sixths(level_db, everywhere, 0));
  add_movement(rows, "level", level_db, {{0, level_db.size()}}, hop_s);
  add_segment_shapes(rows, "level", level_db, runs, hop_s);
  std::vector<double> unrest;
  for (const Segment& run : runs)
    for (Eigen::Index t = run.begin + 1; t + 1 < run.end; ++t)
      unrest.push_back(std::abs(level_db[t] - (level_db[t - 1] + level_db[t + 1]) / 2));
  rows.add("level.unrest", moments(unrest));
  for (const auto& [low, high] : {std::pair{0.5, 2.0}, {2.0, 4.0}, {4.0, 8.0}, {8.0, 16.0}})
    rows.add(fmt::format("level.modulation{}", low), modulation(level_db, hop_s, low, high));
}

void add_lengths(Rows& rows, const std::string& name, const std::vector<Segment>& runs,
                 double hop_s, double duration_s) {
  std::vector<double> lengths;
  double longest = 0, total = 0;
  for (const Segment& run : runs) {
    lengths.push_back(static_cast<double>(run.size()) * hop_s);
    longest = std::max(longest, lengths.back());
    total += lengths.back();
  }
  rows.add(name + ".share", total / duration_s);
  rows.add(name + ".per_second", static_cast<double>(runs.size()) / duration_s);
  rows.add(name + ".length", moments(lengths));
  rows.add(name + ".longest", longest);
}

void add_rhythm(Rows& rows, const Eigen::VectorXd& level_db, const std::vector<bool>& voiced,
                const std::vector<Segment>& runs, double hop_s) {
  const double duration_s = static_cast<double>(level_db.size()) * hop_s;
  add_lengths(rows, "voiced", runs, hop_s, duration_s);
  std::vector<bool> paused(voiced.size());
  for (Eigen::Index t = 0; t < level_db.size(); ++t)
    paused[static_cast<std::size_t>(t)] = level_db[t] < -kPauseDb;
  add_lengths(rows, "pause", segments(paused), hop_s, duration_s);
  const Eigen::VectorXd smooth =
      smoothed(level_db, static_cast<Eigen::Index>(std::lround(kSmoothingS / hop_s)));
  const std::vector<Eigen::Index> peaks = prominent_peaks(smooth, kSyllableRiseDb);
  std::vector<double> gaps;
  for (std::size_t i = 1; i < peaks.size(); ++i)
    gaps.push_back(static_cast<double>(peaks[i] - peaks[i - 1]) * hop_s);
  rows.add("syllables.per_second", static_cast<double>(peaks.size()) / duration_s);
  rows.add("syllables.gap", moments(gaps));
  Eigen::Index loudest = 0;
  smooth.maxCoeff(&loudest);
  rows.add("loudest_at", static_cast<double>(loudest) / static_cast<double>(level_db.size()));
}

Rows prosody_rows(const PitchTrack& pitch, const Eigen::RowVectorXf& energy_db, double hop_s) {
  const Eigen::Index frames = pitch.hz.size();
  std::vector<bool> voiced(static_cast<std::size_t>(frames));
  for (Eigen::Index t = 0; t < frames; ++t) voiced[static_cast<std::size_t>(t)] = pitch.hz[t] > 0;
  const std::vector<Segment> runs = segments(voiced);
  const Eigen::VectorXd times_s =
      Eigen::VectorXd::LinSpaced(frames, 0, static_cast<double>(frames - 1) * hop_s);
  const Eigen::VectorXd energies = energy_db.transpose().cast<double>();
  const Eigen::VectorXd level_db = energies.array() - quantile_of(energies, 0.95);
  const Eigen::VectorXd periodicity = pitch.periodicity.cast<double>();

  Rows rows;
  add_melody(rows, pitch, voiced, runs, times_s, hop_s);
  rows.add_functionals("periodicity", times_s, periodicity);
  rows.add_functionals("periodicity_voiced", chosen(times_s, voiced), chosen(periodicity, voiced));
  rows.add_sixths("periodicity", sixths(periodicity, std::vector<bool>(voiced.size(), true), 0));
  add_loudness(rows, level_db, voiced, runs, times_s, hop_s);
  add_rhythm(rows, level_db, voiced, runs, hop_s);
  return rows;
}

class ProsodyFeature : public FeatureWith<ProsodyFeature, ProsodyOptions> {
 public:
  static constexpr std::string_view kType = "prosody";
  int hop_samples() const override { return 0; }
  FrameMatrix compute(const Analysis& analysis) const override {
    const Waveform& wave = analysis.wave();
    const int hop = static_cast<int>(std::lround(options_.hop_s * wave.sample_rate_hz));
    if (hop < 1) fail("prosody: expected hop_s > 0, found {}", options_.hop_s);
    const PitchTrack& pitch = analysis.pitch(voicing_options(wave.sample_rate_hz, hop));
    return prosody(pitch, level_db(wave, hop), static_cast<double>(hop) / wave.sample_rate_hz);
  }

 protected:
  std::vector<std::string> base_names() const override { return prosody_names(); }
};

}  // namespace

void ProsodyOptions::visit(FieldVisitor& v) {
  v.field("hop_s", hop_s, "Seconds from one frame to the next", Range{0.001, 10});
}

Eigen::VectorXf prosody(const PitchTrack& pitch, const Eigen::RowVectorXf& energy_db,
                        double hop_s) {
  return prosody_rows(pitch, energy_db, hop_s).values();
}

std::vector<std::string> prosody_names() {
  const PitchTrack silent{Eigen::VectorXf::Zero(1), Eigen::VectorXf::Zero(1)};
  return prosody_rows(silent, Eigen::RowVectorXf::Zero(1), 0.01).names();
}

std::unique_ptr<Feature> make_prosody() { return std::make_unique<ProsodyFeature>(); }

}  // namespace ser
