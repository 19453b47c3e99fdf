#pragma once

#include <Eigen/Core>
#include <map>
#include <string>
#include <string_view>

#include "ser/core/options.h"
#include "ser/model/scaler.h"
#include "ser/nn/tensor.h"

namespace ser {

/// How a network listens: it reads features relative to the mean of other clips of the voice,
/// unlabelled, as far as that mean can be trusted. What all clips heard have in common is the voice
/// only if they differ in emotion; so little is taken away where few were heard, and nothing where
/// the model, of a voice never heard before, hears one emotion in them all.
struct ListeningOptions {
  bool enabled = false;
  double strength = 4;  ///< of n clips heard, n / (n + strength) of their mean is believed
  /// Diversity (see `diversity`), in nats, up to which nothing and from which all of that counts.
  double diversity_low = 0.25;
  double diversity_high = 0.35;

  void visit(FieldVisitor& v);
  /// Throws Error for a value out of range.
  void validate() const;
};

/// Clips of one voice in one feature set, summed over their frames.
struct HeardFeatures {
  Eigen::VectorXd sum;  ///< [rows]; empty: nothing heard
  double frames = 0;
  double clips = 0;

  void add(const Eigen::Ref<const Eigen::MatrixXf>& clip);
  void add(const HeardFeatures& other);
};

/// What a model said of the emotion of clips of one voice, nothing of it being heard before.
struct HeardAnswers {
  Eigen::VectorXd sum;  ///< of the probabilities, [emotions]; empty: nothing heard
  double entropy = 0;   ///< summed over the clips, nats
  double clips = 0;

  void add(const Eigen::VectorXd& probabilities);
};

/// How much the clips heard differ in emotion: the mutual information between clip and emotion,
/// J = H(mean of the answers) - mean of H(answer), in nats, times n / (n - 1); 0 for a single clip.
double diversity(const HeardAnswers& answers);

/// Share of the voice's mean that may be taken away, from 0 to 1, by the diversity of the answers.
double trust(const HeardAnswers& answers, const ListeningOptions& options);

/// Where a voice lies among those of the training clips, in scaled units, [rows]: the mean of what
/// was heard, scaled, shrunk and trusted that far. Empty where nothing was heard or the network
/// does not listen.
Eigen::VectorXf voice_offset(const HeardFeatures& heard, double trust, const Scaler& scaler,
                             const ListeningOptions& options);

/// Features of one recording, by the fingerprint of their set.
using RecordingFeatures = std::map<std::string, Eigen::MatrixXf>;

/// What a model has heard of one voice: sums, from which no recording can be told.
class Voice {
 public:
  /// Hears one clip in the sets of a model, with the probabilities of the emotions that the model
  /// gives a clip of a voice never heard before.
  void add(const RecordingFeatures& features, const Eigen::VectorXd& emotions);

  double clips() const { return answers_.clips; }
  bool empty() const { return clips() == 0; }
  const HeardAnswers& answers() const { return answers_; }
  /// In the set with this fingerprint; empty sums where none was heard in it.
  const HeardFeatures& in(const std::string& fingerprint) const;

  /// As text to keep, and back. Read as untrusted input: throws Error for text that is no voice.
  std::string to_json() const;
  static Voice from_json(std::string_view json);

 private:
  std::map<std::string, HeardFeatures> heard_;
  HeardAnswers answers_;
};

}  // namespace ser
