#include "ser/eval/result_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "ser/core/text.h"
#include "ser/corpus/speaker.h"
#include "ser/corpus/split.h"

namespace ser {

ResultFile make_result(const ResultInfo& info, std::vector<FoldPredictions> folds) {
  std::stable_sort(folds.begin(), folds.end(),
                   [](const auto& a, const auto& b) { return a.fold < b.fold; });
  ResultFile result;
  result.info = info;
  if (!info.recipe.empty()) result.info.recipe = dump_text(parse_json(info.recipe, "recipe"));
  std::map<ClipName, int> tested;
  for (FoldPredictions& fold : folds) {
    const std::string name = fmt::format("fold {}", fold.fold);
    result.folds.push_back(with_context(name, [&]() -> FoldResult {
      return {fold.fold, fold.test_speakers, score(info.labels, fold.predictions), fold.trained_on};
    }));
    for (Prediction& prediction : fold.predictions) {
      const auto [earlier, is_new] = tested.emplace(prediction.name(), fold.fold);
      if (!is_new)
        fail("{}: expected each clip to be tested once, found it in folds {} and {}",
             prediction.file, earlier->second, fold.fold);
      result.predictions.push_back(std::move(prediction));
    }
  }
  result.scores = score(info.labels, result.predictions);
  result.ci95 = intervals(info.labels, result.predictions);
  return result;
}

ResultFile with_more_heard(std::vector<ResultFile> results) {
  ResultFile first = std::move(results.at(0));
  first.more_heard.assign(std::make_move_iterator(results.begin() + 1),
                          std::make_move_iterator(results.end()));
  return first;
}

std::vector<const ResultFile*> by_heard(const ResultFile& result) {
  std::vector<const ResultFile*> all;
  if (result.info.heard == 0 && result.more_heard.empty()) return all;
  all.push_back(&result);
  for (const ResultFile& other : result.more_heard) all.push_back(&other);
  return all;
}

std::string describe_unheard(const ResultFile& result) {
  const auto unknown = std::ranges::count_if(result.predictions,
                                             [](const Prediction& p) { return p.speaker.empty(); });
  if (unknown == 0) return "";
  return fmt::format(" (nothing before the {} of {} clips whose speaker is unknown)", unknown,
                     result.predictions.size());
}

std::string describe_trained_on(const ResultFile& result) {
  TrainedOn sum;
  std::size_t speakers = 0;
  for (const FoldResult& fold : result.folds) {
    sum.speakers += fold.trained_on.speakers;
    sum.clips += fold.trained_on.clips;
    sum.untold |= fold.trained_on.untold;
    speakers += fold.test_speakers.size();
  }
  std::vector<std::string> parts;
  if (sum.speakers > 0)
    parts.push_back(fmt::format("{} of {} scored speakers {} among the model's training speakers",
                                sum.speakers, speakers, sum.speakers == 1 ? "was" : "were"));
  if (sum.clips > 0)
    parts.push_back(fmt::format("{} of {} scored clips{} {} that the model was trained on",
                                sum.clips, result.scores.n,
                                sum.speakers > 0 ? ", of other speakers," : "",
                                sum.clips == 1 ? "is a recording" : "are recordings"));
  if (sum.untold)
    parts.emplace_back("the model does not say whom it was trained on, and may know these voices");
  return join(parts, "; ");
}

std::vector<std::string> masked_classes(const ResultInfo& info, const FoldResult& fold) {
  std::vector<std::string> masked;
  if (info.split != "corpora") return masked;
  for (const ClassScore& c : fold.scores.per_class)
    if (c.support == 0) masked.push_back(c.label);
  return masked;
}

std::string describe_masked(const ResultFile& result) {
  std::vector<std::string> parts;
  for (const FoldResult& fold : result.folds)
    if (const auto masked = masked_classes(result.info, fold); !masked.empty())
      parts.push_back(fmt::format("{} (fold {})", join(masked, ", "), fold.fold));
  return join(parts, "; ");
}

KeptAnswers sure_answers(const ResultFile& result) {
  return kept_at_risk(risk_coverage(result.info.labels, result.predictions));
}

std::vector<CorpusScore> by_corpus(const ResultFile& result) {
  std::map<std::string, std::vector<Prediction>> predictions;
  for (const Prediction& p : result.predictions)
    predictions[p.speaker.empty() ? p.corpus : clip_of_speaker(p.speaker).corpus].push_back(p);
  std::vector<CorpusScore> corpora;
  if (predictions.size() < 2) return corpora;
  for (const auto& [corpus, said] : predictions) {
    Scores scores = score(result.info.labels, said);
    scores.confusion.resize(0, 0);
    corpora.push_back({corpus, std::move(scores), intervals(result.info.labels, said)});
  }
  return corpora;
}

std::string heard_text(int heard) { return heard == kAllHeard ? "all" : std::to_string(heard); }

std::vector<int> missing_folds(const ResultFile& result) {
  if (result.info.split.empty()) return {};
  std::vector<int> missing;
  // How many folds loso and corpora have, their clips tell: here, as many as were seen.
  int count = parse_split_scheme(result.info.split).num_folds;
  for (const FoldResult& fold : result.folds) count = std::max(count, fold.fold + 1);
  for (int fold = 0; fold < count; ++fold)
    if (std::none_of(result.folds.begin(), result.folds.end(),
                     [&](const FoldResult& r) { return r.fold == fold; }))
      missing.push_back(fold);
  return missing;
}

}  // namespace ser
