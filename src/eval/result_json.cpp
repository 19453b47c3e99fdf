#include "eval/internal/results.h"

#include <fmt/format.h>

#include <set>

#include "core/internal/fail.h"
#include "ser/core/atomic_file.h"
#include "ser/core/file_kind.h"

namespace ser {
namespace {

constexpr std::size_t kMaxLabels = 1000;  // their confusion matrix is square
constexpr std::size_t kMostNames = 1000'000;

/// What `json_of` makes of each item.
template <typename Items, typename F>
Json list_json(const Items& items, const F& json_of) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(json_of(item));
  return list;
}

Json interval_json(const Interval& interval) { return Json::array({interval.low, interval.high}); }

Json intervals_json(const std::optional<Intervals>& ci95) {
  if (!ci95) return {};
  return {{"accuracy", interval_json(ci95->accuracy)}, {"uar", interval_json(ci95->uar)}};
}

Json confusion_json(const Scores& scores) {
  Json rows = Json::array();
  for (const auto& row : scores.confusion.rowwise())
    rows.push_back(std::vector<std::int64_t>(row.begin(), row.end()));
  return rows;
}

Json class_json(const Scores& scores) {
  Json classes = Json::object();
  for (const ClassScore& c : scores.per_class)
    classes[c.label] = {
        {"precision", c.precision}, {"recall", c.recall}, {"f1", c.f1}, {"support", c.support}};
  return classes;
}

Json speaker_json(const SpeakerScore& s) {
  return {{"speaker", s.speaker}, {"n", s.n}, {"accuracy", s.accuracy}, {"uar", s.uar}};
}

/// The figures of pooled and of single folds. NaN becomes null.
Json figures_json(const Scores& scores) {
  return {{"n", scores.n},
          {"accuracy", scores.accuracy},
          {"uar", scores.uar},
          {"macro_f1", scores.macro_f1},
          {"gender_accuracy", scores.gender_accuracy},
          {"ece", scores.ece},
          {"best_temperature", scores.best_temperature}};
}

Json fold_json(const ResultInfo& info, const FoldResult& fold) {
  Json json = {{"fold", fold.fold}};
  json.update(figures_json(fold.scores));
  json["test_speakers"] = fold.test_speakers;
  json["trained_on"] = {{"speakers", fold.trained_on.speakers}, {"clips", fold.trained_on.clips}};
  if (info.split == "corpora") json["masked"] = masked_classes(info, fold);
  if (fold.trained_on.untold) json["trained_on"]["untold"] = true;
  return json;
}

/// {"happy": 0.4, ...}; the names are told apart already, and not looked for.
template <typename Labels>
Json probabilities_json(const std::vector<double>& probabilities, const Labels& labels) {
  Json::object_t object;
  for (std::size_t i = 0; i < probabilities.size(); ++i)
    object.emplace_back(std::string(labels[i]), probabilities[i]);
  return object;
}

Json predictions_json(const ResultFile& result) {
  Json list = Json::array();
  for (const Prediction& p : result.predictions) {
    const bool has_gender = !p.gender_probabilities.empty();
    list.push_back({{"file", p.file},
                    {"speaker", text_or_null(p.speaker)},
                    {"emotion", p.emotion},
                    {"gender", text_or_null(p.gender)},
                    {"predicted_emotion", result.info.labels[most_likely(p.probabilities)]},
                    {"predicted_gender",
                     has_gender ? Json(kGenders[most_likely(p.gender_probabilities)]) : Json()},
                    {"probabilities", probabilities_json(p.probabilities, result.info.labels)},
                    {"gender_probabilities",
                     has_gender ? probabilities_json(p.gender_probabilities, kGenders) : Json()}});
    if (!p.corpus.empty()) list.back()["corpus"] = p.corpus;
  }
  return list;
}

/// Numbers of the labels, which mostly come in their order.
template <typename Labels>
std::vector<double> probabilities_of(const Json& object, const char* key, const Labels& labels) {
  const Json& value = value_at(object, key);
  if (value.is_null()) return {};
  std::vector<double> probabilities;
  auto next = value.begin();
  for (const auto& label : labels) {
    const bool is_next = value.is_object() && next != value.end() && next.key() == label;
    const Json& number =
        is_next ? *next++
                : with_context(key, [&]() -> const Json& { return value_at(value, label); });
    if (!number.is_number()) fail("'{}.{}': expected a number", key, label);
    probabilities.push_back(number.get<double>());
  }
  return probabilities;
}

Prediction read_prediction(const Json& object, const std::vector<std::string>& labels) {
  return {text_at(object, "file"),
          text_at(object, "speaker"),
          text_at(object, "emotion"),
          text_at(object, "gender"),
          probabilities_of(object, "probabilities", labels),
          probabilities_of(object, "gender_probabilities", kGenders),
          object.contains("corpus") ? text_at(object, "corpus") : ""};
}

/// Results written before models could listen do not say: none.
int heard_of(const Json& json) {
  if (!json.contains("heard")) return 0;
  if (json["heard"] == "all") return kAllHeard;
  const std::uint64_t count = count_at(json, "heard");
  if (count >= kAllHeard) fail("'heard': expected a number of clips, or all");
  return static_cast<int>(count);
}

ResultInfo read_info(const Json& json) {
  std::vector<std::string> labels = names_at(json, "labels", kMaxLabels);
  if (std::set(labels.begin(), labels.end()).size() != labels.size())
    fail("'labels': expected each class once");
  return {std::move(labels),
          text_at(json, "split"),
          value_at(json, "recipe").is_null() ? "" : object_text_at(json, "recipe"),
          text_at(json, "fingerprint"),
          count_at(json, "seed"),
          heard_of(json),
          json.contains("other_fold") && json["other_fold"] == Json(true)};
}

/// Results of older models do not say.
TrainedOn trained_on_of(const Json& fold) {
  if (!fold.contains("trained_on")) return {};
  const Json& json = fold["trained_on"];
  const auto count = [&](std::string_view key) {
    const std::uint64_t value = count_at(json, key);
    if (value > kMostNames) fail("'trained_on.{}': {} is too many", key, value);
    return static_cast<int>(value);
  };
  return {count("speakers"), count("clips"), json.contains("untold") && json["untold"] == true};
}

/// json: a result, whose folds say to which of them each of `predictions` belongs.
std::vector<FoldPredictions> read_folds(const Json& json, const Json& predictions,
                                        const std::vector<std::string>& labels) {
  std::vector<FoldPredictions> folds;
  std::size_t next = 0;
  for (const Json& object : list_at(json, "folds")) {
    FoldPredictions fold{static_cast<int>(count_at(object, "fold")),
                         names_at(object, "test_speakers", kMostNames),
                         {},
                         trained_on_of(object)};
    const std::uint64_t count = count_at(object, "n");
    if (count > predictions.size() - next) fail("'folds': more clips than predictions");
    for (const std::size_t end = next + count; next < end; ++next)
      fold.predictions.push_back(with_context(fmt::format("prediction {}", next), [&] {
        return read_prediction(predictions[next], labels);
      }));
    folds.push_back(std::move(fold));
  }
  if (next != predictions.size()) fail("'folds': fewer clips than predictions");
  return folds;
}

/// The figures that change with the number of clips heard.
Json heard_figures(const ResultFile& result) {
  Json json = {{"heard", result.info.heard == kAllHeard ? Json("all") : Json(result.info.heard)}};
  json.update(figures_json(result.scores));
  json["ci95"] = intervals_json(result.ci95);
  return json;
}

Json corpus_json(const CorpusScore& corpus) {
  Json json = {{"corpus", text_or_null(corpus.corpus)}};
  json.update(figures_json(corpus.scores));
  json["ci95"] = intervals_json(corpus.ci95);
  return json;
}

Json cell_json(const MatrixCell& cell) {
  Json json = {{"trained_on", cell.trained_on}};
  json.update(corpus_json(cell.tested));
  return json;
}

Json certainty_json(const ResultFile& result) {
  const KeptAnswers sure = sure_answers(result);
  return {{"risk", kAllowedRisk},
          {"uncertain_below", sure.from},
          {"kept", sure.kept},
          {"right", sure.right}};
}

ResultFile result_of(const Json& json) {
  ResultInfo info = read_info(json);
  std::vector<ResultFile> counts = {
      make_result(info, read_folds(json, list_at(json, "predictions"), info.labels))};
  if (!json.contains("heard_scores")) return std::move(counts[0]);
  const Json& scores = list_at(json, "heard_scores");
  for (std::size_t i = 1; i < scores.size(); ++i)
    counts.push_back(with_context(fmt::format("heard_scores {}", i), [&] {
      info.heard = heard_of(scores[i]);
      return make_result(info, read_folds(json, list_at(scores[i], "predictions"), info.labels));
    }));
  return with_more_heard(std::move(counts));
}

}  // namespace

Json result_figures(const ResultFile& result) {
  const Scores& scores = result.scores;
  Json json = heard_figures(result);
  json["heard_scores"] =
      list_json(by_heard(result), [](const ResultFile* one) { return heard_figures(*one); });
  json["per_corpus"] = list_json(by_corpus(result), corpus_json);
  if (!result.matrix.empty()) json["matrix"] = list_json(result.matrix, cell_json);
  json["certainty"] = certainty_json(result);
  json["labels"] = result.info.labels;
  json["confusion"] = confusion_json(scores);
  json["per_class"] = class_json(scores);
  json["per_speaker"] = list_json(scores.per_speaker, speaker_json);
  json["folds"] =
      list_json(result.folds, [&](const FoldResult& fold) { return fold_json(result.info, fold); });
  json["other_fold"] = result.info.other_fold;
  json["split"] = text_or_null(result.info.split);
  json["seed"] = result.info.seed;
  json["fingerprint"] = result.info.fingerprint;
  json["recipe"] = result.info.recipe.empty() ? Json() : parse_json(result.info.recipe, "recipe");
  return json;
}

std::string result_json(const ResultFile& result) {
  Json json = result_figures(result);
  json["predictions"] = predictions_json(result);
  for (std::size_t i = 0; i < result.more_heard.size(); ++i)
    json["heard_scores"][i + 1]["predictions"] = predictions_json(result.more_heard[i]);
  return dump_lines(json);
}

void write_result(const std::filesystem::path& path, const ResultFile& result) {
  write_file(path, result_json(result));
}

void write_comparison(const std::filesystem::path& path, const Comparison& c) {
  Json json;
  json["n"] = c.n;
  json["accuracy"] = {c.accuracy_a, c.accuracy_b};
  json["uar"] = {c.uar_a, c.uar_b};
  json["right_alone"] = {c.only_a_right, c.only_b_right};
  json["uar_difference"] = c.uar_difference;
  json["ci95_uar_difference"] =
      c.ci95_uar_difference ? interval_json(*c.ci95_uar_difference) : Json();
  json["sign_flip_p"] = c.sign_flip_p;
  json["units"] = c.units;
  json["units_are_speakers"] = c.by_speaker;
  write_file(path, dump_lines(json));
}

ResultFile read_result(const std::filesystem::path& path) {
  expect_kind(path, FileKind::kResult);
  const std::string text = read_file(path, kMaxResultBytes);
  return with_context(path.string(), [&] {
    const Json json = parse_json(text, "result");
    if (!json.contains("predictions"))
      fail("expected a result file of ser-eval, found other JSON without 'predictions'");
    return result_of(json);
  });
}

}  // namespace ser
