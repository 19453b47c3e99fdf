#include <fmt/format.h>

#include <utility>

#include "ser/core/text.h"
#include "ser/features/describe.h"
#include "ser/report/report.h"

namespace ser::report {
namespace {

void add_clips(Report& report, const FeatureTable& table, const std::vector<int>& clips) {
  for (const int clip : clips) report.clips.push_back(table.clips[static_cast<std::size_t>(clip)]);
}

}  // namespace

Report cross_validation_report(CrossValidation run, const FeatureTable& table) {
  Report report;
  report.kind = ReportKind::kCrossValidation;
  report.recipe = run.result.info.recipe;
  report.features = describe(table.set);
  report.clips = table.clips;
  report.result = std::move(run.result);
  report.curves = std::move(run.curves);
  report.hidden = std::move(run.hidden);
  return report;
}

Report model_report(const Model& model, const std::vector<const FeatureTable*>& tables,
                    const Fold& fold, ResultFile result, int threads) {
  Report report;
  report.kind = ReportKind::kModel;
  report.recipe = result.info.recipe;
  std::vector<std::string> features;
  for (const FeatureTable* table : tables) features.push_back(describe(table->set));
  report.features = join(features, "; ");
  add_clips(report, *tables.at(0), fold.test);
  report.hidden = {hidden_layer(model, tables, fold.test, result.folds.at(0).fold, threads)};
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
  report.hidden = {hidden_layer(model, {&table}, data.validation, 0, threads)};
  return report;
}

}  // namespace ser::report
