#include "eval/internal/results.h"

#include <algorithm>
#include <utility>

#include "core/internal/json_io.h"

namespace ser {
namespace {

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

}  // namespace

void share_folds(Team& team, std::vector<FoldPredictions>& folds) {
  if (team.size() == 1) return;
  const Json mine = my_units(team, folds.size(), [&](std::size_t k) {
    Json rows = Json::array();
    for (const Prediction& p : folds[k].predictions) rows.push_back(predictions_row(p));
    return Json::array({k, folds[k].test_speakers, std::move(rows)});
  });
  share_items(team, mine, [&](const Json& fold) {
    const auto k = fold.at(0).get<std::size_t>();
    folds.at(k) = {static_cast<int>(k), fold.at(1).get<std::vector<std::string>>(), {}};
    for (const Json& row : fold.at(2)) folds[k].predictions.push_back(prediction_of(row));
  });
}

std::vector<LearningCurve> share_curves(Team& team, std::vector<LearningCurve> mine) {
  if (team.size() == 1) return mine;
  Json rows = Json::array();
  for (const LearningCurve& curve : mine) {
    Json epochs = Json::array();
    for (const EpochReport& epoch : curve.epochs) epochs.push_back(epoch_row(epoch));
    rows.push_back(Json::array({curve.fold, curve.member, std::move(epochs)}));
  }
  std::vector<LearningCurve> all;
  share_items(team, rows, [&](const Json& curve) {
    all.push_back({curve.at(0).get<int>(), curve.at(1).get<int>(), {}});
    for (const Json& epoch : curve.at(2))
      all.back().epochs.push_back(epoch_of(epoch, all.back().member));
  });
  std::ranges::sort(all, {}, [](const LearningCurve& c) { return std::pair(c.fold, c.member); });
  return all;
}

}  // namespace ser
