#include "ser/eval/metrics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "eval/bootstrap.h"
#include "ser/core/error.h"

namespace ser {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

/// A clip's cell in the confusion matrix.
struct Outcome {
  Eigen::Index truth, predicted;
};

void count(const std::vector<Outcome>& outcomes, const std::vector<int>& chosen,
           Confusion& confusion) {
  for (const int i : chosen) {
    const Outcome& outcome = outcomes[static_cast<std::size_t>(i)];
    ++confusion(outcome.truth, outcome.predicted);
  }
}

Confusion confusion_of(const std::vector<Outcome>& outcomes, const std::vector<int>& chosen,
                       std::size_t classes) {
  const auto size = static_cast<Eigen::Index>(classes);
  Confusion confusion = Confusion::Zero(size, size);
  count(outcomes, chosen, confusion);
  return confusion;
}

std::vector<ClassScore> class_scores(const std::vector<std::string>& labels,
                                     const Confusion& confusion) {
  std::vector<ClassScore> scores;
  for (std::size_t c = 0; c < labels.size(); ++c) {
    const auto i = static_cast<Eigen::Index>(c);
    const std::int64_t right = confusion(i, i);
    const std::int64_t support = confusion.row(i).sum(), predicted = confusion.col(i).sum();
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

double calibration_error(const std::vector<Prediction>& predictions,
                         const std::vector<Outcome>& outcomes) {
  constexpr std::size_t kBins = 10;
  std::array<double, kBins> confidence{}, right{};
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const auto& p = predictions[i].probabilities;
    const double largest = *std::max_element(p.begin(), p.end());
    const std::size_t bin = std::min(kBins - 1, static_cast<std::size_t>(largest * kBins));
    confidence[bin] += largest;
    right[bin] += outcomes[i].truth == outcomes[i].predicted;
  }
  double error = 0;
  for (std::size_t b = 0; b < kBins; ++b) error += std::abs(right[b] - confidence[b]);
  return error / static_cast<double>(predictions.size());
}

void add_intervals(Scores& scores, const std::vector<Prediction>& predictions,
                   const std::vector<Outcome>& outcomes, std::uint64_t seed) {
  const auto units = resampling_units(predictions);
  std::vector<double> accuracies, uars;
  Confusion confusion = scores.confusion;
  bootstrap(units.size(), seed, [&](std::span<const int> drawn) {
    confusion.setZero();
    for (const int unit : drawn) count(outcomes, units[static_cast<std::size_t>(unit)], confusion);
    accuracies.push_back(accuracy_of(confusion));
    uars.push_back(uar_of(confusion));
  });
  scores.ci95_accuracy = central_95(std::move(accuracies));
  scores.ci95_uar = central_95(std::move(uars));
}

}  // namespace

std::size_t most_likely(std::span<const double> probabilities) {
  assert(!probabilities.empty());
  return static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) -
                                  probabilities.begin());
}

Scores score(const std::vector<std::string>& labels, const std::vector<Prediction>& predictions,
             std::uint64_t seed) {
  if (predictions.empty()) throw Error("expected predictions to score, found none");
  const std::vector<std::size_t> truth = true_classes(labels, predictions);
  std::vector<Outcome> outcomes;
  std::vector<int> all;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    outcomes.push_back({static_cast<Eigen::Index>(truth[i]),
                        static_cast<Eigen::Index>(most_likely(predictions[i].probabilities))});
    all.push_back(static_cast<int>(i));
  }
  Scores scores;
  scores.n = static_cast<std::int64_t>(predictions.size());
  scores.confusion = confusion_of(outcomes, all, labels.size());
  scores.accuracy = accuracy_of(scores.confusion);
  scores.uar = uar_of(scores.confusion);
  scores.per_class = class_scores(labels, scores.confusion);
  scores.macro_f1 = macro_f1(scores.per_class);
  scores.gender_accuracy = gender_accuracy(predictions);
  scores.ece = calibration_error(predictions, outcomes);
  for (const SpeakerClips& speaker : clips_by_speaker(predictions)) {
    const Confusion own = confusion_of(outcomes, speaker.clips, labels.size());
    scores.per_speaker.push_back({speaker.speaker, own.sum(), accuracy_of(own), uar_of(own)});
  }
  add_intervals(scores, predictions, outcomes, seed);
  return scores;
}

}  // namespace ser
