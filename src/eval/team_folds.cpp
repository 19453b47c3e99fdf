#include "eval/team_folds.h"

#include <fmt/format.h>

#include <utility>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "core/internal/numbers.h"
#include "corpus/internal/clip_hash.h"
#include "eval/internal/results.h"
#include "ser/core/atomic_file.h"
#include "ser/core/file_kind.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr std::string_view kFoldFormat = "ser-fold-2";

Json predictions_row(const Prediction& p) {
  return Json::array(
      {p.file, p.speaker, p.emotion, p.gender, p.probabilities, p.gender_probabilities, p.corpus});
}

Prediction prediction_of(const Json& row) {
  return {row.at(0).get<std::string>(),         row.at(1).get<std::string>(),
          row.at(2).get<std::string>(),         row.at(3).get<std::string>(),
          row.at(4).get<std::vector<double>>(), row.at(5).get<std::vector<double>>(),
          row.at(6).get<std::string>()};
}

Json epoch_row(const EpochReport& e) {
  const auto number = [](const std::optional<double>& value) {
    return value ? Json(*value) : Json();
  };
  return Json::array({e.epoch, e.epochs, e.clips, e.learning_rate, e.loss,
                      number(e.validation_loss), number(e.validation_accuracy)});
}

EpochReport epoch_of(const Json& row, int member) {
  const auto number = [&](std::size_t i) {
    return row.at(i).is_null() ? std::nullopt : std::optional(row.at(i).get<double>());
  };
  return {member,
          row.at(0).get<int>(),
          row.at(1).get<int>(),
          row.at(2).get<std::size_t>(),
          row.at(3).get<double>(),
          row.at(4).get<double>(),
          number(5),
          number(6)};
}

/// Makes known to all what each process has: it gives `mine`, a list, and `take`s the items of all.
template <typename F>
void share_items(Team& team, const Json& mine, const F& take) {
  for (const std::string& text : team.exchange(dump_text(mine)))
    for (const Json& item : parse_json(text, "folds")) take(item);
}

/// The units dealt to this process, as `json_of` writes each.
template <typename F>
Json my_units(const Team& team, std::size_t count, const F& json_of) {
  Json mine = Json::array();
  for (std::size_t k = 0; k < count; ++k)
    if (team.deals_me(k)) mine.push_back(json_of(k));
  return mine;
}

Json fold_row(std::size_t key, const FoldPredictions& fold) {
  Json rows = Json::array();
  for (const Prediction& p : fold.predictions) rows.push_back(predictions_row(p));
  return Json::array({key, fold.test_speakers, std::move(rows)});
}

FoldPredictions fold_of(const Json& row, std::size_t number) {
  FoldPredictions fold{static_cast<int>(number), row.at(1).get<std::vector<std::string>>(), {}, {}};
  for (const Json& prediction : row.at(2)) fold.predictions.push_back(prediction_of(prediction));
  return fold;
}

Json curve_row(const LearningCurve& curve) {
  Json epochs = Json::array();
  for (const EpochReport& epoch : curve.epochs) epochs.push_back(epoch_row(epoch));
  return Json::array({curve.fold, curve.member, std::move(epochs)});
}

/// By which a change of what is kept is seen.
std::string sum_of(const Json& folds, const Json& curves) {
  return fingerprint(dump_text(folds) + dump_text(curves));
}

LearningCurve curve_of(const Json& row) {
  LearningCurve curve{row.at(0).get<int>(), row.at(1).get<int>(), {}};
  for (const Json& epoch : row.at(2)) curve.epochs.push_back(epoch_of(epoch, curve.member));
  return curve;
}

}  // namespace

std::uint64_t hash_of(const FeatureTable& table, std::uint64_t hash) {
  for (std::size_t i = 0; i < table.size(); ++i)
    hash = hash_of_clip(table, i, fnv1a(table.clips[i].content, hash));
  return hash;
}

std::string run_key(const FeatureTable& table, std::string_view split, const Recipe& recipe,
                    std::uint64_t seed, const std::vector<int>& heard) {
  const std::string text = fmt::format("{} {} {} {} {}", to_json(recipe), split, seed,
                                       fmt::join(heard, ","), fingerprint(table.set));
  return fmt::format("{:016x}", hash_of(table, fnv1a(text)));
}

void share_folds(Team& team, const std::vector<std::size_t>& open,
                 std::vector<FoldPredictions>& folds) {
  if (team.size() == 1) return;
  const Json mine =
      my_units(team, open.size(), [&](std::size_t i) { return fold_row(i, folds[open[i]]); });
  share_items(team, mine, [&](const Json& row) {
    const std::size_t k = open.at(row.at(0).get<std::size_t>());
    folds.at(k) = fold_of(row, k);
  });
}

void share_folds(Team& team, std::vector<FoldPredictions>& folds) {
  share_folds(team, indices<std::size_t>(folds.size()), folds);
}

std::vector<LearningCurve> share_curves(Team& team, std::vector<LearningCurve> mine) {
  if (team.size() == 1) return mine;
  Json rows = Json::array();
  for (const LearningCurve& curve : mine) rows.push_back(curve_row(curve));
  std::vector<LearningCurve> all;
  share_items(team, rows, [&](const Json& row) { all.push_back(curve_of(row)); });
  return all;
}

KeptFolds::KeptFolds(std::filesystem::path folder, std::string run, std::string name)
    : folder_(std::move(folder)), run_(std::move(run)), name_(std::move(name)) {
  if (folder_.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) fail("{}: cannot be made: {}", folder_.string(), error.message());
}

std::filesystem::path KeptFolds::file(std::size_t fold) const {
  return folder_ / fmt::format("{}-{}.json", name_, fold);
}

std::optional<FoldDone> KeptFolds::read(std::size_t fold, std::size_t heard_counts,
                                        bool resume) const {
  const std::filesystem::path path = file(fold);
  if (folder_.empty() || !std::filesystem::exists(path)) return std::nullopt;
  if (const std::string head = head_of(path);
      !head.empty() && head.find("\"ser-fold-") == head.npos)
    fail("{}: is there and is no fold that was kept: expected another folder, or that file gone",
         path.string());
  if (!resume) return std::nullopt;
  const std::string text = read_file(path, kMaxResultBytes);
  return with_context(path.string(), [&] {
    const Json json = parse_json(text, "fold");
    if (!json.is_object() || json.value("format", Json()) != kFoldFormat)
      fail("expected a fold that was kept");
    if (json.value("run", Json()) != run_)
      fail("expected a fold of the same recipe, split, seed and data, found one of others");
    try {
      FoldDone done;
      for (const Json& row : json.at("folds")) done.by_heard.push_back(fold_of(row, fold));
      for (const Json& row : json.at("curves")) done.curves.push_back(curve_of(row));
      const bool is_whole = json.at("sum") == sum_of(json.at("folds"), json.at("curves"));
      if (is_whole && done.by_heard.size() == heard_counts) return done;
    } catch (const Json::exception&) {
    }
    fail(
        "expected a fold as it was kept, found one that was changed: without the file it is made "
        "again");
  });
}

void KeptFolds::write(std::size_t fold, const FoldDone& done) const {
  if (folder_.empty()) return;
  Json folds = Json::array(), curves = Json::array();
  for (const FoldPredictions& one : done.by_heard) folds.push_back(fold_row(fold, one));
  for (const LearningCurve& curve : done.curves) curves.push_back(curve_row(curve));
  write_file(file(fold), dump_text({{"format", kFoldFormat},
                                    {"run", run_},
                                    {"sum", sum_of(folds, curves)},
                                    {"folds", std::move(folds)},
                                    {"curves", std::move(curves)}}));
}

}  // namespace ser
