#include "eval/pairing.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "ser/core/error.h"
#include "ser/eval/heard.h"

namespace ser {

namespace {

using ByFile = std::multimap<std::string, const Prediction*>;

/// Of several clips of one file name, that of the same speaker; a single one may be of a result
/// that names speakers otherwise.
ByFile::iterator find_clip(ByFile& by_file, const Prediction& wanted) {
  const auto [begin, end] = by_file.equal_range(wanted.file);
  if (begin == end) return by_file.end();
  if (std::next(begin) == end) return begin;
  const auto same =
      std::find_if(begin, end, [&](const auto& e) { return e.second->speaker == wanted.speaker; });
  return same == end ? by_file.end() : same;
}

}  // namespace

std::vector<const Prediction*> pair_up(const ResultFile& a, const ResultFile& b) {
  ByFile by_file;
  for (const Prediction& prediction : b.predictions) by_file.emplace(prediction.file, &prediction);
  std::vector<const Prediction*> pairs;
  for (const Prediction& prediction : a.predictions) {
    const auto found = find_clip(by_file, prediction);
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
    folds.push_back({fold.fold, fold.test_speakers, {next, end}, fold.trained_on});
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
