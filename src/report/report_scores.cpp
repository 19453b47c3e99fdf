#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "report/page/charts.h"
#include "report/page/colors.h"
#include "report/page/html.h"
#include "report/report_sections.h"

namespace ser::report {
namespace {

const Scale kShare{0, 1, "%"};

constexpr const char* kWilson =
    "Whiskers are 95 % Wilson intervals for that number of clips, taken as independent.";

/// "71.9 %" and, small, "23 of 32".
std::string share_text(std::string_view name, double share, std::int64_t right, std::int64_t n) {
  return fmt::format("{} <small>{} of {}</small>", figure(name, share, percent(share)),
                     grouped(right), grouped(n));
}

std::string confusion_cell(const ResultFile& result, Eigen::Index truth, Eigen::Index said) {
  const std::int64_t count = result.scores.confusion(truth, said);
  const std::int64_t support = result.scores.per_class[static_cast<std::size_t>(truth)].support;
  const double share = support > 0 ? static_cast<double>(count) / static_cast<double>(support) : 0;
  const auto shade = static_cast<std::size_t>(std::lround(share * (kRampShades - 1)));
  const auto& labels = result.info.labels;
  return fmt::format(
      "<td class=\"cell ramp{}{}{}\" title=\"{} taken for {}: {} of {}, {}\">{}</td>", shade,
      truth == said ? " right" : "", count == 0 ? " none" : "",
      escape(labels[static_cast<std::size_t>(truth)]),
      escape(labels[static_cast<std::size_t>(said)]), count, support, percent(share),
      grouped(count));
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
  for (const std::string& label : labels)
    html += "<th class=\"said\" scope=\"col\"><span>" + escape(label) + "</span></th>";
  html += "<th class=\"total\">recall</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    html += "<tr><th class=\"truth\" scope=\"row\">" + escape(labels[i]) + "</th>";
    for (Eigen::Index j = 0; j < result.scores.confusion.cols(); ++j)
      html += confusion_cell(result, row, j);
    html += fmt::format("<td class=\"total\">{}</td></tr>\n",
                        percent(result.scores.per_class[i].recall));
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
  for (const ClassScore& c : scores.per_class) {
    const std::int64_t right = std::llround(c.recall * static_cast<double>(c.support));
    rows.push_back({c.label,
                    bar(c.recall, kShare, c.support > 0 ? wilson_95(right, c.support) : Interval{}),
                    share_text("class-recall", c.recall, right, c.support)});
  }
  return row_list(rows, kShare);
}

std::string class_table(const Scores& scores) {
  std::vector<std::vector<std::string>> rows;
  for (const ClassScore& c : scores.per_class)
    rows.push_back({escape(c.label), grouped(c.support), percent(c.recall),
                    figure("class-precision", c.precision, percent(c.precision)),
                    figure("class-f1", c.f1, percent(c.f1))});
  return table({"emotion", "clips", "recall", "precision", "F1"}, rows, 1);
}

std::string speaker_rows(const Scores& scores) {
  std::vector<Row> rows;
  for (const SpeakerScore& s : scores.per_speaker) {
    const std::int64_t right = std::llround(s.accuracy * static_cast<double>(s.n));
    rows.push_back({s.speaker, bar(s.accuracy, kShare, wilson_95(right, s.n), scores.accuracy),
                    share_text("speaker-accuracy", s.accuracy, right, s.n)});
  }
  return row_list(rows, kShare);
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
                    fmt::format("{} <small>{}</small>",
                                figure("fold-uar", fold.scores.uar, percent(fold.scores.uar)),
                                counted(fold.scores.n, "clip"))});
  }
  return section("By fold",
                 "Unweighted average recall on each fold's clips, with the speakers it tests where "
                 "they are few. The dotted line is that of all folds pooled.",
                 row_list(rows, kShare));
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
    const auto truth = static_cast<std::size_t>(
        std::find(labels.begin(), labels.end(), p->emotion) - labels.begin());
    rows.push_back({escape(p->file), swatch(truth) + escape(p->emotion),
                    swatch(said) + escape(labels[said]), percent(p->probabilities[said]),
                    percent(p->probabilities[truth])});
  }
  return section(
      "Most confident mistakes",
      fmt::format("Worth listening to: a wrong label, an odd recording, or what the "
                  "model has yet to learn. {} of {}.",
                  counted(static_cast<std::int64_t>(rows.size()), "mistake"),
                  grouped(static_cast<std::int64_t>(all))),
      table({"file", "emotion", "taken for", "how sure", "left for the truth"}, rows, 3));
}

}  // namespace ser::report
