#include "eval/jackknife.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "eval/predictions.h"

namespace ser {
namespace {

TEST(StudentT, IsThatOfTheTables) {
  EXPECT_NEAR(student_t_975(1), 12.706205, 1e-6);
  EXPECT_NEAR(student_t_975(2), 4.302653, 1e-6);
  EXPECT_NEAR(student_t_975(3), 3.182446, 1e-6);
  EXPECT_NEAR(student_t_975(4), 2.776445, 1e-6);
  EXPECT_NEAR(student_t_975(9), 2.262157, 1e-6);
  EXPECT_NEAR(student_t_975(30), 2.042272, 1e-6);
  EXPECT_NEAR(student_t_975(100000), 1.959988, 1e-6);
}

TEST(Jackknife, OfAMeanIsItsStandardError) {
  const std::vector<double> values = {1, 4, 4, 7, 9};
  const double sum = std::accumulate(values.begin(), values.end(), 0.0), mean = sum / 5;
  std::vector<double> without_one;
  double squares = 0;
  for (const double value : values) {
    without_one.push_back((sum - value) / 4);
    squares += (value - mean) * (value - mean);
  }
  EXPECT_NEAR(jackknife_error(without_one), std::sqrt(squares / 4 / 5), 1e-12);
}

/// A population of speakers: how well each class is found, how far speakers differ in all classes
/// and in each (log odds), and clips of a class by a speaker, on average.
struct Population {
  const char* name;
  std::vector<double> classes;
  double speakers, each_class;
  int clips;
  bool uneven = false;  ///< one speaker says five times as much as another

  double logistic(double log_odds) const { return 1 / (1 + std::exp(-log_odds)); }

  /// Recall of each class for a speaker drawn.
  std::vector<double> draw_recalls(Rng& rng) const {
    const double own = speakers * rng.normal();
    std::vector<double> recalls;
    for (const double c : classes) recalls.push_back(logistic(c + own + each_class * rng.normal()));
    return recalls;
  }
  double uar() const {
    constexpr int kSpeakers = 100000;
    Rng rng(1, 1);
    double sum = 0;
    for (int i = 0; i < kSpeakers; ++i)
      for (const double recall : draw_recalls(rng)) sum += recall;
    return sum / kSpeakers / static_cast<double>(classes.size());
  }
  friend void PrintTo(const Population& population, std::ostream* out) { *out << population.name; }
};

/// Predictions for the clips of speakers drawn; the wrong ones name the next class.
std::vector<Prediction> draw_predictions(const Population& population,
                                         const std::vector<std::string>& labels, int speakers,
                                         Rng& rng) {
  std::vector<Prediction> predictions;
  for (int s = 0; s < speakers; ++s) {
    const std::vector<double> recalls = population.draw_recalls(rng);
    const int most = population.uneven ? population.clips * static_cast<int>(1 + rng.below(5))
                                       : population.clips;
    for (std::size_t c = 0; c < labels.size(); ++c)
      for (int clip = 0; clip < most; ++clip) {
        if (population.uneven && rng.uniform() < 0.3) continue;
        const bool right = rng.uniform() < recalls[c];
        predictions.push_back(predict(labels, "x", std::to_string(s), labels[c],
                                      labels[right ? c : (c + 1) % labels.size()]));
      }
  }
  return predictions;
}

class Coverage : public testing::TestWithParam<Population> {};

TEST_P(Coverage, OfTheIntervalHoldsItsLevel) {
  constexpr int kExperiments = 2000;
  const Population& population = GetParam();
  std::vector<std::string> labels;
  for (std::size_t c = 0; c < population.classes.size(); ++c) labels.push_back(std::to_string(c));
  const double truth = population.uar();
  for (const int speakers : {4, 6, 10, 20}) {
    int covered = 0;
    Rng rng(2, static_cast<std::uint64_t>(speakers));
    for (int i = 0; i < kExperiments; ++i) {
      const auto ci = intervals(labels, draw_predictions(population, labels, speakers, rng));
      covered += ci->uar.low <= truth && truth <= ci->uar.high;
    }
    const double share = static_cast<double>(covered) / kExperiments;
    RecordProperty(std::to_string(speakers), std::to_string(share));
    EXPECT_GE(share, 0.93) << population.name << ", " << speakers << " speakers";
    EXPECT_LE(share, 0.97) << population.name << ", " << speakers << " speakers";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Populations, Coverage,
    testing::Values(Population{"eight", {1.5, 1.2, 0.2, -0.2, 1.5, 0.5, 0.8, 0.6}, 0.5, 0.7, 8},
                    Population{"six", {0.2, -0.2, 1, 2, -1, 0}, 1, 0.7, 4},
                    Population{"alike", {1.5, 1.2, 0.2, 0.5}, 0, 0, 8},
                    Population{"good", {3, 2.5, 3.5, 3}, 1, 0.5, 8},
                    Population{"uneven", {1.5, 1.2, 0.2, -0.2, 1.5, 0.5}, 0.7, 0.7, 4, true}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace ser
