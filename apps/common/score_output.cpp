#include "score_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "ser/eval/corpus_matrix.h"
#include "ser/eval/evaluate.h"

namespace ser {
namespace {

double percent(double share) { return 100 * share; }

std::string interval(const std::optional<Intervals>& ci95, Interval Intervals::*which) {
  if (!ci95) return "no interval: fewer than four speakers";
  const Interval& ci = *ci95.*which;
  return fmt::format("95 % interval {:.1f} to {:.1f}", percent(ci.low), percent(ci.high));
}

/// Where speakers are unknown, what intervals take them for.
void print_unknown_speakers(const ResultFile& result) {
  const auto unknown = std::ranges::count(result.predictions, "", &Prediction::speaker);
  if (unknown > 0 && result.ci95)
    fmt::print("{} clip{} no speaker: intervals take each as a voice of its own\n", unknown,
               unknown == 1 ? " has" : "s have");
}

void print_classes(const Scores& scores, const std::vector<std::string>& labels) {
  std::size_t width = 8;
  for (const std::string& label : labels) width = std::max(width, label.size());
  fmt::print("\n{:<{}} precision  recall   clips   taken for\n{:<{}}                          ",
             "emotion", width, "", width);
  for (const std::string& label : labels) fmt::print("{:>6.5}", label);
  fmt::print("\n");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const ClassScore& row = scores.per_class[i];
    const std::string recall = row.support > 0 ? fmt::format("{:.1f} %", percent(row.recall)) : "-";
    fmt::print("{:<{}} {:>7.1f} % {:>7} {:>6}  ", labels[i], width, percent(row.precision), recall,
               row.support);
    for (std::size_t j = 0; j < labels.size(); ++j) fmt::print("{:>6}", scores.confusion(i, j));
    fmt::print("\n");
  }
}

/// Which answers may be kept, and how often those are right.
void print_certainty(const ResultFile& result) {
  const KeptAnswers sure = sure_answers(result);
  if (sure.kept == 0) {
    fmt::print("sure answers                none     at no threshold are {:.0f} % right\n",
               percent(1 - kAllowedRisk));
    return;
  }
  const double kept = static_cast<double>(sure.kept) / result.predictions.size();
  fmt::print("sure answers               {:5.1f} %   those of {:.2f} and more, {:.0f} % right\n",
             percent(kept), sure.from, percent(1 - sure.risk()));
}

void print_corpora(const ResultFile& result) {
  const std::vector<CorpusScore> corpora = by_corpus(result);
  if (corpora.empty()) return;
  fmt::print("\n");
  for (const CorpusScore& corpus : corpora)
    fmt::print("{:<12} {:>6} clips   UAR {:5.1f} %   {}\n",
               corpus.corpus.empty() ? "unknown" : corpus.corpus, corpus.scores.n,
               percent(corpus.scores.uar), interval(corpus.ci95, &Intervals::uar));
}

void print_matrix(const ResultFile& result) {
  if (result.matrix.empty()) return;
  const MatrixTable table = matrix_table(result);
  fmt::print("\n{:<16}", "UAR, trained on");
  for (const std::string& corpus : table.tested_on) fmt::print("{:>14.13}", corpus);
  fmt::print("   scored, over the classes in common\n");
  for (const MatrixTable::Row& row : table.rows) {
    fmt::print("{:<16.15}", row.trained_on);
    for (const CorpusScore* tested : row.cells)
      fmt::print("{:>14}", tested ? fmt::format("{:.1f} %", percent(tested->scores.uar)) : "");
    fmt::print("\n");
  }
}

/// A row for each number of clips heard; those of strangers' voices are told from the others.
void print_heard(const ResultFile& result) {
  const std::vector<const ResultFile*> rows = by_heard(result);
  if (rows.empty()) return;
  fmt::print("\nclips heard      UAR   95 % interval    gender   calibration error\n");
  for (const ResultFile* row : rows) {
    const Scores& scores = row->scores;
    const std::string gender = std::isnan(scores.gender_accuracy)
                                   ? ""
                                   : fmt::format("{:.1f} %", percent(scores.gender_accuracy));
    const std::string uar = row->ci95 ? fmt::format("{:.1f} to {:.1f}", percent(row->ci95->uar.low),
                                                    percent(row->ci95->uar.high))
                                      : "none";
    fmt::print("{:>9} {} {:>6.1f} %   {:<13} {:>9} {:>19.3f}\n", heard_text(row->info.heard),
               row->info.heard > 0 ? "*" : " ", percent(scores.uar), uar, gender, scores.ece);
  }
  fmt::print(
      "* up to so many other clips of the speaker were heard first, without their labels{}{}\n",
      describe_unheard(result),
      result.info.heard > 0
          ? fmt::format(": all figures but these are after {}", heard_text(result.info.heard))
          : "");
}

void print_speakers(const Scores& scores) {
  if (scores.per_speaker.size() < 2) return;
  double sum = 0, square = 0;
  const SpeakerScore *worst = &scores.per_speaker[0], *best = worst;
  for (const SpeakerScore& speaker : scores.per_speaker) {
    sum += speaker.accuracy;
    square += speaker.accuracy * speaker.accuracy;
    if (speaker.accuracy < worst->accuracy) worst = &speaker;
    if (speaker.accuracy > best->accuracy) best = &speaker;
  }
  const double n = scores.per_speaker.size();
  const double spread = std::sqrt(std::max(0.0, square / n - (sum / n) * (sum / n)));
  fmt::print(
      "\n{} speakers: accuracy spreads by {:.1f} points, from {:.1f} % ({}) to {:.1f} % ({})\n",
      scores.per_speaker.size(), percent(spread), percent(worst->accuracy), worst->speaker,
      percent(best->accuracy), best->speaker);
}

}  // namespace

void print_scores(const ResultFile& result) {
  const Scores& scores = result.scores;
  fmt::print("{} clips{}{}{}\n\n", scores.n, result.info.split.empty() ? "" : ", ",
             result.info.split,
             result.info.other_fold ? ", not what the model left out in training" : "");
  if (const std::string masked = describe_masked(result); !masked.empty())
    fmt::print("classes not in common, masked: {}\n\n", masked);
  fmt::print("unweighted average recall  {:5.1f} %   {}\n", percent(scores.uar),
             interval(result.ci95, &Intervals::uar));
  fmt::print("accuracy                   {:5.1f} %   {}\n", percent(scores.accuracy),
             interval(result.ci95, &Intervals::accuracy));
  fmt::print("macro F1                   {:5.1f} %\n", percent(scores.macro_f1));
  if (!std::isnan(scores.gender_accuracy))
    fmt::print("gender accuracy            {:5.1f} %\n", percent(scores.gender_accuracy));
  fmt::print("calibration error          {:5.3f}     best temperature {:.2f}\n", scores.ece,
             scores.best_temperature);
  print_certainty(result);
  print_unknown_speakers(result);
  print_corpora(result);
  print_matrix(result);
  print_heard(result);
  print_classes(scores, result.info.labels);
  print_speakers(scores);
  if (result.folds.size() < 2) return;
  fmt::print("\n");
  for (const FoldResult& fold : result.folds)
    fmt::print("fold {:<3} {:>5} clips   UAR {:5.1f} %   accuracy {:5.1f} %\n", fold.fold,
               fold.scores.n, percent(fold.scores.uar), percent(fold.scores.accuracy));
}

void print_comparison(const Comparison& comparison, const std::string& a, const std::string& b) {
  fmt::print(
      "{} clips\nA {}: UAR {:.1f} %, accuracy {:.1f} %\nB {}: UAR {:.1f} %, accuracy {:.1f} %\n",
      comparison.n, a, percent(comparison.uar_a), percent(comparison.accuracy_a), b,
      percent(comparison.uar_b), percent(comparison.accuracy_b));
  fmt::print("right in A alone {}, in B alone {}\n", comparison.only_a_right,
             comparison.only_b_right);
  fmt::print("UAR of B minus A: {:+.1f} points", percent(comparison.uar_difference));
  if (comparison.ci95_uar_difference)
    fmt::print(", 95 % interval {:+.1f} to {:+.1f}", percent(comparison.ci95_uar_difference->low),
               percent(comparison.ci95_uar_difference->high));
  if (comparison.units < 2)
    fmt::print("\none speaker: no sign to flip\n");
  else
    fmt::print("\nsign flips over {} {}: p = {:.3g}\n", comparison.units,
               comparison.by_speaker ? "speakers" : "speakers and clips of unknown speakers",
               comparison.sign_flip_p);
}

}  // namespace ser
