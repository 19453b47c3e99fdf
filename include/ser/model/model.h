#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ser/audio/waveform.h"
#include "ser/features/extractor.h"
#include "ser/model/listening.h"
#include "ser/model/scaler.h"
#include "ser/nn/loss.h"
#include "ser/nn/network.h"

namespace ser {

/// One network with all it needs to read features.
struct Member {
  FeatureSet set;
  Scaler scaler;
  nn::Network network;     ///< logits: emotions, then genders
  double temperature = 1;  ///< logits of the emotions are divided by it (Guo et al. 2017)
  double weight = 1;       ///< share in the average over members
  ListeningOptions listening;
  bool gender_only = false;   ///< its emotions do not count beside those of other members
  bool emotion_only = false;  ///< its genders do not count beside those of other members
};

/// Emotion and gender of one clip.
struct ClipPrediction {
  Eigen::VectorXd emotions;  ///< probabilities, in the order of Model::emotions
  Eigen::VectorXd genders;   ///< probabilities of Model::genders; empty without a gender head
};

/// How the weights are stored in a model file.
enum class WeightFormat { kF32, kF16, kI8 };

/// Where a model comes from. Not read by prediction.
struct TrainingInfo {
  std::uint64_t seed = 0;
  std::string recipe = "{}";          ///< JSON
  std::string split;                  ///< "speakers:6"; empty: trained on the whole corpus
  int fold = -1;                      ///< the fold left out; -1: none
  std::vector<std::string> speakers;  ///< whose clips it was trained on, sorted
  /// Hashes of the sound of the recordings it was trained on, sorted; empty in older files.
  std::vector<std::string> recordings = {};
};

/// Emotions that a model may tell.
inline constexpr std::size_t kMaxClasses = 1000;

/// What turns features, or a recording, into emotion and gender: one network, or several whose
/// logits are averaged.
struct Model {
  std::vector<std::string> emotions;
  std::vector<std::string> genders;  ///< "male", "female"; empty without a gender head
  std::vector<Member> members;
  /// Answers of a lower probability are uncertain: by default those that are wrong, by their own
  /// account, more than two times in five, whatever the number of classes.
  double uncertain_below = 0.6;
  TrainingInfo training;

  /// Whether it answers better the more it has heard of a voice: some member listens.
  bool listens() const;
  /// Share of a member in the emotions, and in the genders, among all of them.
  double emotion_weight(const Member& member) const;
  double gender_weight(const Member& member) const;
  /// The softmax groups among a member's logits.
  std::vector<nn::HeadRange> heads() const;
};

/// A hash of all by which the model hears a voice: classes, features, scalers and weights, not
/// calibration.
std::string identity(const Model& model);

/// Features of one clip, [rows x frames], wherever they are.
using ClipView = Eigen::Map<const Eigen::MatrixXf>;

/// Features of clips, of the set with this fingerprint.
struct ClipFeatures {
  /// clip(i): of clip i, below `clips`; called from several threads, and again before each part of
  /// a long one is read.
  ClipFeatures(std::string set_fingerprint, std::size_t clips,
               std::function<ClipView(std::size_t)> clip_at)
      : fingerprint(std::move(set_fingerprint)), size(clips), clip(std::move(clip_at)) {}
  /// Of clips that it holds.
  ClipFeatures(std::string set_fingerprint, std::vector<Eigen::MatrixXf> clips);

  std::string fingerprint;
  std::size_t size;
  std::function<ClipView(std::size_t)> clip;
};

/// For each clip the positions, among all clips, of those of its voice that were heard before.
/// Empty: none were, for any clip.
using HeardClips = std::vector<std::vector<int>>;

/// Predictions for clips. A clip of more than 6,000 frames, a minute at a hop of 10 ms, is no
/// single utterance: logits are the mean of those of its pieces of 300 frames and a little more.
/// features: of the same clips, one entry for each set that a member reads.
/// heard: as many lists as clips, or none; by default taken as chosen by somebody. Throws Error,
/// naming the fingerprints, if a member's set is missing, and for an answer that is not a number.
std::vector<ClipPrediction> predict(const Model& model, const std::vector<ClipFeatures>& features,
                                    const HeardClips& heard, int threads,
                                    Hearing hearing = Hearing::kEnrolled);

/// The prediction over the emotions `allowed` alone: where a corpus has no others. The other
/// probabilities become zero. Throws Error if the model has none of them.
ClipPrediction keep_classes(const Model& model, ClipPrediction prediction,
                            const std::vector<std::string>& allowed);

/// Probabilities of the emotions as the networks gave them, before the members' (mean) temperature:
/// what a voice is heard with, so that trust in it does not depend on calibration.
Eigen::VectorXd uncalibrated(const Model& model, const Eigen::VectorXd& emotions);

/// Whether the emotion is little more than a guess: largest probability below the model's
/// threshold.
bool is_uncertain(const Model& model, const ClipPrediction& prediction);

/// Predicts from recordings: knows its features' tables and shares what members have in common.
/// `predict` may be called from several threads.
class Predictor {
 public:
  explicit Predictor(Model model);

  /// Features of one recording in every set of the model: for `predict`, and for a voice to hear.
  /// Throws Error as `check_recording` does.
  RecordingFeatures features(const Waveform& wave) const;
  /// The same, sharing what others computed of the recording.
  RecordingFeatures features(SharedAnalysis& recording) const;

  /// What a stranger is told.
  ClipPrediction predict(const RecordingFeatures& features) const;
  /// The same for the voice that was heard, from what a stranger is told: emotions relative to the
  /// voice, as far as it is trusted, and the gender pooled over all that was heard. Throws Error
  /// for a voice of other features.
  ClipPrediction adapt(ClipPrediction stranger, const RecordingFeatures& features,
                       const Voice& voice) const;
  /// Of the voice that was heard or set, a stranger's at first.
  ClipPrediction predict(const Waveform& wave) const;

  /// One more clip of the voice, for the answers that follow.
  void hear(const Waveform& wave);
  const Voice& voice() const { return voice_; }
  /// Throws Error for a voice that a model of other features or emotions heard.
  void set_voice(Voice voice);
  const Model& model() const { return model_; }

 private:
  Model model_;
  Voice voice_;
  std::map<std::string, Extractor> extractors_;  ///< by fingerprint
  std::vector<std::string> fingerprints_;        ///< one a member
};

/// Writes a model file. kF16 rounds weights to half precision; kI8 rounds those of matrices to 255
/// values for each output of a layer.
void write_model(const Model& model, const std::filesystem::path& path,
                 WeightFormat format = WeightFormat::kF32);

/// Reads a model file as untrusted input: all sizes are checked before memory is taken.
/// Throws Error, naming the file and what is wrong.
Model read_model(const std::filesystem::path& path);

/// One model of several, which may read different features. Each counts alike, whatever its number
/// of members. temperature: multiplies that of every member, so that the pool's is divided by it
/// once more. names: of the models, for messages.
/// Throws Error, naming two of them, for models of other emotions or genders or trained without
/// another fold; and for a temperature that is not above 0.
Model combine(const std::vector<Model>& models, const std::vector<std::string>& names,
              double temperature = 1);

/// Writes a model for other programs: an ONNX file (Open Neural Network Exchange, operator set 10)
/// of all that comes after the features, for a voice of which nothing was heard.
///
/// Inputs, float32, one for each feature set that a member reads, named as its preset
/// ("functionals", "vocal_tract", "frames") or "features_<fingerprint>": a pooled set [N, rows],
/// any other [N, T, rows], T being the same for all N clips (none is padded). Outputs, float32:
/// "emotion", probabilities [N, emotions], and "gender", [N, genders], if the model tells it.
/// Metadata: "emotion" and "gender", the names of the classes; "uncertain_below"; for each input
/// "<input>.rows", the names of its rows, and "<input>.features", its options as JSON. Lists are
/// separated by commas.
void write_onnx(const Model& model, const std::filesystem::path& path);

}  // namespace ser
