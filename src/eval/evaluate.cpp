#include "ser/eval/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/internal/fail.h"
#include "eval/heard.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/speaker.h"

namespace ser {
namespace {

std::vector<double> to_vector(const Eigen::VectorXd& values) {
  return {values.data(), values.data() + values.size()};
}

void check_label(const std::vector<std::string>& labels, const Utterance& clip) {
  if (clip.emotion.empty())
    fail("{}: expected a clip with an emotion, found none; scoring needs labels", clip.path);
  if (std::ranges::find(labels, clip.emotion) == labels.end())
    fail("{}: its emotion '{}' is none of the model's ({})", clip.path, clip.emotion,
         fmt::join(labels, ", "));
}

/// Probabilities of the classes `labels` from those of the model's: 0 for one that it does not
/// know.
std::vector<double> spread(const Eigen::VectorXd& probabilities,
                           const std::vector<std::string>& known,
                           const std::vector<std::string>& labels) {
  std::vector<double> wide;
  for (const std::string& label : labels) {
    const auto place = std::ranges::find(known, label);
    wide.push_back(place == known.end() ? 0 : probabilities[place - known.begin()]);
  }
  return wide;
}

/// The classes of a model and, of several folds, those of the clips besides.
std::vector<std::string> classes_of(const Model& model, const std::string& split,
                                    std::vector<Utterance> clips) {
  if (split.empty()) return model.emotions;
  for (const std::string& emotion : model.emotions) clips.emplace_back().emotion = emotion;
  return emotion_labels(clips);
}

/// Where the clips of `table` at `indices` stand in another table.
std::vector<int> same_clips(const FeatureTable& table, const std::vector<int>& indices,
                            const FeatureTable& other) {
  std::map<std::pair<std::string, std::string>, int> places;
  for (std::size_t i = 0; i < other.size(); ++i)
    if (const Utterance& clip = other.clips[i]; clip.augmentation.empty())
      places[{clip.corpus, clip.path}] = i;
  std::vector<int> found;
  for (const int index : indices) {
    const Utterance& clip = table.clips[index];
    const auto place = places.find({clip.corpus, clip.path});
    if (place == places.end())
      fail("{}: expected the clip in every feature file, features {} lack it", clip.path,
           fingerprint(other.set));
    found.push_back(place->second);
  }
  return found;
}

/// Features of the clips of the first table at `indices`, from every table, where they are.
std::vector<ClipFeatures> features_at(const std::vector<const FeatureTable*>& tables,
                                      const std::vector<int>& indices) {
  const FeatureTable& table = *tables.at(0);
  std::vector<ClipFeatures> features;
  for (const FeatureTable* other : tables) {
    features.emplace_back(
        fingerprint(other->set), indices.size(),
        [other, places = other == &table ? indices : same_clips(table, indices, *other)](
            std::size_t i) { return other->clip(places[i]); });
  }
  return features;
}

/// Paths that clips of two corpora share, none of whose speakers is known: in a result the corpus
/// tells them apart.
std::set<std::string> paths_of_two_corpora(const std::vector<Utterance>& clips) {
  std::map<std::string, const std::string*> corpora;
  std::set<std::string> shared;
  for (const Utterance& clip : clips) {
    if (!clip.speaker.empty()) continue;
    const auto [first, fresh] = corpora.emplace(clip.path, &clip.corpus);
    if (!fresh && *first->second != clip.corpus) shared.insert(clip.path);
  }
  return shared;
}

/// What the clips at `indices` are called in a result.
std::vector<ClipName> names_in_result(const std::vector<Utterance>& clips,
                                      const std::vector<int>& indices) {
  const std::set<std::string> shared = paths_of_two_corpora(clips);
  std::vector<ClipName> names;
  for (const int index : indices) {
    const Utterance& clip = clips[index];
    names.push_back({shared.contains(clip.path) ? clip.corpus + "/" + clip.path : clip.path,
                     speaker_name(clip)});
  }
  return names;
}

}  // namespace

std::vector<std::string> classes_in_common(const std::string& split,
                                           const std::vector<Utterance>& clips,
                                           const std::vector<int>& test) {
  if (split.empty() || parse_split_scheme(split).kind != SplitScheme::Kind::kCorpora) return {};
  return emotion_labels(clips, test);
}

std::vector<Prediction> evaluate(const Model& model, const std::vector<const FeatureTable*>& tables,
                                 const std::vector<int>& indices, int threads,
                                 const Asking& asking) {
  const FeatureTable& table = *tables.at(0);
  const std::vector<std::string>& labels = asking.labels.empty() ? model.emotions : asking.labels;
  for (const int index : indices) check_label(labels, table.clips[index]);
  const std::vector<ClipPrediction> said =
      predict(model, features_at(tables, indices), asking.heard, threads);
  const std::vector<ClipName> names = names_in_result(table.clips, indices);
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const Utterance& clip = table.clips[indices[i]];
    const ClipPrediction answer =
        asking.allowed.empty() ? said[i] : keep_classes(model, said[i], asking.allowed);
    predictions.push_back({names[i].file, names[i].speaker, clip.emotion, clip.gender,
                           spread(answer.emotions, model.emotions, labels),
                           to_vector(answer.genders), clip.speaker.empty() ? clip.corpus : ""});
  }
  return predictions;
}

ResultFile score_model(const Model& model, const std::vector<const FeatureTable*>& tables,
                       const Fold& fold, int threads, const std::string& split, int number,
                       const std::vector<int>& heard) {
  check_listens(model.listens(), heard);
  check_hears(tables.at(0)->clips, {fold}, heard);
  std::vector<std::string> fingerprints;
  for (const FeatureTable* table : tables) fingerprints.push_back(fingerprint(table->set));
  const TrainingInfo& training = model.training;
  const std::vector<Utterance>& clips = tables.at(0)->clips;
  Asking asking{{}, classes_of(model, split, clips), classes_in_common(split, clips, fold.test)};
  const TrainedOn known = trained_on(model, clips, fold, split);
  std::vector<ResultFile> results;
  for (const int count : heard) {
    asking.heard = draw_heard(clips, fold.test, count, training.seed);
    results.push_back(make_result(
        {asking.labels, split, training.recipe, join(fingerprints, "+"), training.seed, count},
        {{number, fold.test_speakers, evaluate(model, tables, fold.test, threads, asking),
          known}}));
  }
  return with_more_heard(std::move(results));
}

std::vector<std::string> unknown_classes(const Model& model, const std::vector<Utterance>& clips,
                                         const Fold& fold) {
  std::vector<std::string> unknown = emotion_labels(clips, fold.test);
  std::erase_if(unknown, [&](const std::string& emotion) {
    return std::ranges::find(model.emotions, emotion) != model.emotions.end();
  });
  return unknown;
}

std::string leave_out_unknown_classes(const Model& model, const std::vector<Utterance>& clips,
                                      Fold& fold) {
  const std::vector<std::string> unknown = unknown_classes(model, clips, fold);
  if (unknown.empty()) return "";
  const std::size_t left_out = std::erase_if(fold.test, [&](int i) {
    return std::ranges::find(unknown, clips[i].emotion) != unknown.end();
  });
  const std::string names = join(unknown, ", ");
  if (fold.test.empty())
    fail("expected clips of {}, found {} alone", join(model.emotions, ", "), names);
  return fmt::format("{} clips of classes that the model does not have are left out: {}", left_out,
                     names);
}

std::string missing_classes(const std::vector<Utterance>& clips, const std::vector<Fold>& folds) {
  std::map<std::string, std::vector<std::size_t>> lacking;  // folds, by class
  for (std::size_t k = 0; k < folds.size(); ++k) {
    const std::vector<std::string> known = emotion_labels(clips, folds[k].train);
    if (known.size() < 2)
      fail("fold {}: expected training clips of at least two emotions, found {}", k,
           fmt::join(known, ", "));
    for (const std::string& tested : emotion_labels(clips, folds[k].test))
      if (std::ranges::find(known, tested) == known.end()) lacking[tested].push_back(k);
  }
  std::vector<std::string> parts;
  for (const auto& [label, where] : lacking)
    parts.push_back(
        fmt::format("{} (fold{} {})", label, where.size() == 1 ? "" : "s", fmt::join(where, ", ")));
  if (parts.empty()) return "";
  return fmt::format("tested but not trained on, so missed: {}", join(parts, ", "));
}

TrainedOn trained_on(const Model& model, const std::vector<Utterance>& clips, const Fold& fold,
                     const std::string& split) {
  const TrainingInfo& training = model.training;
  const bool shares_speakers =
      !split.empty() && parse_split_scheme(split).kind == SplitScheme::Kind::kRandom;
  const auto is_known = [&](const std::string& speaker) {
    return !shares_speakers && !speaker.empty() &&
           (std::ranges::binary_search(training.speakers, speaker) ||
            std::ranges::binary_search(training.speakers, clip_of_speaker(speaker).speaker));
  };
  const auto is_recording = [&](int i) {
    const Utterance& clip = clips[i];
    return !clip.content.empty() && !is_known(speaker_name(clip)) &&
           std::ranges::binary_search(training.recordings, clip.content);
  };
  return {static_cast<int>(std::ranges::count_if(fold.test_speakers, is_known)),
          static_cast<int>(std::ranges::count_if(fold.test, is_recording)),
          training.speakers.empty() && (!shares_speakers || training.recordings.empty())};
}

std::string not_left_out(const Model& model, const std::vector<Utterance>& clips, const Fold& fold,
                         const SplitScheme& scheme, int number, std::uint64_t seed) {
  const TrainingInfo& training = model.training;
  const bool named =
      std::ranges::all_of(fold.test, [&](int clip) { return !clips[clip].speaker.empty(); });
  const std::string asked = fmt::format("fold {} of {}", number, scheme.name());
  const auto recordings = [&](int count) {
    return fmt::format("{}: {} of its {} clips are recordings that the model was trained on", asked,
                       count, fold.test.size());
  };
  const TrainedOn known = trained_on(model, clips, fold);
  if (known.clips > 0) return recordings(known.clips);
  if (named && !training.speakers.empty() && known.speakers == 0) return "";
  if (training.split.empty())
    return fmt::format("{}: the model left no fold out, it was trained on all clips", asked);
  if (training.split != scheme.name() || training.fold != number)
    return fmt::format("{}: the model left out fold {} of {}", asked, training.fold,
                       training.split);
  if (scheme.kind == SplitScheme::Kind::kRandom && training.seed != seed)
    return fmt::format("{}: the model left out the one drawn with seed {}, not {}", asked,
                       training.seed, seed);
  // The fold of other clips may be called the same.
  const TrainedOn of_split = trained_on(model, clips, fold, scheme.name());
  if (of_split.clips > 0) return recordings(of_split.clips);
  if (of_split.speakers > 0)
    return fmt::format("{}: {} of its {} speakers are among those that the model was trained on",
                       asked, of_split.speakers, fold.test_speakers.size());
  return "";
}

Certainty choose_certainty(const TrainingData& data, const Recipe& recipe, const Model& model,
                           const RunOptions& run, double risk) {
  const auto certainty = [&](const Model& asked, const std::vector<int>& clips) {
    // A class that the held-out speakers alone have is missed there, as in a cross-validation.
    std::vector<int> all = data.train;
    all.insert(all.end(), clips.begin(), clips.end());
    const std::vector<std::string> labels = emotion_labels(data.table.clips, all);
    const std::vector<Prediction> said =
        evaluate(asked, {&data.table}, clips, run.threads, {.labels = labels});
    return Certainty{kept_at_risk(risk_coverage(labels, said), risk),
                     speakers_of(data.table.clips, clips).size(), clips.size()};
  };
  if (!data.validation.empty()) return certainty(model, data.validation);
  const ValidationSplit split =
      hold_out_validation(data.table.clips, data.train, run.seed, run.stream);
  if (split.validation.empty())
    fail("certainty: expected at least four training speakers, to hold one out");
  RunOptions own = run;
  own.checkpoint.clear();
  return certainty(train({data.table, split.train, {}}, recipe, own), split.validation);
}

}  // namespace ser
