#pragma once

#include <Eigen/Core>
#include <array>
#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "ser/core/most_likely.h"

namespace ser {

/// What tells clips apart: two corpora may name their files alike.
struct ClipName {
  std::string file;
  std::string speaker;  ///< with its corpus, as of `speaker_name`; empty: unknown

  auto operator<=>(const ClipName&) const = default;  // NOLINT(modernize-use-nullptr): Clang 14
};

/// What a model said about a clip, beside the truth.
struct Prediction {
  std::string file;
  std::string speaker;                       ///< empty: unknown
  std::string emotion;                       ///< the truth
  std::string gender;                        ///< the truth; empty: unknown
  std::vector<double> probabilities;         ///< of each emotion, in the order of the labels
  std::vector<double> gender_probabilities;  ///< male, female; empty without a gender head
  std::string corpus = {};                   ///< of a clip whose speaker, who tells it, is unknown

  ClipName name() const { return {file, speaker}; }
};

/// Genders in the order of `Prediction::gender_probabilities`.
inline constexpr std::array<std::string_view, 2> kGenders = {"male", "female"};

struct Interval {
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

struct ClassScore {
  std::string label;
  double precision = 0;  ///< 0 where the class is never predicted
  double recall = 0;     ///< 0 where the class is absent from the truth
  double f1 = 0;
  std::int64_t support = 0;  ///< clips that are of the class
};

struct SpeakerScore {
  std::string speaker;
  std::int64_t n = 0;
  double accuracy = 0;
  double uar = 0;
};

/// Scores of a model on clips. Classes absent from the truth are left out of `uar` (as in
/// scikit-learn's balanced_accuracy_score) and of `macro_f1`; clips wrongly given to such a class
/// still count as errors of their own.
struct Scores {
  std::int64_t n = 0;
  double accuracy = 0;
  double uar = 0;  ///< unweighted average recall
  double macro_f1 = 0;
  /// Over clips of known gender; NaN where there is none or the model has no gender head.
  double gender_accuracy = std::numeric_limits<double>::quiet_NaN();
  /// Expected calibration error: ten equal bins [0, 0.1) ... [0.9, 1] of the largest probability,
  /// mean |accuracy - confidence| weighted by clips (Guo et al. 2017, eq. 3).
  double ece = 0;
  /// What the logits would have to be divided by for the smallest log loss (Guo et al. 2017): 1
  /// where the probabilities are as sure as they are right. From 0.1 to 10.
  double best_temperature = 1;
  Eigen::Matrix<std::int64_t, Eigen::Dynamic, Eigen::Dynamic> confusion;  ///< rows are the truth
  std::vector<ClassScore> per_class;
  std::vector<SpeakerScore> per_speaker;  ///< by id, as numbers where all are; none if unknown
};

/// Clips whose largest probability lies in one bin.
struct CalibrationBin {
  std::int64_t n = 0;
  std::int64_t right = 0;
  double confidence_sum = 0;  ///< of the largest probabilities
};

/// The ten equal bins [0, 0.1) ... [0.9, 1] that the calibration error is taken over.
/// Throws Error as `score` does.
std::array<CalibrationBin, 10> calibration_bins(const std::vector<std::string>& labels,
                                                const std::vector<Prediction>& predictions);

/// The 95 % score interval of a share, part / whole (Wilson 1927): trials count as independent.
/// [0, 1] where there are none.
Interval wilson_95(std::int64_t part, std::int64_t whole);

/// Scores of predictions.
/// Throws Error for no predictions, an emotion that is not among the labels, or probabilities that
/// do not fit them.
Scores score(const std::vector<std::string>& labels, const std::vector<Prediction>& predictions);

/// 95 % intervals for what new speakers would score.
struct Intervals {
  Interval accuracy, uar;
};

/// Intervals that take speakers as independent, and clips of one voice as one: Student's t over
/// speakers on the log odds, error by the jackknife. Clips without a speaker stand for themselves.
/// None for fewer than four speakers. Simulated, the 95 % are mostly near that, 93 to 99: least
/// where a few speakers are unlike the rest, most for scores near 100 %. Throws Error as `score`
/// does.
std::optional<Intervals> intervals(const std::vector<std::string>& labels,
                                   const std::vector<Prediction>& predictions);

/// Share of wrong answers that is allowed among those that are not called uncertain.
inline constexpr double kAllowedRisk = 0.2;

/// The answers at least as probable as `from`.
struct KeptAnswers {
  double from = 0;
  std::int64_t kept = 0;
  std::int64_t right = 0;  ///< of those kept

  double risk() const {
    return kept > 0 ? 1 - static_cast<double>(right) / static_cast<double>(kept) : 0;
  }
};

/// What is kept, and how often it is right, for every threshold that makes a difference: from the
/// surest answers alone to all of them, from 0 (risk-coverage curve; El-Yaniv and Wiener 2010).
/// Thresholds lie half-way between the probabilities that they part.
std::vector<KeptAnswers> risk_coverage(const std::vector<std::string>& labels,
                                       const std::vector<Prediction>& predictions);

/// The point of the curve that keeps most while at most a share `risk` of it is wrong; where there
/// is none, nothing is kept, from 1.
KeptAnswers kept_at_risk(const std::vector<KeptAnswers>& curve, double risk = kAllowedRisk);

}  // namespace ser
