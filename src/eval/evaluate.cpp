#include "ser/eval/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "ser/core/error.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/corpus/speaker.h"
#include "ser/eval/heard.h"

namespace ser {
namespace {

std::vector<double> to_vector(const Eigen::VectorXd& values) {
  return {values.data(), values.data() + values.size()};
}

void check_label(const Model& model, const Utterance& clip) {
  if (clip.emotion.empty())
    throw Error(fmt::format("{}: expected a clip with an emotion, found none; scoring needs labels",
                            clip.path));
  if (std::find(model.emotions.begin(), model.emotions.end(), clip.emotion) == model.emotions.end())
    throw Error(fmt::format("{}: its emotion '{}' is none of the model's ({})", clip.path,
                            clip.emotion, fmt::join(model.emotions, ", ")));
}

/// Where the clips of `table` at `indices` stand in another table.
std::vector<int> same_clips(const FeatureTable& table, const std::vector<int>& indices,
                            const FeatureTable& other) {
  std::map<std::pair<std::string, std::string>, int> places;
  for (std::size_t i = 0; i < other.size(); ++i)
    if (const Utterance& clip = other.clips[i]; clip.augmentation.empty())
      places[{clip.corpus, clip.path}] = static_cast<int>(i);
  std::vector<int> found;
  for (const int index : indices) {
    const Utterance& clip = table.clips[static_cast<std::size_t>(index)];
    const auto place = places.find({clip.corpus, clip.path});
    if (place == places.end())
      throw Error(fmt::format("{}: expected the clip in every feature file, features {} lack it",
                              clip.path, fingerprint(other.set)));
    found.push_back(place->second);
  }
  return found;
}

/// Features of the clips of the first table at `indices`, from every table.
std::vector<ClipFeatures> features_at(const std::vector<const FeatureTable*>& tables,
                                      const std::vector<int>& indices) {
  const FeatureTable& table = *tables.at(0);
  std::vector<ClipFeatures> features;
  for (const FeatureTable* other : tables) {
    features.push_back({fingerprint(other->set), {}});
    for (const int index : other == &table ? indices : same_clips(table, indices, *other))
      features.back().clips.emplace_back(other->clip(static_cast<std::size_t>(index)));
  }
  return features;
}

void check_listens(bool listens, const std::vector<int>& heard) {
  const auto some = std::ranges::find_if(heard, [](int count) { return count > 0; });
  if (!listens && some != heard.end())
    throw Error(
        fmt::format("{} clips heard: expected a model that listens, found one that answers "
                    "the same whatever it has heard",
                    heard_text(*some)));
}

}  // namespace

std::vector<Prediction> evaluate(const Model& model, const std::vector<const FeatureTable*>& tables,
                                 const std::vector<int>& indices, int threads,
                                 const HeardClips& heard) {
  const FeatureTable& table = *tables.at(0);
  for (const int index : indices) check_label(model, table.clips[static_cast<std::size_t>(index)]);
  const std::vector<ClipPrediction> said =
      predict(model, features_at(tables, indices), heard, threads);
  const std::vector<std::string> speakers = speaker_names(table.clips);
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const auto index = static_cast<std::size_t>(indices[i]);
    const Utterance& clip = table.clips[index];
    predictions.push_back({clip.path, speakers[index], clip.emotion, clip.gender,
                           to_vector(said[i].emotions), to_vector(said[i].genders)});
  }
  return predictions;
}

ResultFile score_model(const Model& model, const std::vector<const FeatureTable*>& tables,
                       const Fold& fold, int threads, const std::string& split, int number,
                       const std::vector<int>& heard) {
  check_listens(model.listens(), heard);
  std::vector<std::string> fingerprints;
  for (const FeatureTable* table : tables) fingerprints.push_back(fingerprint(table->set));
  const TrainingInfo& training = model.training;
  std::vector<ResultFile> results;
  for (const int count : heard) {
    const HeardClips clips = draw_heard(tables.at(0)->clips, fold.test, count, training.seed);
    results.push_back(make_result(
        {model.emotions, split, training.recipe, join(fingerprints, "+"), training.seed, count},
        {{number, fold.test_speakers, evaluate(model, tables, fold.test, threads, clips)}}));
  }
  return with_more_heard(std::move(results));
}

int count_known_speakers(const Model& model, const std::vector<std::string>& speakers) {
  const std::vector<std::string>& known = model.training.speakers;
  return static_cast<int>(std::ranges::count_if(speakers, [&](const std::string& speaker) {
    return std::ranges::binary_search(known, speaker) ||
           std::ranges::binary_search(known, clip_of_speaker(speaker).speaker);
  }));
}

HiddenLayer hidden_layer(const Model& model, const std::vector<const FeatureTable*>& tables,
                         const std::vector<int>& indices, int fold, int threads) {
  HiddenLayer layer;
  layer.fold = fold;
  for (const int index : indices)
    layer.files.push_back(tables.at(0)->clips[static_cast<std::size_t>(index)].path);
  layer.units = embed(model, features_at(tables, indices), threads);
  return layer;
}

CrossValidation cross_validate(const FeatureTable& table, const SplitScheme& scheme,
                               const Recipe& recipe, std::uint64_t seed, int threads,
                               const FoldObserver& observer, const std::vector<int>& heard) {
  check_listens(recipe.listening.enabled, heard);
  const std::vector<Fold> folds = make_folds(table.clips, scheme, seed);
  std::vector<std::vector<FoldPredictions>> scored(heard.size());  // by number heard, by fold
  for (auto& of_count : scored) of_count.resize(folds.size());
  std::vector<std::vector<std::string>> labels(folds.size());
  std::vector<HiddenLayer> hidden(folds.size());
  LearningLog log;
  parallel_for(folds.size(), threads, [&](std::size_t k) {
    const int fold = static_cast<int>(k);
    RunOptions run{seed, k, threads};
    run.observer = [&](const EpochReport& report) {
      log.add(fold, report);
      if (observer) observer(fold, report);
    };
    const Model model = train(training_data(table, folds[k].train, recipe, seed, k), recipe, run);
    labels[k] = model.emotions;
    for (std::size_t i = 0; i < heard.size(); ++i)
      scored[i][k] = {fold, folds[k].test_speakers,
                      evaluate(model, {&table}, folds[k].test, threads,
                               draw_heard(table.clips, folds[k].test, heard[i], seed))};
    hidden[k] = hidden_layer(model, {&table}, folds[k].test, fold, threads);
  });
  for (std::size_t k = 1; k < labels.size(); ++k)
    if (labels[k] != labels[0])
      throw Error(
          fmt::format("fold {} trains on classes {}, fold 0 on {}; every fold needs clips "
                      "of every class",
                      k, fmt::join(labels[k], ", "), fmt::join(labels[0], ", ")));
  std::vector<ResultFile> results;
  for (std::size_t i = 0; i < heard.size(); ++i)
    results.push_back(make_result(
        {labels[0], scheme.name(), to_json(recipe), fingerprint(table.set), seed, heard[i]},
        std::move(scored[i])));
  return {with_more_heard(std::move(results)), log.curves(), std::move(hidden)};
}

}  // namespace ser
