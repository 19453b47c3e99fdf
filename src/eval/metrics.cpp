#include "ser/eval/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/internal/fail.h"
#include "core/internal/numbers.h"
#include "corpus/internal/clip_groups.h"
#include "eval/internal/results.h"
#include "eval/jackknife.h"
#include "ser/core/most_likely.h"
#include "ser/corpus/speaker.h"

namespace ser {
namespace {

constexpr double kTemperatureStep = 1e-4;

double ratio(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / whole : 0;
}

/// A clip's cell in the confusion matrix.
struct Outcome {
  Eigen::Index truth, predicted;
};

using Counts = Eigen::Array<std::int64_t, Eigen::Dynamic, 1>;

/// What accuracy and recalls need of a confusion matrix, which may have a million cells.
struct Recalls {
  Counts right;    ///< of each class
  Counts support;  ///< of each class

  double accuracy() const { return ratio(right.sum(), support.sum()); }
  /// Mean recall over the classes that the truth has.
  double uar() const {
    double recalls = 0;
    int classes = 0;
    for (Eigen::Index c = 0; c < support.size(); ++c) {
      if (support[c] == 0) continue;
      recalls += ratio(right[c], support[c]);
      ++classes;
    }
    return classes > 0 ? recalls / classes : 0;
  }
  /// What the clips of each class count for in the mean recall, as one number of clips.
  double clips_of_uar() const {
    double inverse = 0, classes = 0;
    for (const std::int64_t clips : support)
      if (clips > 0) {
        inverse += 1 / static_cast<double>(clips);
        ++classes;
      }
    return classes * classes / inverse;
  }
};

Recalls recalls_of(const std::vector<Outcome>& outcomes, const std::vector<int>& chosen,
                   std::size_t classes) {
  Recalls recalls{Counts::Zero(classes), Counts::Zero(classes)};
  for (const int i : chosen) {
    ++recalls.support[outcomes[i].truth];
    if (outcomes[i].truth == outcomes[i].predicted) ++recalls.right[outcomes[i].truth];
  }
  return recalls;
}

std::vector<ClassScore> class_scores(const std::vector<std::string>& labels,
                                     const Eigen::MatrixX<std::int64_t>& confusion) {
  std::vector<ClassScore> scores;
  for (std::size_t c = 0; c < labels.size(); ++c) {
    const std::int64_t right = confusion(c, c);
    const std::int64_t support = confusion.row(c).sum(), predicted = confusion.col(c).sum();
    scores.push_back({labels[c], ratio(right, predicted), ratio(right, support),
                      ratio(2 * right, support + predicted), support});
  }
  return scores;
}

double macro_f1(const std::vector<ClassScore>& classes) {
  double sum = 0;
  int present = 0;
  for (const ClassScore& c : classes) {
    if (c.support == 0) continue;
    sum += c.f1;
    ++present;
  }
  return sum / present;
}

double gender_accuracy(const std::vector<Prediction>& predictions) {
  std::int64_t known = 0, right = 0;
  for (const Prediction& p : predictions) {
    if (p.gender.empty() || p.gender_probabilities.empty()) continue;
    ++known;
    right += kGenders[most_likely(p.gender_probabilities)] == p.gender;
  }
  return known > 0 ? ratio(right, known) : std::numeric_limits<double>::quiet_NaN();
}

std::array<CalibrationBin, 10> bins_of(const std::vector<Prediction>& predictions,
                                       const std::vector<Outcome>& outcomes) {
  constexpr int kBins = 10;
  std::array<CalibrationBin, kBins> bins;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const auto& p = predictions[i].probabilities;
    const double largest = *std::max_element(p.begin(), p.end());
    CalibrationBin& bin =
        bins[std::min<std::size_t>(kBins - 1, static_cast<std::size_t>(largest * kBins))];
    ++bin.n;
    bin.right += outcomes[i].truth == outcomes[i].predicted;
    bin.confidence_sum += largest;
  }
  return bins;
}

double calibration_error(const std::array<CalibrationBin, 10>& bins, std::int64_t n) {
  double error = 0;
  for (const CalibrationBin& bin : bins)
    error += std::abs(static_cast<double>(bin.right) - bin.confidence_sum);
  return error / static_cast<double>(n);
}

std::vector<Outcome> outcomes_of(const std::vector<std::string>& labels,
                                 const std::vector<Prediction>& predictions) {
  const std::vector<std::size_t> truth = true_classes(labels, predictions);
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < predictions.size(); ++i)
    outcomes.push_back({static_cast<Eigen::Index>(truth[i]),
                        static_cast<Eigen::Index>(most_likely(predictions[i].probabilities))});
  return outcomes;
}

/// Logarithms of the probabilities, [classes x clips]. A class that a model does not have, or that
/// is masked, has the probability 0, which no temperature changes.
Eigen::ArrayXXd logs_of(const std::vector<Prediction>& predictions) {
  Eigen::ArrayXXd logs(predictions.front().probabilities.size(), predictions.size());
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const std::vector<double>& p = predictions[i].probabilities;
    logs.col(i) = Eigen::Map<const Eigen::ArrayXd>(p.data(), std::ssize(p)).log();
  }
  return logs;
}

/// Mean -log p(truth) of probabilities sharpened or flattened by a temperature. Clips whose truth
/// has none add nothing.
double log_loss(const Eigen::ArrayXXd& logs, const std::vector<Outcome>& outcomes,
                double temperature) {
  double loss = 0;
  for (Eigen::Index i = 0; i < logs.cols(); ++i)
    if (const double truth = logs(outcomes[i].truth, i); std::isfinite(truth))
      loss += std::log((logs.col(i) / temperature).exp().sum()) - truth / temperature;
  return loss / static_cast<double>(logs.cols());
}

/// The minimum of the log loss, which has one: golden section over log temperatures.
double best_temperature(const std::vector<Prediction>& predictions,
                        const std::vector<Outcome>& outcomes) {
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(0.1), high = std::log(10.0);
  const Eigen::ArrayXXd logs = logs_of(predictions);
  const auto has_truth = [&](Eigen::Index i) {
    return std::isfinite(logs(outcomes[static_cast<std::size_t>(i)].truth, i));
  };
  if (!std::ranges::any_of(indices<Eigen::Index>(predictions.size()), has_truth)) return 1;
  const auto loss = [&](double x) { return log_loss(logs, outcomes, std::exp(x)); };
  double left = high - ratio * (high - low), right = low + ratio * (high - low);
  double loss_left = loss(left), loss_right = loss(right);
  while (high - low > kTemperatureStep) {
    if (loss_left < loss_right) {
      high = std::exchange(right, left);
      loss_right = loss_left;
      left = high - ratio * (high - low);
      loss_left = loss(left);
    } else {
      low = std::exchange(left, right);
      loss_left = loss_right;
      right = low + ratio * (high - low);
      loss_right = loss(right);
    }
  }
  return std::exp((low + high) / 2);
}

}  // namespace

std::array<CalibrationBin, 10> calibration_bins(const std::vector<std::string>& labels,
                                                const std::vector<Prediction>& predictions) {
  return bins_of(predictions, outcomes_of(labels, predictions));
}

Interval wilson_95(std::int64_t part, std::int64_t whole) {
  constexpr double kQuantile = 1.959963984540054;  // 97.5 % of the normal distribution
  return whole == 0 ? Interval{0, 1} : wilson(ratio(part, whole), whole, kQuantile);
}

Scores score(const std::vector<std::string>& labels, const std::vector<Prediction>& predictions) {
  if (predictions.empty()) fail("expected predictions to score, found none");
  const std::vector<Outcome> outcomes = outcomes_of(labels, predictions);
  Scores scores;
  scores.n = predictions.size();
  scores.confusion.setZero(std::ssize(labels), std::ssize(labels));
  for (const Outcome& outcome : outcomes) ++scores.confusion(outcome.truth, outcome.predicted);
  const Recalls all = recalls_of(outcomes, indices<int>(predictions.size()), labels.size());
  scores.accuracy = all.accuracy();
  scores.uar = all.uar();
  scores.per_class = class_scores(labels, scores.confusion);
  scores.macro_f1 = macro_f1(scores.per_class);
  scores.gender_accuracy = gender_accuracy(predictions);
  scores.ece = calibration_error(bins_of(predictions, outcomes), scores.n);
  scores.best_temperature = best_temperature(predictions, outcomes);
  for (const SpeakerClips& speaker : clips_by_speaker(predictions)) {
    const Recalls own = recalls_of(outcomes, speaker.clips, labels.size());
    scores.per_speaker.push_back(
        {speaker.speaker, std::ssize(speaker.clips), own.accuracy(), own.uar()});
  }
  return scores;
}

std::optional<Intervals> intervals(const std::vector<std::string>& labels,
                                   const std::vector<Prediction>& predictions) {
  const std::vector<Outcome> outcomes = outcomes_of(labels, predictions);
  const Recalls all = recalls_of(outcomes, indices<int>(predictions.size()), labels.size());
  std::vector<double> accuracies, uars;
  for (const std::vector<int>& unit : independent_units(predictions)) {
    const Recalls own = recalls_of(outcomes, unit, labels.size());
    const Recalls rest{all.right - own.right, all.support - own.support};
    accuracies.push_back(rest.accuracy());
    uars.push_back(rest.uar());
  }
  const auto accuracy =
      share_interval(all.accuracy(), accuracies, static_cast<double>(predictions.size()));
  const auto uar = share_interval(all.uar(), uars, all.clips_of_uar());
  if (!accuracy || !uar) return std::nullopt;
  return Intervals{*accuracy, *uar};
}

std::vector<KeptAnswers> risk_coverage(const std::vector<std::string>& labels,
                                       const std::vector<Prediction>& predictions) {
  struct Answer {
    double probability;
    bool right;
  };
  std::vector<Answer> answers;
  for (const Prediction& p : predictions) {
    const std::size_t said = most_likely(p.probabilities);
    answers.push_back({p.probabilities[said], labels[said] == p.emotion});
  }
  std::ranges::sort(answers, std::ranges::greater{}, &Answer::probability);
  std::vector<KeptAnswers> curve;
  KeptAnswers kept;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ++kept.kept;
    kept.right += answers[i].right ? 1 : 0;
    const double next = i + 1 < answers.size() ? answers[i + 1].probability : -1;
    if (next == answers[i].probability) continue;
    kept.from = next < 0 ? 0 : (answers[i].probability + next) / 2;
    curve.push_back(kept);
  }
  return curve;
}

KeptAnswers kept_at_risk(const std::vector<KeptAnswers>& curve, double risk) {
  KeptAnswers best{1, 0, 0};
  for (const KeptAnswers& point : curve)
    if (point.risk() <= risk + 1e-12) best = point;
  return best;
}

std::vector<std::size_t> true_classes(const std::vector<std::string>& labels,
                                      const std::vector<Prediction>& predictions) {
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t c = 0; c < labels.size(); ++c) places.try_emplace(labels[c], c);
  std::vector<std::size_t> classes;
  for (const Prediction& p : predictions) {
    const auto label = places.find(p.emotion);
    if (label == places.end())
      fail("{}: expected an emotion among {}, found '{}'", p.file, fmt::join(labels, ", "),
           p.emotion);
    if (p.probabilities.size() != labels.size() ||
        (!p.gender_probabilities.empty() && p.gender_probabilities.size() != kGenders.size()))
      fail("{}: expected {} probabilities and 2 or none of gender, found {} and {}", p.file,
           labels.size(), p.probabilities.size(), p.gender_probabilities.size());
    for (const auto* values : {&p.probabilities, &p.gender_probabilities}) {
      constexpr double kRounding = 1e-6;
      for (const double value : *values)
        if (!(value >= 0 && value <= 1))
          fail("{}: expected probabilities in [0, 1], found {}", p.file, value);
      if (const double sum = std::accumulate(values->begin(), values->end(), 0.0);
          sum > 1 + kRounding)
        fail("{}: expected probabilities that sum to 1, found {}", p.file, sum);
    }
    classes.push_back(label->second);
  }
  return classes;
}

std::vector<SpeakerClips> clips_by_speaker(const std::vector<Prediction>& predictions) {
  std::vector<Utterance> clips;
  for (const Prediction& p : predictions) clips.push_back(clip_of_speaker(p.speaker));
  std::vector<SpeakerClips> result;
  for (Speaker& speaker : group_by_speaker(clips, indices<int>(clips.size())))
    result.push_back({predictions[speaker.clips.front()].speaker, std::move(speaker.clips)});
  return result;
}

std::vector<std::vector<int>> independent_units(const std::vector<Prediction>& predictions) {
  std::vector<std::vector<int>> units;
  for (SpeakerClips& speaker : clips_by_speaker(predictions))
    units.push_back(std::move(speaker.clips));
  for (std::size_t i = 0; i < predictions.size(); ++i)
    if (predictions[i].speaker.empty()) units.push_back({static_cast<int>(i)});
  return units;
}

}  // namespace ser
