#include "ser/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/predictions.h"
#include "report/page/charts.h"
#include "report/page/colors.h"
#include "report/page/html.h"
#include "report/report_sections.h"
#include "ser/core/parallel.h"
#include "support/page_text.h"

namespace ser::report {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using Json = nlohmann::ordered_json;

const std::vector<std::string> kLabels = {"happy", "sad", "angry"};

ResultFile some_result(int folds, const std::string& split, int per_speaker = 6) {
  return make_result({kLabels, split, "", "0123456789abcdef", 3},
                     random_folds(kLabels, folds, per_speaker, 1));
}

Report some_report(int folds, const std::string& split, int per_speaker = 6) {
  Report report;
  if (split.empty()) report.kind = ReportKind::kModel;
  report.result = some_result(folds, split, per_speaker);
  for (int fold = 0; fold < folds; ++fold) {
    LearningCurve curve{fold, 0, {}};
    for (int epoch = 1; epoch <= 5; ++epoch) {
      EpochReport e;
      e.epoch = epoch;
      e.loss = 2.0 / epoch + 0.01 * fold;
      e.learning_rate = 0.001;
      curve.epochs.push_back(e);
    }
    report.curves.push_back(curve);
  }
  return report;
}

/// The number shown with `name`, as a program reads it.
double shown(const std::string& html, const std::string& name) {
  const std::string before = "<data class=\"" + name + "\" value=\"";
  const std::size_t at = html.find(before);
  EXPECT_NE(at, std::string::npos) << name;
  return std::stod(html.substr(at + before.size()));
}

Json carried_figures(const std::string& html) {
  const std::string before = "id=\"figures\">";
  const std::size_t begin = html.find(before) + before.size();
  return Json::parse(html.substr(begin, html.find("</script>", begin) - begin));
}

TEST(Report, CarriesTheFiguresOfTheResultFile) {
  const Report report = some_report(3, "speakers:3");
  const std::string html = report_html(report);
  Json result = Json::parse(result_json(*report.result));
  result.erase("predictions");
  EXPECT_EQ(carried_figures(html), result);
  EXPECT_EQ(shown(html, "uar"), result["uar"].get<double>());
  EXPECT_EQ(shown(html, "accuracy"), result["accuracy"].get<double>());
  EXPECT_EQ(shown(html, "low"), result["ci95"]["uar"][0].get<double>());
  EXPECT_EQ(shown(html, "ece"), result["ece"].get<double>());
  EXPECT_EQ(shown(html, "gender-accuracy"), result["gender_accuracy"].get<double>());
}

TEST(Report, NeedsNoOtherFile) {
  const std::string html = report_html(some_report(3, "speakers:3"));
  expect_silent(html, {"http://", "https://", "src=", "url(", "@import", "<link"});
}

TEST(Report, EscapesEveryName) {
  const std::vector<std::string> labels = {"</script><b>", "\"&'", "x"};
  std::vector<FoldPredictions> folds = random_folds(labels, 2, 6, 1);
  for (FoldPredictions& fold : folds) {
    fold.test_speakers = {"<b>speaker"};
    for (Prediction& p : fold.predictions) {
      p.file = "<b>" + p.file;
      p.speaker = "<b>" + p.speaker;
    }
  }
  Report report;
  report.recipe = R"({"description": "<b>", "network": {"layers": []}})";
  report.result = make_result({labels, "speakers:2", "", "<b>", 1}, folds);
  report.features = "<b>";
  report.left_out = "<b>";
  const std::string html = report_html(report);
  expect_says(html, {"&lt;/script&gt;&lt;b&gt;", "&quot;&amp;&#39;"});
  expect_silent(html, {"<b>"});
  EXPECT_EQ(carried_figures(html)["labels"][0], labels[0]);
}

TEST(Report, IsNamedAfterItsRecipe) {
  Report report = some_report(3, "speakers:3");
  report.recipe = R"({"description": "A network; much can be said of it"})";
  expect_says(report_html(report), {"<h1>A network</h1>"});
}

TEST(Report, SaysWhatTheSplitIsWorth) {
  const std::string apart = report_html(some_report(3, "speakers:3"));
  expect_says(apart, {"3 folds by speaker", "never heard in training"});
  expect_silent(apart, {"class=\"warning\""});
  const std::string mixed = report_html(some_report(3, "random:3"));
  expect_says(mixed, {"say nothing about new voices"});
  expect_silent(mixed, {"never heard in training"});
  expect_says(report_html(some_report(1, "")), {"none of the scored speakers is among"});
}

TEST(Report, WhatTheModelsWereTrainedOnIsSaidOnEveryPage) {
  Report report = some_report(3, "speakers:3");
  report.result->folds[1].trained_on = {1, 5};
  for (const ReportKind kind :
       {ReportKind::kModel, ReportKind::kMerged, ReportKind::kAveraged, ReportKind::kTraining}) {
    report.kind = kind;
    expect_says(report_html(report), {"class=\"warning\">1 of 6 scored speakers was among",
                                      "5 of 36 scored clips", "the scores flatter."});
  }
}

TEST(Report, FoldsThatAModelDidNotLeaveOutAreSaidSo) {
  Report report = some_report(3, "speakers:3");
  report.result->info.other_fold = true;
  expect_says(report_html(report), {"class=\"warning\">Scored, as asked for, on a fold"});
}

TEST(Report, ClipsHeardAreSaidAndShown) {
  Report report = some_report(3, "speakers:3");
  expect_silent(report_html(report), {"The more it hears"});
  ResultFile more = *report.result;
  more.info.heard = 4;
  report.result = with_more_heard({*report.result, more});
  expect_says(report_html(report), {"The more it hears", "a stranger&#39;s voice", "4 heard"});
  report.result = more;
  for (const ReportKind kind :
       {ReportKind::kCrossValidation, ReportKind::kMerged, ReportKind::kAveraged}) {
    report.kind = kind;
    expect_says(report_html(report), {"class=\"warning\">Other clips of the speaker (4)"});
  }
}

TEST(Report, AMatrixOfCorporaIsShown) {
  Report report = some_report(3, "corpora");
  expect_silent(report_html(report), {"From corpus to corpus"});
  CorpusScore tested{"gold & co", report.result->scores, report.result->ci95};
  report.result->matrix = {{{"red"}, tested}, {{"red", "blue"}, tested}};
  expect_says(report_html(report), {"From corpus to corpus", "<span>gold &amp; co</span>",
                                    ">red</th>", ">all others</th>"});
  EXPECT_EQ(carried_figures(report_html(report))["matrix"][1]["trained_on"][1], "blue");
}

TEST(Report, MergedResultsClaimNoMoreThanTheyKnow) {
  Report report;
  report.kind = ReportKind::kMerged;
  report.result = some_result(3, "speakers:5");
  expect_says(report_html(report), {"Folds 3, 4 are missing", "up to whoever ran them",
                                    "Result files hold no learning curves"});
}

TEST(Report, TrainingWithoutValidationShowsNoScore) {
  Report report;
  report.kind = ReportKind::kTraining;
  report.recipe = R"({"network": {"layers": [{"type": "dense", "units": 8}]}})";
  report.left_out = "fold 2 of speakers:6";
  report.curves = some_report(1, "").curves;
  report.clips.resize(2);
  report.clips[0].emotion = report.clips[1].emotion = "happy";
  report.clips[1].augmentation = "speed:0.9";
  const std::string html = report_html(report);
  expect_says(html, {"fold 2 of speakers:6 left out. No speakers were held out", "Learning curves",
                     "1, trained on, never scored"});
  expect_silent(html, {"class=\"uar\""});
  EXPECT_EQ(carried_figures(html), Json::object());
}

TEST(Report, TrainingWithValidationNamesItsSpeakers) {
  Report report = some_report(1, "");
  report.kind = ReportKind::kTraining;
  for (EpochReport& epoch : report.curves[0].epochs) {
    epoch.validation_loss = 1;
    epoch.validation_accuracy = 0.5;
  }
  expect_says(report_html(report),
              {"validation speakers (1, 2)", "Accuracy on the validation speakers"});
}

TEST(Report, HundredsOfFoldsAreOneBandAndTheirMean) {
  const Report report = some_report(300, "speakers:300", 3);
  const std::string html = report_html(report);
  expect_says(html,
              {"300 folds by speaker", "class=\"band", "300 networks: the band spans all of them"});
}

TEST(Report, ResumedRunsSayThatTheirCurveStartsLate) {
  Report report = some_report(1, "");
  auto& epochs = report.curves[0].epochs;
  epochs.erase(epochs.begin(), epochs.begin() + 2);
  expect_says(report_html(report), {"the epochs before 3 ran earlier"});
}

TEST(Report, TheMostConfidentMistakeComesFirst) {
  Report report;
  report.kind = ReportKind::kModel;
  report.result = make_result({kLabels, "", "", "", 1},
                              {{0,
                                {},
                                {predict(kLabels, "right.wav", "", "sad", "sad", 0.99),
                                 predict(kLabels, "unsure.wav", "", "sad", "happy", 0.5),
                                 predict(kLabels, "sure.wav", "", "sad", "happy", 0.9)}}});
  const std::string html = mistakes_section(*report.result);
  expect_says(html, {"2 mistakes of 2"});
  expect_silent(html, {"right.wav"});
  EXPECT_LT(html.find("<td>sure.wav"), html.find("<td>unsure.wav"));
  expect_says(report_html(report), {"speakers not known"});
}

TEST(LearningLog, SortsByFoldAndMember) {
  LearningLog log;
  for (const auto& [fold, member] : std::vector<std::pair<int, int>>{{1, 0}, {0, 1}, {0, 0}}) {
    EpochReport epoch;
    epoch.member = member;
    log.add(fold, epoch);
  }
  const auto curves = log.curves();
  ASSERT_EQ(curves.size(), 3u);
  EXPECT_EQ(curves[1].member, 1);
  EXPECT_EQ(curves[2].fold, 1);
}

TEST(ReadableRecipe, LeavesOutWhatIsOff) {
  const std::string text = readable_recipe(
      R"({"network": {"layers": [{"type": "dense", "units": 8, "activation": "none"}]},
          "training": {"epochs": 7, "gradient_clip": 0, "optimizer": {"kind": "adamw"}}})");
  EXPECT_THAT(text, AllOf(HasSubstr(R"({"type": "dense", "units": 8, "bias": true})"),
                          HasSubstr("\"epochs\": 7"), HasSubstr("\"learning_rate\""),
                          Not(HasSubstr("gradient_clip")), Not(HasSubstr("early_stopping"))));
}

TEST(ReadableRecipe, ShowsUnknownRecipesWhole) {
  EXPECT_EQ(readable_recipe(R"({"made by": "hand", "x": [1, 2]})"),
            R"({"made by": "hand", "x": [1, 2]})");
}

TEST(Ticks, AreRound) {
  EXPECT_THAT(round_ticks(0, 1, 4), ElementsAre(0, 0.5, 1));
  EXPECT_THAT(round_ticks(3, 21, 5), ElementsAre(5, 10, 15, 20));
  EXPECT_EQ(tick_text(0.5, 0.25), "0.5");
  EXPECT_EQ(tick_text(2000, 1000), "2,000");
  EXPECT_THAT(round_ticks(0.3, std::nextafter(0.3, 1), 5), ElementsAre(0.3));
  EXPECT_THAT(round_ticks(-1e12, -1e12 + 1e-3, 5), testing::SizeIs(1));
  for (const double low : {0.3, -30.0, 1e12, -1e300}) {
    const Scale fine = rounded_scale(low, std::nextafter(low, 2 * std::abs(low)), "");
    EXPECT_LT(fine.low, fine.high) << low;
    EXPECT_LT(round_ticks(fine.low, fine.high, 5).size(), 12u) << low;
  }
  const Scale scale = rounded_scale(0.3, 7.2, "");
  EXPECT_EQ(scale.low, 0);
  EXPECT_EQ(scale.high, 8);
}

TEST(Colours, AreThoseOfOklch) {
  EXPECT_EQ(oklch(1, 0, 0), "#ffffff");
  EXPECT_EQ(oklch(0, 0, 0), "#000000");
  EXPECT_EQ(oklch(0.62796, 0.25768, 29.234), "#ff0000");
  EXPECT_EQ(oklch(0.59987, 0, 0), "#808080");
}

TEST(Html, GroupsDigits) {
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(counted(1, "clip"), "1 clip");
  EXPECT_EQ(counted(1200, "clip"), "1,200 clips");
}

}  // namespace
}  // namespace ser::report
