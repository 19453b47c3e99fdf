#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <span>

#include "model/internal/batch.h"
#include "ser/core/error.h"
#include "ser/core/parallel.h"
#include "ser/features/describe.h"
#include "ser/features/extractor.h"
#include "ser/model/model.h"

namespace ser {
namespace {

constexpr std::size_t kBatch = 32;

/// Logits of the member's network, in workspace.arena.
nn::Tensor run_network(const Member& member, std::span<const Eigen::MatrixXf> clips,
                       nn::Workspace& workspace) {
  std::vector<Eigen::MatrixXf> scaled;
  std::vector<const Eigen::MatrixXf*> views;
  for (const Eigen::MatrixXf& clip : clips) scaled.push_back(member.scaler.apply(clip));
  for (const Eigen::MatrixXf& clip : scaled) views.push_back(&clip);
  const nn::Tensor input = make_batch(views, member.network.input(), workspace.arena);
  return member.network.forward(workspace, input, nn::Mode::kInfer, Rng(0, 0));
}

/// Logits, those of the emotions divided by the member's temperature; a clip is a column.
Eigen::MatrixXd run_member(const Member& member, const Model& model,
                           std::span<const Eigen::MatrixXf> clips) {
  nn::Workspace workspace = member.network.make_workspace();
  Eigen::MatrixXd logits = run_network(member, clips, workspace).matrix().cast<double>();
  logits.topRows(static_cast<Eigen::Index>(model.emotions.size())) /= member.temperature;
  return logits;
}

/// Softmax of the members' mean logits: their log-linear pool (Genest and Zidek 1986).
class Pool {
 public:
  explicit Pool(const Model& model) : model_(model) {}

  void add(const Member& member, const Eigen::MatrixXd& logits) {
    sum_ = total_ > 0 ? Eigen::MatrixXd(sum_ + member.weight * logits) : member.weight * logits;
    total_ += member.weight;
  }
  std::vector<ClipPrediction> predictions() const {
    nn::Matrix values = (sum_ / total_).cast<nn::Real>();
    nn::softmax(values, model_.heads());
    std::vector<ClipPrediction> result;
    for (Eigen::Index n = 0; n < values.cols(); ++n)
      result.push_back(split_heads(values.col(n).cast<double>()));
    return result;
  }

 private:
  ClipPrediction split_heads(const Eigen::VectorXd& probabilities) const {
    return {probabilities.head(static_cast<Eigen::Index>(model_.emotions.size())),
            probabilities.tail(static_cast<Eigen::Index>(model_.genders.size())), 0};
  }

  const Model& model_;
  Eigen::MatrixXd sum_;  // one column a clip
  double total_ = 0;
};

void check_clip(const Eigen::MatrixXf& clip, const Member& member) {
  const nn::Shape& input = member.network.input();
  if (clip.rows() != input.rows() || clip.cols() < 1)
    throw Error(fmt::format("expected features of {} rows, found {} x {}", input.rows(),
                            clip.rows(), clip.cols()));
  if (input.frames == 1 && clip.cols() != 1)
    throw Error(fmt::format("expected one pooled vector a clip, found {} frames", clip.cols()));
}

/// The features a member reads. Throws Error if they are not there.
const ClipFeatures& features_of(const Member& member, const std::vector<ClipFeatures>& features) {
  const std::string wanted = fingerprint(member.set);
  std::vector<std::string> found;
  for (const ClipFeatures& candidate : features) {
    if (candidate.fingerprint == wanted) {
      if (candidate.relative_to_speakers == member.enrolled) return candidate;
      throw Error(member.enrolled ? "the model wants features relative to the speaker's"
                                  : "the model does not want features relative to the speaker's");
    }
    found.push_back(candidate.fingerprint);
  }
  throw Error(fmt::format("the model was trained on features {} ({}), found {}", wanted,
                          describe(member.set), fmt::join(found, ", ")));
}

/// Features of the same few clips, one entry a member.
using Batches = std::vector<std::span<const Eigen::MatrixXf>>;

/// Calls run(batches, begin) for the clips from `begin` on, batch by batch, in parallel.
void for_each_batch(const Model& model, const std::vector<ClipFeatures>& features, int threads,
                    const std::function<void(const Batches&, std::size_t begin)>& run) {
  std::vector<const ClipFeatures*> inputs;
  for (const Member& member : model.members) inputs.push_back(&features_of(member, features));
  const std::size_t count = inputs[0]->clips.size();
  parallel_for((count + kBatch - 1) / kBatch, threads, [&](std::size_t b) {
    const std::size_t begin = b * kBatch, end = std::min(count, begin + kBatch);
    Batches batches;
    for (std::size_t m = 0; m < model.members.size(); ++m) {
      batches.push_back(std::span(inputs[m]->clips).subspan(begin, end - begin));
      for (const Eigen::MatrixXf& clip : batches.back()) check_clip(clip, model.members[m]);
    }
    run(batches, begin);
  });
}

}  // namespace

bool Model::enrolled() const { return !members.empty() && members[0].enrolled; }

std::vector<nn::HeadRange> Model::heads() const {
  const auto emotion_count = static_cast<nn::Index>(emotions.size());
  std::vector<nn::HeadRange> ranges = {{0, emotion_count}};
  if (!genders.empty()) ranges.push_back({emotion_count, static_cast<nn::Index>(genders.size())});
  return ranges;
}

std::vector<ClipPrediction> predict(const Model& model, const std::vector<ClipFeatures>& features,
                                    int threads) {
  std::vector<ClipPrediction> predictions(features.empty() ? 0 : features[0].clips.size());
  for_each_batch(model, features, threads, [&](const Batches& batches, std::size_t begin) {
    Pool pool(model);
    for (std::size_t m = 0; m < batches.size(); ++m)
      pool.add(model.members[m], run_member(model.members[m], model, batches[m]));
    std::ranges::move(pool.predictions(), predictions.begin() + static_cast<std::ptrdiff_t>(begin));
  });
  return predictions;
}

Eigen::MatrixXf embed(const Model& model, const std::vector<ClipFeatures>& features, int threads) {
  Eigen::Index units = 0;
  for (const Member& member : model.members) units += member.network.nodes().back().input.rows();
  const std::size_t clips = features.empty() ? 0 : features[0].clips.size();
  Eigen::MatrixXf hidden(units, static_cast<Eigen::Index>(clips));
  for_each_batch(model, features, threads, [&](const Batches& batches, std::size_t begin) {
    Eigen::Index row = 0;
    for (std::size_t m = 0; m < batches.size(); ++m) {
      const Member& member = model.members[m];
      nn::Workspace workspace = member.network.make_workspace();
      run_network(member, batches[m], workspace);
      const auto layer = member.network.embedding(workspace).matrix();
      hidden.block(row, static_cast<Eigen::Index>(begin), layer.rows(), layer.cols()) =
          layer.cast<float>();
      row += layer.rows();
    }
  });
  return hidden;
}

bool is_uncertain(const Model& model, const ClipPrediction& prediction) {
  return prediction.emotions.maxCoeff() < model.uncertain_below;
}

struct Predictor::Impl {
  std::map<std::string, Extractor> extractors;   ///< by fingerprint
  std::vector<std::string> fingerprints;         ///< one a member
  std::map<std::string, Eigen::VectorXf> means;  ///< of the enrolled speaker, by fingerprint
};

Predictor::Predictor(Model model) : model_(std::move(model)), impl_(std::make_unique<Impl>()) {
  for (const Member& member : model_.members) {
    impl_->fingerprints.push_back(fingerprint(member.set));
    impl_->extractors.try_emplace(impl_->fingerprints.back(), member.set);
  }
}

Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;

void Predictor::enroll(const std::vector<Waveform>& clips) {
  if (!model_.enrolled())
    throw Error("the model does not compare a recording with others of the speaker");
  if (clips.empty()) throw Error("expected recordings of the speaker, found none");
  for (const auto& [name, extractor] : impl_->extractors) {
    Eigen::VectorXd sum;
    Eigen::Index frames = 0;
    for (const Waveform& wave : clips) {
      const Eigen::MatrixXf clip = extractor.extract(wave);
      if (sum.size() == 0) sum = Eigen::VectorXd::Zero(clip.rows());
      sum += clip.cast<double>().rowwise().sum();
      frames += clip.cols();
    }
    impl_->means[name] = (sum / static_cast<double>(frames)).cast<float>();
  }
}

ClipPrediction Predictor::predict(const Waveform& wave) const {
  if (model_.enrolled() && impl_->means.empty())
    throw Error("the model compares a recording with others of the speaker: expected some");
  check_recording(wave);
  std::map<std::string, Eigen::MatrixXf> features;
  SharedAnalysis recording(wave);
  for (const auto& [name, extractor] : impl_->extractors) {
    Eigen::MatrixXf clip = extractor.extract(recording);
    if (model_.enrolled()) clip.colwise() -= impl_->means.at(name);
    features.emplace(name, std::move(clip));
  }
  Pool pool(model_);
  double furthest = 0;
  for (std::size_t i = 0; i < model_.members.size(); ++i) {
    const Member& member = model_.members[i];
    const Eigen::MatrixXf& clip = features.at(impl_->fingerprints[i]);
    check_clip(clip, member);
    furthest = std::max(furthest, distance(member.range, clip));
    pool.add(member, run_member(member, model_, std::span(&clip, 1)));
  }
  ClipPrediction prediction = std::move(pool.predictions()[0]);
  prediction.distance = furthest;
  return prediction;
}

}  // namespace ser
