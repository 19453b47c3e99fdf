#include "eval/pairing.h"

#include <fmt/format.h>

#include <map>

#include "ser/core/error.h"
#include "ser/eval/heard.h"

namespace ser {

std::vector<const Prediction*> pair_up(const ResultFile& a, const ResultFile& b) {
  std::map<std::string, const Prediction*> by_file;
  for (const Prediction& prediction : b.predictions) by_file[prediction.file] = &prediction;
  std::vector<const Prediction*> pairs;
  for (const Prediction& prediction : a.predictions) {
    const auto found = by_file.find(prediction.file);
    if (found == by_file.end())
      throw Error(
          fmt::format("expected the same clips, found {} in the first only", prediction.file));
    if (found->second->emotion != prediction.emotion)
      throw Error(fmt::format("{}: expected the same true emotion, found {} and {}",
                              prediction.file, prediction.emotion, found->second->emotion));
    pairs.push_back(found->second);
    by_file.erase(found);
  }
  if (!by_file.empty())
    throw Error(fmt::format("expected the same clips, found {} in the second only",
                            by_file.begin()->first));
  return pairs;
}

std::vector<FoldPredictions> folds_of(const ResultFile& result) {
  std::vector<FoldPredictions> folds;
  auto next = result.predictions.begin();
  for (const FoldResult& fold : result.folds) {
    const auto end = next + fold.scores.n;
    folds.push_back({fold.fold, fold.test_speakers, {next, end}});
    next = end;
  }
  return folds;
}

void check_equally_heard(const ResultFile& a, const ResultFile& b) {
  const auto counts = [](const ResultFile& result) {
    std::string text = heard_text(result.info.heard);
    for (const ResultFile& other : result.more_heard) text += "," + heard_text(other.info.heard);
    return text;
  };
  if (counts(a) != counts(b))
    throw Error(fmt::format("expected the same number of clips heard, found {} and {}", counts(a),
                            counts(b)));
}

std::vector<ResultFile> heard_alike(const std::vector<ResultFile>& results, std::size_t i) {
  std::vector<ResultFile> alike;
  for (const ResultFile& result : results) alike.push_back(result.more_heard.at(i));
  return alike;
}

}  // namespace ser
