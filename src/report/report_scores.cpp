#include "report/report_sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/page/charts.h"
#include "report/page/colors.h"
#include "report/page/html.h"
#include "ser/eval/corpus_matrix.h"
#include "ser/eval/evaluate.h"
#include "ser/eval/metrics.h"

namespace ser::report {
namespace {

/// A class without clips has none.
std::string recall_text(const ClassScore& c) { return c.support > 0 ? percent(c.recall) : "-"; }

constexpr const char* kWilson =
    "Whiskers are 95 % Wilson intervals for that number of clips, taken as independent.";

std::size_t shade_of(double share) {
  return static_cast<std::size_t>(std::lround(share * (kRampShades - 1)));
}

/// A bar that says "71.9 %" and, small, "23 of 32".
Row share_row(const std::string& name, std::string_view figure_name, double share, std::int64_t n,
              std::optional<double> reference = {}) {
  const std::int64_t right = std::llround(share * n);
  return {name, bar(share, kShare, n > 0 ? wilson_95(right, n) : Interval{}, reference),
          fmt::format("{} <small>{} of {}</small>", share_figure(figure_name, share),
                      grouped(right), grouped(n))};
}

std::string confusion_cell(const ResultFile& result, Eigen::Index truth, Eigen::Index said) {
  const std::int64_t count = result.scores.confusion(truth, said);
  const std::int64_t support = result.scores.per_class[truth].support;
  const double share = support > 0 ? static_cast<double>(count) / support : 0;
  const auto& labels = result.info.labels;
  return fmt::format(
      "<td class=\"cell ramp{}{}{}\" title=\"{} taken for {}: {} of {}, {}\">{}</td>",
      shade_of(share), truth == said ? " right" : "", count == 0 ? " none" : "",
      escape(labels[truth]), escape(labels[said]), count, support, percent(share), grouped(count));
}

std::string said_header(const std::string& name) {
  return "<th class=\"said\" scope=\"col\"><span>" + escape(name) + "</span></th>";
}

std::string truth_header(const std::string& name) {
  return "<tr><th class=\"truth\" scope=\"row\">" + escape(name) + "</th>";
}

std::string confusion_table(const ResultFile& result) {
  const auto& labels = result.info.labels;
  constexpr std::size_t kRoomyClasses = 12, kShortName = 9;
  const bool upright = labels.size() > kRoomyClasses ||
                       std::any_of(labels.begin(), labels.end(), [](const std::string& label) {
                         return label.size() > kShortName;
                       });
  std::string html = fmt::format(
      "<div class=\"scroll\"><table class=\"confusion{}{}\" "
      "id=\"confusion\">\n<thead><tr><th></th>",
      upright ? " upright" : "", labels.size() > kRoomyClasses ? " dense" : "");
  for (const std::string& label : labels) html += said_header(label);
  html += "<th class=\"total\">recall</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    html += truth_header(labels[i]);
    for (Eigen::Index j = 0; j < result.scores.confusion.cols(); ++j)
      html += confusion_cell(result, i, j);
    html +=
        fmt::format("<td class=\"total\">{}</td></tr>\n", recall_text(result.scores.per_class[i]));
  }
  html += "</tbody>\n<tfoot><tr><th class=\"truth total\">precision</th>";
  const bool dense = labels.size() > kRoomyClasses;
  for (const ClassScore& c : result.scores.per_class)
    html += fmt::format("<td class=\"total\">{}</td>",
                        dense ? fmt::format("{:.0f}", 100 * c.precision) : percent(c.precision));
  return html + "</tr></tfoot></table></div>\n";
}

std::string class_rows(const Scores& scores) {
  std::vector<Row> rows;
  for (const ClassScore& c : scores.per_class)
    if (c.support > 0) rows.push_back(share_row(c.label, "class-recall", c.recall, c.support));
  return row_list(rows, kShare);
}

std::string class_table(const Scores& scores) {
  std::vector<std::vector<std::string>> rows;
  for (const ClassScore& c : scores.per_class)
    rows.push_back({escape(c.label), grouped(c.support), recall_text(c),
                    share_figure("class-precision", c.precision), share_figure("class-f1", c.f1)});
  return table({"emotion", "clips", "recall", "precision", "F1"}, rows, 1);
}

std::string speaker_rows(const Scores& scores) {
  std::vector<Row> rows;
  for (const SpeakerScore& s : scores.per_speaker)
    rows.push_back(share_row(s.speaker, "speaker-accuracy", s.accuracy, s.n, scores.accuracy));
  return row_list(rows, kShare);
}

Row row_of(const ResultFile& result) {
  const double uar = result.scores.uar;
  return {result.info.heard == 0 ? "a stranger's voice" : heard_text(result.info.heard) + " heard",
          dot(uar, kShare, result.ci95 ? result.ci95->uar : Interval{}, std::nullopt),
          share_figure("heard-uar", uar)};
}

std::vector<std::string> cells_of(const ResultFile& result) {
  const Scores& scores = result.scores;
  return {heard_text(result.info.heard),
          percent(scores.uar),
          result.ci95 ? range_text(result.ci95->uar) : "none",
          percent(scores.accuracy),
          std::isnan(scores.gender_accuracy) ? "" : percent(scores.gender_accuracy),
          fmt::format("{:.3f}", scores.ece)};
}

std::string cell_html(const CorpusScore* tested) {
  if (!tested) return "<td class=\"cell none\"></td>";
  const double uar = tested->scores.uar;
  const std::string interval =
      tested->ci95 ? ", 95 % interval " + range_text(tested->ci95->uar) : "";
  return fmt::format("<td class=\"cell ramp{}\" title=\"{} clips{}\">{}</td>", shade_of(uar),
                     tested->scores.n, interval, percent(uar));
}

std::string table_html(const MatrixTable& matrix) {
  std::string html =
      "<div class=\"scroll\"><table class=\"confusion\" id=\"matrix\">\n<thead><tr><th></th>";
  for (const std::string& corpus : matrix.tested_on) html += said_header(corpus);
  html += "</tr></thead>\n<tbody>\n";
  for (const MatrixTable::Row& row : matrix.rows) {
    html += truth_header(row.trained_on);
    for (const CorpusScore* tested : row.cells) html += cell_html(tested);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

/// Share of answers kept, in percent, against the share of them that is right.
Point point_of(const KeptAnswers& answers, std::size_t all) {
  return {100 * static_cast<double>(answers.kept) / all, 1 - answers.risk()};
}

}  // namespace

std::string confusion_section(const ResultFile& result) {
  return section("What is taken for what",
                 "Clips by true emotion (rows) and the answer (columns). The shade is the share of "
                 "the row, so right answers darken the diagonal.",
                 confusion_table(result));
}

std::string classes_and_speakers_section(const ResultFile& result) {
  const Scores& scores = result.scores;
  std::string classes =
      figure_block("Recall of each emotion: how many of its clips were found", class_rows(scores)) +
      figure_block("All figures", class_table(scores));
  if (scores.per_speaker.empty())
    return section("By emotion", std::string(kWilson) + " Speakers are not known.", classes);
  const std::string speakers = figure_block("Accuracy for each speaker", speaker_rows(scores));
  constexpr std::size_t kManySpeakers = 40;
  const bool many = scores.per_speaker.size() > kManySpeakers;
  return section(
      "By emotion and by speaker",
      std::string(kWilson) + " The dotted line is the accuracy over all clips.",
      many ? classes + speakers : side_by_side({"<div>" + classes + "</div>\n", speakers}));
}

std::string folds_section(const ResultFile& result) {
  if (result.folds.size() < 2) return "";
  std::vector<Row> rows;
  for (const FoldResult& fold : result.folds) {
    std::string name = fmt::format("fold {}", fold.fold);
    constexpr std::size_t kFewSpeakers = 6;
    if (!fold.test_speakers.empty() && fold.test_speakers.size() <= kFewSpeakers)
      name += fmt::format(": {}", fmt::join(fold.test_speakers, ", "));
    rows.push_back({name, bar(fold.scores.uar, kShare, {}, result.scores.uar),
                    fmt::format("{} <small>{}</small>", share_figure("fold-uar", fold.scores.uar),
                                counted(fold.scores.n, "clip"))});
  }
  std::string said =
      "Unweighted average recall on each fold's clips, with the speakers it tests where "
      "they are few. The dotted line is that of all folds pooled.";
  if (const std::string masked = describe_masked(result); !masked.empty())
    said += " Classes not in common, among which the model did not choose: " + masked + ".";
  return section("By fold", said, row_list(rows, kShare));
}

std::string calibration_section(const ResultFile& result) {
  const auto bins = calibration_bins(result.info.labels, result.predictions);
  std::vector<Row> rows;
  std::int64_t most = 1;
  for (const CalibrationBin& bin : bins) most = std::max(most, bin.n);
  const Scale scale = rounded_scale(0, static_cast<double>(most), "");
  for (std::size_t b = 0; b < bins.size(); ++b)
    rows.push_back({fmt::format("{} to {} %", 10 * b, 10 * (b + 1)),
                    bar(static_cast<double>(bins[b].n), scale), grouped(bins[b].n)});
  return section(
      "Can its certainty be trusted?",
      fmt::format("On the dashed line, a model that is 70 % sure is right in 70 % of the cases; "
                  "below it, it promises too much. Dots are tenths of the scale, larger for more "
                  "clips, with 95 % Wilson intervals. The expected calibration error, the mean "
                  "distance from the line weighted by clips, is {}.",
                  figure("ece", result.scores.ece, fmt::format("{:.3f}", result.scores.ece))),
      side_by_side(
          {figure_block("Reliability diagram", reliability_chart(bins)),
           figure_block("Clips by the probability of the answer", row_list(rows, scale))}));
}

std::string mistakes_section(const ResultFile& result) {
  constexpr std::size_t kShown = 20;
  const auto& labels = result.info.labels;
  std::vector<const Prediction*> wrong;
  for (const Prediction& p : result.predictions)
    if (labels[most_likely(p.probabilities)] != p.emotion) wrong.push_back(&p);
  if (wrong.empty()) return section("Most confident mistakes", "There are none.", "");
  const auto certainty = [](const Prediction* p) {
    return p->probabilities[most_likely(p->probabilities)];
  };
  std::stable_sort(wrong.begin(), wrong.end(), [&](const Prediction* a, const Prediction* b) {
    return certainty(a) > certainty(b);
  });
  const std::size_t all = wrong.size();
  wrong.resize(std::min(kShown, all));
  std::vector<std::vector<std::string>> rows;
  for (const Prediction* p : wrong) {
    const std::size_t said = most_likely(p->probabilities);
    const std::size_t truth = std::find(labels.begin(), labels.end(), p->emotion) - labels.begin();
    rows.push_back({escape(p->file), swatch(truth) + escape(p->emotion),
                    swatch(said) + escape(labels[said]), percent(p->probabilities[said]),
                    percent(p->probabilities[truth])});
  }
  return section(
      "Most confident mistakes",
      fmt::format("Worth listening to: a wrong label, an odd recording, or what the model has yet "
                  "to learn. {} of {}.",
                  counted(rows.size(), "mistake"), grouped(all)),
      table({"file", "emotion", "taken for", "how sure", "left for the truth"}, rows, 3));
}

std::string heard_section(const ResultFile& result) {
  std::vector<Row> rows;
  std::vector<std::vector<std::string>> cells;
  for (const ResultFile* one : by_heard(result)) {
    rows.push_back(row_of(*one));
    cells.push_back(cells_of(*one));
  }
  if (rows.empty()) return "";
  return section(
      "The more it hears of a voice",
      "Scores after other clips of the speaker were heard, without their labels, as many as stand "
      "there or all that there are" +
          describe_unheard(result) + ". All other figures of this page are those of the first row.",
      side_by_side(
          {figure_block("Unweighted average recall with its 95 % interval", row_list(rows, kShare)),
           figure_block("All figures", table({"heard", "UAR", "95 % interval", "accuracy", "gender",
                                              "calibration error"},
                                             cells, 1))}));
}

std::string matrix_section(const ResultFile& result) {
  if (result.matrix.empty()) return "";
  return section("From corpus to corpus",
                 "Unweighted average recall of a model trained on one corpus alone, or on all "
                 "others (rows), on clips of another (columns), each over the classes that both "
                 "have. No corpus is scored by a model that was trained on it.",
                 table_html(matrix_table(result)));
}

std::string certainty_section(const ResultFile& result) {
  const std::vector<KeptAnswers> curve = risk_coverage(result.info.labels, result.predictions);
  if (curve.empty()) return "";
  const KeptAnswers sure = kept_at_risk(curve);
  const Point at = point_of(sure, result.predictions.size());
  std::vector<Point> points;
  for (const KeptAnswers& kept : curve) points.push_back(point_of(kept, result.predictions.size()));
  points = thinned(points);
  const double lowest = std::ranges::min(points, {}, &Point::y).y;
  const double low = std::floor(10 * lowest) / 10;
  LineChart chart{"share of right answers", "answers kept, %", {0, 100, ""}, {low, 1, "%"}, {}, {}};
  if (sure.kept > 0) chart.lines.push_back({{{at.x, low}, {at.x, at.y}}, "", "share kept"});
  chart.lines.push_back({points, "mean", "right answers among those kept"});
  return section(
      "Which answers are sure?",
      fmt::format("With at most {} wrong among the answers that stay, those below {} are "
                  "uncertain: {} of the answers stay. The curve shows the same for every "
                  "threshold, from the surest answers alone, on the left, to all of them.",
                  percent(kAllowedRisk), share_figure("uncertain-below", sure.from),
                  figure("kept", at.x / 100, percent(at.x / 100))),
      line_chart(chart));
}

}  // namespace ser::report
