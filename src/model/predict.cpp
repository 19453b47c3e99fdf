#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <span>

#include "core/internal/fail.h"
#include "model/internal/batch.h"
#include "model/pieces.h"
#include "ser/core/parallel.h"
#include "ser/features/extractor.h"
#include "ser/features/feature_set.h"
#include "ser/model/model.h"

namespace ser {
namespace {

ClipView view_of(const Eigen::MatrixXf& clip) { return {clip.data(), clip.rows(), clip.cols()}; }

/// Logits of the member's network, in workspace.arena.
nn::Tensor run_network(const Member& member, std::span<const ClipInput> clips,
                       nn::Workspace& workspace) {
  std::vector<int> frames;
  for (const ClipInput& clip : clips) frames.push_back(static_cast<int>(clip.features.cols()));
  const nn::Tensor input = take_batch(frames, member.network.input(), workspace.arena);
  for (std::size_t n = 0; n < clips.size(); ++n)
    input.clip(static_cast<nn::Index>(n)).leftCols(frames[n]) =
        member.scaler.apply(clips[n].features, clips[n].offset).cast<nn::Real>();
  input.clear_padding();
  return member.network.forward(workspace, input, nn::Mode::kInfer, Rng(0, 0));
}

/// Logits, those of the emotions divided by the temperature; a clip is a column.
Eigen::MatrixXd run_member(const Member& member, const Model& model,
                           std::span<const ClipInput> clips) {
  return run_in_pieces(clips, [&](std::span<const ClipInput> batch) {
    nn::Workspace workspace = member.network.make_workspace();
    Eigen::MatrixXd logits = run_network(member, batch, workspace).matrix().cast<double>();
    for (std::size_t n = 0; n < batch.size(); ++n)
      logits.col(static_cast<Eigen::Index>(n)).head(std::ssize(model.emotions)) /=
          member.temperature * batch[n].temperature;
    return logits;
  });
}

/// Softmax of the members' mean logits: their log-linear pool (Genest and Zidek 1986).
class Ensemble {
 public:
  explicit Ensemble(const Model& model)
      : model_(model), total_(Eigen::VectorXd::Zero(model.members[0].network.outputs())) {}

  void add(const Member& member, const Eigen::MatrixXd& logits) {
    Eigen::VectorXd weights =
        Eigen::VectorXd::Constant(total_.size(), model_.gender_weight(member));
    weights.head(std::ssize(model_.emotions)).setConstant(model_.emotion_weight(member));
    if (sum_.size() == 0) sum_ = Eigen::MatrixXd::Zero(logits.rows(), logits.cols());
    sum_ += weights.asDiagonal() * logits;
    total_ += weights;
  }
  std::vector<ClipPrediction> predictions() const {
    nn::Matrix values = (sum_.array().colwise() / total_.array()).cast<nn::Real>();
    nn::softmax(values, model_.heads());
    if (!values.allFinite())
      fail("the model's answer is no number: its weights or the features are out of range");
    std::vector<ClipPrediction> result;
    for (Eigen::Index n = 0; n < values.cols(); ++n)
      result.push_back(split_heads(values.col(n).cast<double>()));
    return result;
  }

 private:
  ClipPrediction split_heads(const Eigen::VectorXd& probabilities) const {
    return {probabilities.head(static_cast<Eigen::Index>(model_.emotions.size())),
            probabilities.tail(static_cast<Eigen::Index>(model_.genders.size()))};
  }

  const Model& model_;
  Eigen::MatrixXd sum_;    // one column a clip
  Eigen::VectorXd total_;  // of the weights, one a row
};

void check_clip(const ClipView& clip, const Member& member) {
  const nn::Shape& input = member.network.input();
  if (clip.rows() != input.rows() || clip.cols() < 1)
    fail("expected features of {} rows, found {} x {}", input.rows(), clip.rows(), clip.cols());
  if (input.frames == 1 && clip.cols() != 1)
    fail("expected one pooled vector a clip, found {} frames", clip.cols());
}

/// Throws Error, naming what is missing, unless the features of every member are there.
void check_features(const Model& model, const std::vector<ClipFeatures>& features) {
  std::vector<std::string> found, missing;
  for (const ClipFeatures& set : features) found.push_back(set.fingerprint);
  for (const Member& member : model.members) {
    const std::string wanted = fingerprint(member.set);
    const std::string words = fmt::format("{} ({})", wanted, describe(member.set));
    if (std::ranges::find(found, wanted) == found.end() &&
        std::ranges::find(missing, words) == missing.end())
      missing.push_back(words);
  }
  if (missing.empty()) return;
  fail("the model was trained on features {}, found {}", fmt::join(missing, " and "),
       fmt::join(found, ", "));
}

/// The features that each member reads, of the same clips.
class Inputs {
 public:
  Inputs(const Model& model, const std::vector<ClipFeatures>& features) : model_(model) {
    check_features(model, features);
    for (const Member& member : model.members) {
      features_.push_back(
          &*std::ranges::find(features, fingerprint(member.set), &ClipFeatures::fingerprint));
      if (features_.back()->size != size())
        fail("expected as many clips in every set, found {} and {}", size(),
             features_.back()->size);
    }
  }

  std::size_t size() const { return features_.empty() ? 0 : features_[0]->size; }
  const ClipFeatures& of(std::size_t m) const { return *features_[m]; }

  /// Clips [begin, end) for member m.
  std::vector<ClipInput> batch(std::size_t m, std::size_t begin, std::size_t end) const {
    std::vector<ClipInput> inputs;
    for (std::size_t i = begin; i < end; ++i) {
      const ClipFeatures& set = *features_[m];
      inputs.push_back({set.clip(i)});
      check_clip(inputs.back().features, model_.members[m]);
      if (inputs.back().is_long())
        inputs.back().before_reading = [&set, i] { static_cast<void>(set.clip(i)); };
    }
    return inputs;
  }

 private:
  const Model& model_;
  std::vector<const ClipFeatures*> features_;  ///< one a member
};

/// A clip summed over its frames, of which those of a long one need not be in memory together.
HeardFeatures sum_of(const ClipFeatures& features, std::size_t i) {
  constexpr Eigen::Index kBlock = 4096;
  const Eigen::Index rows = features.clip(i).rows(), frames = features.clip(i).cols();
  HeardFeatures sum;
  for (Eigen::Index begin = 0; begin < frames; begin += kBlock)
    sum.add(
        ClipView(features.clip(i).data() + begin * rows, rows, std::min(kBlock, frames - begin)));
  sum.clips = 1;
  return sum;
}

/// The voices of clips, from the features of the clips heard and what a model says of them before
/// it has heard any. Clips are summed over their frames once, so a voice is a sum of few vectors.
class HeardVoices {
 public:
  HeardVoices(const Model& model, const Inputs& inputs, const HeardClips& heard,
              const std::vector<ClipPrediction>& before, int threads)
      : model_(model), inputs_(inputs), heard_(heard), said_(before.size()) {
    for (std::size_t i = 0; i < before.size(); ++i)
      said_[i].add(uncalibrated(model, before[i].emotions), before[i].genders);
    for (std::size_t m = 0; m < model.members.size(); ++m) {
      if (!model.members[m].listening.enabled) continue;
      std::vector<HeardFeatures>& sums = sums_[&inputs.of(m)];
      if (!sums.empty()) continue;
      sums.resize(inputs.size());
      parallel_for(inputs.size(), threads,
                   [&](std::size_t i) { sums[i] = sum_of(inputs.of(m), i); });
    }
  }

  HeardAnswers answers(std::size_t i) const {
    HeardAnswers answers;
    for (const int clip : heard_[i]) answers.add(said_.at(static_cast<std::size_t>(clip)));
    return answers;
  }

  /// Of clip i in the set of member m.
  HeardFeatures features(std::size_t m, std::size_t i) const {
    HeardFeatures features;
    if (!model_.members[m].listening.enabled) return features;
    const std::vector<HeardFeatures>& sums = sums_.at(&inputs_.of(m));
    for (const int clip : heard_[i]) features.add(sums.at(static_cast<std::size_t>(clip)));
    return features;
  }

 private:
  const Model& model_;
  const Inputs& inputs_;
  const HeardClips& heard_;
  std::vector<HeardAnswers> said_;  ///< of each clip alone
  std::map<const ClipFeatures*, std::vector<HeardFeatures>> sums_;
};

/// Calls run(begin, end) for the clips, batch by batch, in parallel.
void for_each_batch(std::size_t count, int threads,
                    const std::function<void(std::size_t begin, std::size_t end)>& run) {
  parallel_for((count + kBatch - 1) / kBatch, threads,
               [&](std::size_t b) { run(b * kBatch, std::min(count, (b + 1) * kBatch)); });
}

/// What strangers are told.
std::vector<ClipPrediction> predict_strangers(const Model& model, const Inputs& inputs,
                                              int threads) {
  std::vector<ClipPrediction> predictions(inputs.size());
  for_each_batch(inputs.size(), threads, [&](std::size_t begin, std::size_t end) {
    Ensemble ensemble(model);
    for (std::size_t m = 0; m < model.members.size(); ++m)
      ensemble.add(model.members[m],
                   run_member(model.members[m], model, inputs.batch(m, begin, end)));
    std::ranges::move(ensemble.predictions(),
                      predictions.begin() + static_cast<std::ptrdiff_t>(begin));
  });
  return predictions;
}

/// Mean of value(m) over the members that listen.
double mean_over_listeners(const Model& model, const std::function<double(std::size_t m)>& value) {
  double sum = 0, total = 0;
  for (std::size_t m = 0; m < model.members.size(); ++m) {
    if (!model.members[m].listening.enabled) continue;
    const double weight = model.emotion_weight(model.members[m]);
    sum += weight * value(m);
    total += weight;
  }
  return sum / total;
}

double blind_share(const Model& model, Hearing hearing) {
  if (hearing == Hearing::kEnrolled) return 0;
  return mean_over_listeners(model,
                             [&](std::size_t m) { return model.members[m].listening.blind_share; });
}

/// What a clip of a known voice is told. heard(m): of the voice, in the set of member m; stranger:
/// what a stranger is told.
ClipPrediction adapted(const Model& model, std::vector<ClipInput> clip,
                       const std::function<HeardFeatures(std::size_t m)>& heard,
                       const HeardAnswers& answers, Hearing hearing, ClipPrediction stranger) {
  if (answers.clips == 0 || !model.listens()) return stranger;
  stranger.genders = pool_genders(stranger.genders, answers);
  std::vector<double> trusted(model.members.size());
  bool moved = false;
  for (std::size_t m = 0; m < model.members.size(); ++m) {
    const Member& member = model.members[m];
    if (member.listening.enabled) trusted[m] = trust(answers, member.listening, hearing);
    if (trusted[m] == 0) continue;
    clip[m].offset = voice_offset(heard(m), trusted[m], member.scaler, member.listening);
    clip[m].temperature = temperature_of_heard(answers.clips, trusted[m], member.listening);
    moved = moved || clip[m].offset.size() > 0;
  }
  if (!moved) return stranger;
  Ensemble ensemble(model);
  for (std::size_t m = 0; m < model.members.size(); ++m)
    ensemble.add(model.members[m], run_member(model.members[m], model, std::span(&clip[m], 1)));
  const double power = mean_over_listeners(model, [&](std::size_t m) {
    return prior_power(answers.clips, trusted[m], model.members[m].listening);
  });
  stranger.emotions = mix_answers(stranger.emotions,
                                  correct_prior(ensemble.predictions()[0].emotions, answers, power),
                                  blind_share(model, hearing));
  return stranger;
}

}  // namespace

ClipFeatures::ClipFeatures(std::string set_fingerprint, std::vector<Eigen::MatrixXf> clips)
    : ClipFeatures(std::move(set_fingerprint), clips.size(), {}) {
  clip = [held = std::move(clips)](std::size_t i) { return view_of(held[i]); };
}

std::vector<ClipPrediction> predict(const Model& model, const std::vector<ClipFeatures>& features,
                                    const HeardClips& heard, int threads, Hearing hearing) {
  const Inputs inputs(model, features);
  if (!heard.empty() && heard.size() != inputs.size())
    fail("expected the clips heard before each of {} clips, found {}", inputs.size(), heard.size());
  std::vector<ClipPrediction> predictions = predict_strangers(model, inputs, threads);
  if (heard.empty() || !model.listens()) return predictions;
  const HeardVoices voices(model, inputs, heard, predictions, threads);
  parallel_for(inputs.size(), threads, [&](std::size_t i) {
    std::vector<ClipInput> clip;
    for (std::size_t m = 0; m < model.members.size(); ++m)
      clip.push_back(inputs.batch(m, i, i + 1)[0]);
    predictions[i] = adapted(
        model, clip, [&](std::size_t m) { return voices.features(m, i); }, voices.answers(i),
        hearing, std::move(predictions[i]));
  });
  return predictions;
}

namespace {

/// What each member reads; fingerprints: one a member.
std::vector<ClipInput> inputs_of(const Model& model, const std::vector<std::string>& fingerprints,
                                 const RecordingFeatures& features) {
  std::vector<ClipInput> inputs;
  for (std::size_t m = 0; m < model.members.size(); ++m) {
    const auto found = features.find(fingerprints[m]);
    if (found == features.end())
      fail("the model reads features {} ({}), which are not there", fingerprints[m],
           describe(model.members[m].set));
    inputs.push_back({view_of(found->second)});
    check_clip(inputs.back().features, model.members[m]);
  }
  return inputs;
}

}  // namespace

Predictor::Predictor(Model model) : model_(std::move(model)) {
  if (model_.members.empty()) fail("expected a model with networks, found none");
  for (const Member& member : model_.members) {
    fingerprints_.push_back(fingerprint(member.set));
    extractors_.try_emplace(fingerprints_.back(), member.set);
  }
}

RecordingFeatures Predictor::features(const Waveform& wave) const {
  SharedAnalysis recording(wave);
  return features(recording);
}

RecordingFeatures Predictor::features(SharedAnalysis& recording) const {
  RecordingFeatures features;
  for (const auto& [name, extractor] : extractors_) {
    features.emplace(name, extractor.extract(recording));
  }
  return features;
}

ClipPrediction Predictor::predict(const RecordingFeatures& features) const {
  Ensemble ensemble(model_);
  const std::vector<ClipInput> clip = inputs_of(model_, fingerprints_, features);
  for (std::size_t m = 0; m < model_.members.size(); ++m) {
    const Member& member = model_.members[m];
    ensemble.add(member, run_member(member, model_, std::span(&clip[m], 1)));
  }
  return std::move(ensemble.predictions()[0]);
}

ClipPrediction Predictor::adapt(ClipPrediction stranger, const RecordingFeatures& features,
                                const Voice& voice) const {
  return adapted(
      model_, inputs_of(model_, fingerprints_, features),
      [&](std::size_t m) { return voice.in(fingerprints_[m]); }, voice.answers(), voice.hearing(),
      std::move(stranger));
}

ClipPrediction Predictor::predict(const Waveform& wave) const {
  const RecordingFeatures found = features(wave);
  return adapt(predict(found), found, voice_);
}

void Predictor::hear(const Waveform& wave) {
  const RecordingFeatures found = features(wave);
  const ClipPrediction stranger = predict(found);
  voice_.add(found, uncalibrated(model_, stranger.emotions), stranger.genders, wave.duration_s());
}

void Predictor::set_voice(Voice voice) {
  bool fits = voice.answers().sum.size() == std::ssize(model_.emotions) &&
              voice.answers().genders.size() == std::ssize(model_.genders);
  for (std::size_t m = 0; m < model_.members.size(); ++m) {
    const Member& member = model_.members[m];
    const HeardFeatures& heard = voice.in(fingerprints_[m]);
    fits = fits && (!member.listening.enabled || heard.sum.size() == member.network.input().rows());
  }
  for (const std::string& heard_in : voice.fingerprints())
    fits = fits && extractors_.contains(heard_in);
  if (!fits && !voice.empty())
    fail("expected a voice that this model heard, found one that another model did");
  voice_ = std::move(voice);
}

}  // namespace ser
