#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "ser/core/error.h"
#include "ser/core/parallel.h"
#include "ser/features/describe.h"
#include "ser/features/extractor.h"
#include "ser/model/batch.h"
#include "ser/model/model.h"

namespace ser {
namespace {

constexpr std::size_t kBatch = 32;

/// Softmax of each head, the emotions' logits divided by the member's temperature first.
Eigen::MatrixXd probabilities(const nn::Tensor& logits, const Model& model, double temperature) {
  nn::Matrix values = logits.matrix();
  values.topRows(static_cast<Eigen::Index>(model.emotions.size())) /=
      static_cast<nn::Real>(temperature);
  nn::softmax(values, model.heads());
  return values.cast<double>();
}

Eigen::MatrixXd run_member(const Member& member, const Model& model,
                           const std::vector<const Eigen::MatrixXf*>& clips) {
  nn::Workspace workspace = member.network.make_workspace();
  const nn::Tensor input = make_batch(clips, member.network.input(), workspace.arena);
  const nn::Tensor logits = member.network.forward(workspace, input, nn::Mode::kInfer, Rng(0, 0));
  return probabilities(logits, model, member.temperature);
}

ClipPrediction split_heads(const Eigen::VectorXd& average, const Model& model) {
  return {average.head(static_cast<Eigen::Index>(model.emotions.size())),
          average.tail(static_cast<Eigen::Index>(model.genders.size()))};
}

void check_clip(const Eigen::MatrixXf& clip, const Member& member) {
  const nn::Shape& input = member.network.input();
  if (clip.rows() != input.rows() || clip.cols() < 1)
    throw Error(fmt::format("expected features of {} rows, found {} x {}", input.rows(),
                            clip.rows(), clip.cols()));
  if (input.frames == 1 && clip.cols() != 1)
    throw Error(fmt::format("expected one pooled vector a clip, found {} frames", clip.cols()));
}

double total_weight(const Model& model) {
  double total = 0;
  for (const Member& member : model.members) total += member.weight;
  return total;
}

}  // namespace

std::vector<nn::HeadRange> Model::heads() const {
  const auto emotion_count = static_cast<nn::Index>(emotions.size());
  std::vector<nn::HeadRange> ranges = {{0, emotion_count}};
  if (!genders.empty()) ranges.push_back({emotion_count, static_cast<nn::Index>(genders.size())});
  return ranges;
}

std::vector<ClipPrediction> predict(const Model& model, const std::string& features_fingerprint,
                                    const std::vector<Eigen::MatrixXf>& clips, int threads) {
  for (const Member& member : model.members) {
    const std::string wanted = fingerprint(member.set);
    if (wanted != features_fingerprint)
      throw Error(fmt::format("the model was trained on features {} ({}), the file holds {}",
                              wanted, describe(member.set), features_fingerprint));
  }
  std::vector<ClipPrediction> predictions(clips.size());
  const std::size_t batches = (clips.size() + kBatch - 1) / kBatch;
  parallel_for(batches, threads, [&](std::size_t b) {
    const std::size_t begin = b * kBatch, end = std::min(clips.size(), begin + kBatch);
    Eigen::MatrixXd average;
    for (const Member& member : model.members) {
      std::vector<Eigen::MatrixXf> scaled;
      for (std::size_t i = begin; i < end; ++i) {
        check_clip(clips[i], member);
        scaled.push_back(member.scaler.apply(clips[i]));
      }
      std::vector<const Eigen::MatrixXf*> views;
      for (const Eigen::MatrixXf& clip : scaled) views.push_back(&clip);
      const Eigen::MatrixXd p = member.weight * run_member(member, model, views);
      average = average.size() ? Eigen::MatrixXd(average + p) : p;
    }
    average /= total_weight(model);
    for (std::size_t i = begin; i < end; ++i)
      predictions[i] = split_heads(average.col(static_cast<Eigen::Index>(i - begin)), model);
  });
  return predictions;
}

bool is_uncertain(const Model& model, const ClipPrediction& prediction) {
  return prediction.emotions.maxCoeff() < model.uncertain_below;
}

struct Predictor::Impl {
  std::map<std::string, Extractor> extractors;  ///< by fingerprint
  std::vector<std::string> fingerprints;        ///< one a member
};

Predictor::Predictor(Model model) : model_(std::move(model)), impl_(std::make_unique<Impl>()) {
  for (const Member& member : model_.members) {
    impl_->fingerprints.push_back(fingerprint(member.set));
    impl_->extractors.try_emplace(impl_->fingerprints.back(), member.set);
  }
}

Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;

ClipPrediction Predictor::predict(const Waveform& wave) const {
  std::map<std::string, Eigen::MatrixXf> features;
  for (const auto& [name, extractor] : impl_->extractors)
    features.emplace(name, extractor.extract(wave));
  Eigen::VectorXd average = Eigen::VectorXd::Zero(
      static_cast<Eigen::Index>(model_.emotions.size() + model_.genders.size()));
  for (std::size_t i = 0; i < model_.members.size(); ++i) {
    const Member& member = model_.members[i];
    const Eigen::MatrixXf& clip = features.at(impl_->fingerprints[i]);
    check_clip(clip, member);
    const Eigen::MatrixXf scaled = member.scaler.apply(clip);
    average += member.weight * run_member(member, model_, {&scaled}).col(0);
  }
  average /= total_weight(model_);
  return split_heads(average, model_);
}

}  // namespace ser
