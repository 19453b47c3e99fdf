#include "ser/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "eval/internal/results.h"
#include "report/page/charts.h"
#include "report/page/html.h"
#include "report/report_sections.h"
#include "ser/core/atomic_file.h"
#include "ser/core/error.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/speaker.h"
#include "ser/corpus/split.h"
#include "ser/eval/evaluate.h"
#include "ser/features/feature_set.h"

namespace ser::report {
namespace {

using Kind = SplitScheme::Kind;

/// A sentence that a reader must not miss.
std::string warning(const std::string& text) {
  return "<p class=\"warning\">" + escape(text) + "</p>\n";
}

std::string lead(const std::string& text) {
  return "<p class=\"lead\" id=\"protocol\">" + escape(text) + "</p>\n";
}

std::string folds_of(const ResultFile& result, const SplitScheme& scheme) {
  if (scheme.kind == Kind::kActors)
    return "The speakers " + join(result.folds[0].test_speakers, ", ");
  const char* how = scheme.kind == Kind::kLuna     ? " by speaker, as published for RAVDESS"
                    : scheme.kind == Kind::kLoso   ? ", one for each speaker"
                    : scheme.kind == Kind::kRandom ? " of clips drawn at random"
                    : scheme.kind == Kind::kCorpora
                        ? ", one for each corpus, by models of the others, on the classes in common"
                        : " by speaker";
  return counted(result.folds.size(), "fold") + how;
}

std::string leak_warning() {
  return warning(
      "The split does not keep speakers apart: voices that are scored were also trained on, so "
      "these scores say nothing about new voices.");
}

std::string cross_validation_lead(const ResultFile& result) {
  const SplitScheme scheme = parse_split_scheme(result.info.split);
  if (scheme.kind == Kind::kRandom)
    return lead(
               folds_of(result, scheme) +
               ": every clip is scored once, by a model trained on the clips of the other folds.") +
           leak_warning();
  return lead(folds_of(result, scheme) +
              (scheme.kind == Kind::kActors
                   ? " are scored by a model trained on all others"
                   : ": every clip is scored once, by a model trained on the other folds") +
              "; the scored speakers were never heard in training.");
}

std::string model_lead(const Report& report) {
  const ResultFile& result = *report.result;
  std::string text = "One model, trained before, scored on ";
  text += result.info.split.empty()
              ? "all clips of the file"
              : fmt::format("fold {} of {}", result.folds[0].fold, result.info.split);
  if (result.folds[0].test_speakers.empty()) return lead(text + "; speakers are not known.");
  if (!result.info.split.empty() && parse_split_scheme(result.info.split).kind == Kind::kRandom)
    return lead(text + ".") + leak_warning();
  const TrainedOn& known = result.folds[0].trained_on;
  if (known.speakers == 0 && !known.untold)
    text += "; none of the scored speakers is among its training speakers";
  return lead(text + ".");
}

/// What can be said of folds that others ran: `how` they were put together, "scored apart and
/// pooled".
std::string foreign_lead(const ResultFile& result, std::string_view how) {
  if (result.info.split.empty())
    return lead(fmt::format("Results read from files, {}. They name no split.", how));
  const SplitScheme scheme = parse_split_scheme(result.info.split);
  std::string html =
      lead(fmt::format("{}, {}: every clip is scored once. That each model was trained on the "
                       "other folds alone is up to whoever ran them.",
                       folds_of(result, scheme), how));
  if (scheme.kind == Kind::kRandom) html += leak_warning();
  const std::vector<int> missing = missing_folds(result);
  if (!missing.empty())
    html += warning(fmt::format("Folds {} are missing.", fmt::join(missing, ", ")));
  return html;
}

std::string training_lead(const Report& report) {
  const std::string run =
      "A training run" + (report.left_out.empty() ? "" : ", " + report.left_out + " left out");
  if (!report.result)
    return lead(run +
                ". No speakers were held out, so there is no score here: ser-eval scores the model "
                "on speakers it has not heard.");
  return lead(
      fmt::format("{}. The scores are those of the validation speakers ({}), which chose the epoch "
                  "that was kept: they were not trained on, but flatter a little.",
                  run,
                  report.result->folds[0].test_speakers.empty()
                      ? "clips of unknown speakers"
                      : join(report.result->folds[0].test_speakers, ", ")));
}

std::string protocol(const Report& report) {
  if (report.kind == ReportKind::kTraining) return training_lead(report);
  if (report.kind == ReportKind::kModel) return model_lead(report);
  if (report.kind == ReportKind::kCrossValidation) return cross_validation_lead(*report.result);
  return foreign_lead(*report.result, report.kind == ReportKind::kMerged
                                          ? "scored apart and pooled"
                                          : "the answers of several models averaged");
}

std::string kind_name(ReportKind kind) {
  constexpr std::array kNames = {"cross-validation", "scores of a model", "merged results",
                                 "scores of an ensemble", "training run"};
  return fmt::format("Speech emotion recognition: {}", kNames[static_cast<std::size_t>(kind)]);
}

/// The recipe's description up to a semicolon, or words that fit any.
std::string title_of(const Report& report) {
  if (!report.recipe.empty()) {
    const Json recipe = parse_json(report.recipe, "recipe");
    const auto text = recipe.is_object() ? recipe.find("description") : recipe.end();
    if (text != recipe.end() && text->is_string() && !text->get<std::string>().empty())
      return split(text->get<std::string>(), ';')[0];
  }
  return report.kind == ReportKind::kTraining ? "A model of emotions in speech"
                                              : "Scores of emotions in speech";
}

/// The clips a report is about, or what its result knows of them.
std::vector<Utterance> clips_of(const Report& report) {
  if (!report.clips.empty() || !report.result) return report.clips;
  std::vector<Utterance> clips;
  for (const Prediction& p : report.result->predictions) {
    Utterance& clip = clips.emplace_back();
    clip.path = p.file;
    clip.emotion = p.emotion;
    clip.gender = p.gender;
    clip.speaker = p.speaker;
  }
  return clips;
}

Tile interval_tile(const std::string& label, std::string_view name, double value,
                   const ResultFile& result, Interval Intervals::*which,
                   std::optional<double> reference) {
  const std::optional<Interval> ci =
      result.ci95 ? std::optional(*result.ci95.*which) : std::nullopt;
  return {label, figure(name, value, percent(value)),
          dot(value, kShare, ci.value_or(Interval{}), reference) +
              (ci ? fmt::format("95 % interval {} to {}",
                                figure("low", ci->low, fmt::format("{:.1f}", 100 * ci->low)),
                                figure("high", ci->high, fmt::format("{:.1f}", 100 * ci->high)))
                  : "no interval")};
}

/// How the intervals were made, or why there are none.
std::string about_intervals(const ResultFile& result) {
  const std::size_t units = independent_units(result.predictions).size();
  const std::size_t speakers = result.scores.per_speaker.size();
  if (!result.ci95)
    return "There are no intervals: fewer than four speakers say too little of others.";
  return fmt::format("Intervals, for what other speakers would score: Student's t over the {}.",
                     units == speakers
                         ? fmt::format("{} speakers, all clips of a voice together", units)
                         : fmt::format("{} clips, as if each had a speaker of its own", units));
}

std::string score_tiles(const ResultFile& result) {
  const Scores& scores = result.scores;
  const auto present = std::count_if(scores.per_class.begin(), scores.per_class.end(),
                                     [](const ClassScore& c) { return c.support > 0; });
  const double guess = 1 / static_cast<double>(std::max<std::ptrdiff_t>(1, present));
  std::vector<Tile> list = {
      interval_tile("Unweighted average recall", "uar", scores.uar, result, &Intervals::uar, guess),
      interval_tile("Accuracy", "accuracy", scores.accuracy, result, &Intervals::accuracy,
                    std::nullopt)};
  if (!std::isnan(scores.gender_accuracy))
    list.push_back({"Gender accuracy", share_figure("gender-accuracy", scores.gender_accuracy),
                    "over clips of known gender"});
  list.push_back({"Macro F1", share_figure("macro-f1", scores.macro_f1), "mean over the emotions"});
  list.push_back({"Calibration error", figure("ece", scores.ece, fmt::format("{:.3f}", scores.ece)),
                  "0 where certainty can be taken at its word"});
  list.push_back({"Clips scored", count_figure("n", scores.n),
                  scores.per_speaker.empty() ? "speakers not known"
                                             : counted(scores.per_speaker.size(), "speaker")});
  return tiles(list) + fmt::format(
                           "<p class=\"note\" style=\"margin-top:12px\">{} Guessing gives an "
                           "unweighted average recall of {} (dotted).</p>\n",
                           about_intervals(result), percent(guess));
}

void add_clips(Report& report, const FeatureTable& table, const std::vector<int>& clips) {
  for (const int clip : clips) report.clips.push_back(table.clips[clip]);
}

/// How many clips there are of each emotion, by gender.
std::string counts_table(const std::vector<Utterance>& clips) {
  std::map<std::string, std::map<std::string, std::int64_t>> counts;
  std::set<std::string> genders;
  for (const Utterance& clip : clips) {
    ++counts[clip.emotion][clip.gender];
    genders.insert(clip.gender);
  }
  std::vector<std::string> header = {"emotion"};
  for (const std::string& gender : genders)
    header.push_back(gender.empty() ? "gender unknown" : escape(gender));
  header.emplace_back("clips");
  std::vector<std::vector<std::string>> rows;
  for (const std::string& emotion : emotion_labels(clips)) {
    std::vector<std::string> row = {escape(emotion)};
    std::int64_t sum = 0;
    for (const std::string& gender : genders) {
      row.push_back(grouped(counts[emotion][gender]));
      sum += counts[emotion][gender];
    }
    row.push_back(grouped(sum));
    rows.push_back(std::move(row));
  }
  return table(header, rows, 1);
}

}  // namespace

std::string data_section(const Report& report) {
  const std::vector<Utterance> clips = clips_of(report);
  std::vector<Utterance> originals;
  for (const Utterance& clip : clips)
    if (clip.augmentation.empty()) originals.push_back(clip);
  const std::vector<std::string> names = speaker_names(originals);
  std::set<std::string> corpora, speakers(names.begin(), names.end());
  for (const Utterance& clip : originals) corpora.insert(clip.corpus);
  corpora.erase("");
  speakers.erase("");
  std::string list = "<dl>";
  const auto add = [&](std::string_view name, const std::string& text) {
    if (!text.empty()) list += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name, escape(text));
  };
  add("clips", grouped(originals.size()));
  if (clips.size() > originals.size())
    add("augmented copies",
        grouped(clips.size() - originals.size()) + ", trained on, never scored");
  if (report.kind == ReportKind::kTraining && report.result)
    add("of them for validation", grouped(report.result->scores.n));
  add("speakers", speakers.empty() ? "not known" : grouped(speakers.size()));
  add("corpus", join(std::vector<std::string>(corpora.begin(), corpora.end()), ", "));
  add("features", report.features);
  if (report.result) {
    add("feature fingerprint", report.result->info.fingerprint);
    add("split", report.result->info.split);
    add("seed", std::to_string(report.result->info.seed));
  }
  return section("Data", "", side_by_side({counts_table(originals), list + "</dl>\n"}));
}

std::string report_html(const Report& report) {
  Page page;
  page.title = title_of(report);
  page.kind = kind_name(report.kind);
  page.lead = protocol(report);
  page.json = "{}";
  if (report.result) {
    const ResultFile& result = *report.result;
    page.categories = result.info.labels.size();
    page.json = dump_text(result_figures(result));
    if (const std::string known = describe_trained_on(result); !known.empty())
      page.lead += warning(known + ": the scores flatter.");
    if (result.info.other_fold)
      page.lead += warning(
          "Scored, as asked for, on a fold that the model did not leave out in training: clips "
          "that it was trained on may be among those scored.");
    if (result.info.heard > 0)
      page.lead += warning(
          fmt::format("Other clips of the speaker ({}) were heard before each answer, without "
                      "their labels: these are not the scores of a voice never heard before.",
                      heard_text(result.info.heard)));
    page.lead += score_tiles(result);
    page.body += heard_section(result) + matrix_section(result) + confusion_section(result) +
                 classes_and_speakers_section(result) + folds_section(result) +
                 calibration_section(result) + certainty_section(result);
  }
  page.body += learning_section(report);
  if (report.result) page.body += mistakes_section(*report.result);
  page.body += data_section(report) + recipe_section(report.recipe);
  return page_html(page);
}

void write_report(const std::filesystem::path& path, const Report& report) {
  write_file(path, report_html(report));
}

Report cross_validation_report(CrossValidation run, const FeatureTable& table) {
  const std::string recipe = run.result.info.recipe;
  return {.result = std::move(run.result),
          .recipe = recipe,
          .features = describe(table.set),
          .clips = table.clips,
          .left_out = "",
          .curves = std::move(run.curves)};
}

Report model_report(const std::vector<const FeatureTable*>& tables, const Fold& fold,
                    ResultFile result) {
  Report report;
  report.kind = ReportKind::kModel;
  report.recipe = result.info.recipe;
  std::vector<std::string> features;
  for (const FeatureTable* table : tables) features.push_back(describe(table->set));
  report.features = join(features, "; ");
  add_clips(report, *tables.at(0), fold.test);
  report.result = std::move(result);
  return report;
}

Report training_report(const TrainingData& data, const Recipe& recipe, const Model& model,
                       std::vector<LearningCurve> curves, int threads) {
  const FeatureTable& table = data.table;
  Report report;
  report.kind = ReportKind::kTraining;
  report.recipe = to_json(recipe);
  report.features = describe(table.set);
  add_clips(report, table, data.train);
  add_clips(report, table, data.validation);
  report.curves = std::move(curves);
  const TrainingInfo& info = model.training;
  if (!info.split.empty()) report.left_out = fmt::format("fold {} of {}", info.fold, info.split);
  if (data.validation.empty()) return report;
  const Fold held_out{data.train, data.validation, speakers_of(table.clips, data.validation)};
  report.result = score_model(model, {&table}, held_out, threads);
  return report;
}

}  // namespace ser::report
