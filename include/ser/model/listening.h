#pragma once

#include <Eigen/Core>
#include <map>
#include <string>
#include <string_view>
#include <vector>

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
  double diversity_high = 0.4;
  /// Share of the answer, in log-probabilities, that stays what a stranger would be told.
  double blind_share = 0.3;
  /// Temperature of a mean wholly believed, relative to a stranger's: the better a voice is known,
  /// the surer the answer may be.
  double heard_temperature = 1;
  /// Power to which the mean answer to a voice wholly believed is divided out of its answers: what
  /// every clip of a voice is told, whatever its mood, is the model's error about that recording.
  double prior_correction = 0;

  void visit(FieldVisitor& v);
  /// Throws Error for a value out of range.
  void validate() const;
};

/// Who chose the clips heard: the program, of whatever was said, or somebody who says that they are
/// of all moods. Those are trusted more: their diversity counts by kEnrolledBonus more (twice where
/// it is less than that), and there is no `blind_share`.
enum class Hearing { kByItself, kEnrolled };
inline constexpr double kEnrolledBonus = 0.05;

/// Clips of one voice in one feature set, summed over their frames.
struct HeardFeatures {
  Eigen::VectorXd sum;  ///< [rows]; empty: nothing heard
  double frames = 0;
  double clips = 0;

  void add(const Eigen::Ref<const Eigen::MatrixXf>& clip);
  void add(const HeardFeatures& other);
};

/// What a model said of clips of one voice, nothing of it being heard before.
struct HeardAnswers {
  Eigen::VectorXd sum;  ///< of the emotions' probabilities; empty: nothing heard
  double entropy = 0;   ///< of the emotions, summed over the clips, nats
  double clips = 0;
  Eigen::VectorXd genders;  ///< sum of the genders' log-probabilities; empty: none are told

  /// emotions, genders: probabilities for one clip.
  void add(const Eigen::VectorXd& emotions, const Eigen::VectorXd& genders);
  void add(const HeardAnswers& other);
};

/// How much the clips heard differ in emotion: the mutual information between clip and emotion,
/// J = H(mean of the answers) - mean of H(answer), in nats, times n / (n - 1); 0 for a single clip.
double diversity(const HeardAnswers& answers);

/// Share of the voice's mean that may be taken away, from 0 to 1, by the diversity of the answers.
double trust(const HeardAnswers& answers, const ListeningOptions& options, Hearing hearing);

/// What the temperature of an answer is multiplied by where so many clips were heard and are
/// trusted that far: from 1 for a stranger's to `heard_temperature`, as the share of their mean
/// that is taken away grows from 0 to 1.
double temperature_of_heard(double clips, double trust, const ListeningOptions& options);

/// Power to which the mean answer is divided out where so many clips were heard and are trusted
/// that far: up to `prior_correction`.
double prior_power(double clips, double trust, const ListeningOptions& options);

/// Emotions of a clip of this voice without what the voice is told on average: divided by
/// mean^power, scaled to sum to 1 (the correction of Saerens, Latinne and Decaestecker 2002, as if
/// a voice were heard in every emotion alike). An emotion told less than half as often as the
/// others counts as told that often, so that one never heard is not made up.
Eigen::VectorXd correct_prior(const Eigen::VectorXd& emotions, const HeardAnswers& heard,
                              double power);

/// Probabilities of the genders of a clip of this voice, from those that a stranger would be given:
/// the geometric mean over it and the clips heard, which needs no trust, since emotion matters
/// little. What is relative to a voice tells nothing of its gender.
Eigen::VectorXd pool_genders(const Eigen::VectorXd& stranger, const HeardAnswers& heard);

/// Log-linear pool of two answers: stranger^share * adapted^(1 - share), scaled to sum to 1.
Eigen::VectorXd mix_answers(const Eigen::VectorXd& stranger, const Eigen::VectorXd& adapted,
                            double share);

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
  /// Hears one clip in the sets of a model, with the probabilities of emotions (`uncalibrated`) and
  /// genders that the model gives a clip of a voice never heard before.
  void add(const RecordingFeatures& features, const Eigen::VectorXd& emotions,
           const Eigen::VectorXd& genders, double duration_s);
  /// Somebody says that what was heard is of all moods.
  void set_enrolled() { hearing_ = Hearing::kEnrolled; }

  Hearing hearing() const { return hearing_; }
  double clips() const { return answers_.clips; }
  double duration_s() const { return duration_s_; }
  bool empty() const { return clips() == 0; }
  const HeardAnswers& answers() const { return answers_; }
  /// In the set with this fingerprint; empty sums where none was heard in it.
  const HeardFeatures& in(const std::string& fingerprint) const;
  /// Of the sets that it was heard in.
  std::vector<std::string> fingerprints() const;

  /// As text to keep, and back. model: `identity` of the one that heard it. Read as untrusted
  /// input: throws Error for text that is no voice, or one that another model heard.
  std::string to_json(std::string_view model) const;
  static Voice from_json(std::string_view json, std::string_view model);

 private:
  std::map<std::string, HeardFeatures> heard_;
  HeardAnswers answers_;
  double duration_s_ = 0;
  Hearing hearing_ = Hearing::kByItself;
};

}  // namespace ser
