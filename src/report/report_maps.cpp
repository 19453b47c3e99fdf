#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "report/page/charts.h"
#include "report/page/html.h"
#include "report/projection.h"
#include "report/report_sections.h"
#include "ser/core/hash.h"
#include "ser/core/rng.h"

namespace ser::report {
namespace {

constexpr std::size_t kMostClips = 1500;  // on a map
constexpr std::size_t kMostFolds = 6;     // with maps of their own

/// A clip's place among the classes and what is said when it is pointed at.
Mark mark_of(const Prediction& prediction, const std::vector<std::string>& labels) {
  const auto truth = std::find(labels.begin(), labels.end(), prediction.emotion) - labels.begin();
  const std::size_t said = most_likely(prediction.probabilities);
  Mark mark;
  mark.category = truth;
  mark.wrong = said != mark.category;
  mark.title = mark.wrong ? fmt::format("{}: {}, taken for {} ({:.0f} %)", prediction.file,
                                        prediction.emotion, labels[said],
                                        100 * prediction.probabilities[said])
                          : fmt::format("{}: {}", prediction.file, prediction.emotion);
  return mark;
}

/// All of them, or kMostClips drawn at random; ascending.
std::vector<int> clips_to_show(std::size_t count, std::uint64_t seed) {
  std::vector<int> chosen(count);
  std::iota(chosen.begin(), chosen.end(), 0);
  if (count <= kMostClips) return chosen;
  Rng rng(seed, fnv1a("map"));
  rng.shuffle(std::span(chosen));
  chosen.resize(kMostClips);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

/// Points [dimensions x clips] as two maps: principal components and t-SNE.
std::string two_maps(const Eigen::MatrixXd& points, std::vector<Mark> marks,
                     const std::string& name, int threads) {
  const auto place = [&](const Eigen::MatrixXd& positions) {
    for (std::size_t i = 0; i < marks.size(); ++i) {
      marks[i].at = {positions(0, i), positions.rows() > 1 ? positions(1, i) : 0};
    }
  };
  const PrincipalComponents components = principal_components(points, 2);
  const auto label = [&](Eigen::Index k) {
    return k < components.shares.size() ? fmt::format("component {}: {:.0f} % of the variance",
                                                      k + 1, 100 * components.shares[k])
                                        : std::string();
  };
  place(components.scores);
  std::vector<std::string> blocks = {
      figure_block(name + ", principal components", map_chart(marks, label(0), label(1)))};
  if (points.cols() >= kFewestPoints) {
    place(t_sne(points, threads));
    blocks.push_back(
        figure_block(name + ", t-SNE",
                     map_chart(marks, "neighbours stand together; the axes mean nothing", "")));
  }
  return side_by_side(blocks);
}

std::string shown_of(std::size_t all) {
  return all > kMostClips
             ? fmt::format(" {} of {} clips, drawn at random.", grouped(kMostClips), grouped(all))
             : "";
}

/// Where the answers of all folds stand to each other: outputs mean the same in every model.
std::string pooled_maps(const ResultFile& result, int threads) {
  constexpr double kFloor = 1e-4;
  const std::vector<int> chosen = clips_to_show(result.predictions.size(), result.info.seed);
  const Eigen::Index classes = result.info.labels.size();
  Eigen::MatrixXd points(classes, chosen.size());
  std::vector<Mark> marks;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const Prediction& prediction = result.predictions[chosen[i]];
    auto column = points.col(i);
    for (Eigen::Index c = 0; c < classes; ++c)
      column[c] = std::log(std::max(kFloor, prediction.probabilities[c]));
    column.array() -= column.mean();
    marks.push_back(mark_of(prediction, result.info.labels));
  }
  return two_maps(points, std::move(marks), "Answers", threads);
}

std::string hidden_maps(const HiddenLayer& layer, const ResultFile& result, const std::string& name,
                        int threads) {
  std::map<ClipName, const Prediction*> by_name;
  for (const Prediction& prediction : result.predictions) by_name[prediction.name()] = &prediction;
  const std::vector<int> chosen = clips_to_show(layer.clips.size(), result.info.seed);
  Eigen::MatrixXd points(layer.units.rows(), chosen.size());
  std::vector<Mark> marks;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    points.col(i) = layer.units.col(chosen[i]).cast<double>();
    marks.push_back(mark_of(*by_name.at(layer.clips[chosen[i]]), result.info.labels));
  }
  return two_maps(points, std::move(marks), name, threads);
}

}  // namespace

std::string maps_section(const Report& report, int threads) {
  if (!report.result) return "";
  const ResultFile& result = *report.result;
  const std::string key =
      "Colour and shape tell the true emotion; hollow marks were taken for another. Point at a "
      "mark for its file.";
  const std::string names = legend(result.info.labels);
  if (report.hidden.size() == 1)
    return section(
        "Map of the clips",
        "Clips as the network's last hidden layer has them, before the answer is read off. " + key +
            shown_of(report.hidden[0].clips.size()),
        names + hidden_maps(report.hidden[0], result, "Last hidden layer", threads));

  const bool folds = !report.hidden.empty();
  std::string note = folds ? "Every fold has a network of its own, and its hidden units mean "
                             "something else than those of the others. What all of them share are "
                             "the answers: first all clips by the logarithm of their probabilities "
                             "(not below 0.0001), then each fold by its last hidden layer. "
                           : "Clips by the logarithm of the probabilities they were given (not "
                             "below 0.0001); the hidden layers are not part of a result. ";
  note += key + shown_of(result.predictions.size());
  if (report.hidden.size() > kMostFolds)
    note += fmt::format(" Of {} folds, the first {} have a map of their own.", report.hidden.size(),
                        kMostFolds);
  std::string content = names + pooled_maps(result, threads);
  for (std::size_t i = 0; i < std::min(kMostFolds, report.hidden.size()); ++i)
    content +=
        hidden_maps(report.hidden[i], result,
                    fmt::format("Fold {}, last hidden layer", report.hidden[i].fold), threads);
  return section("Map of the clips", note, content);
}

}  // namespace ser::report
