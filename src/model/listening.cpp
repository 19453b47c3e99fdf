#include "ser/model/listening.h"

#include <algorithm>
#include <cmath>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"

namespace ser {
namespace {

constexpr std::string_view kVoiceFormat = "ser-voice";
constexpr std::size_t kMaxRows = 1'000'000;
constexpr double kMaxCount = 1e15;
constexpr double kLeastProbability = 1e-30;  // softmax in single precision may give 0

/// Shannon's, in nats.
double entropy(const Eigen::VectorXd& probabilities) {
  double sum = 0;
  for (const double p : probabilities)
    if (p > 0) sum -= p * std::log(p);
  return sum;
}

Eigen::VectorXd logs(const Eigen::VectorXd& probabilities) {
  return probabilities.cwiseMax(kLeastProbability).array().log();
}

Eigen::VectorXd softmax(const Eigen::VectorXd& logits) {
  const Eigen::VectorXd shares = (logits.array() - logits.maxCoeff()).exp();
  return shares / shares.sum();
}

std::vector<double> to_list(const Eigen::VectorXd& v) { return {v.begin(), v.end()}; }

double count_at(const Json& json, const char* key) {
  const double count = json.at(key).get<double>();
  if (!(count >= 1 && count < kMaxCount))
    fail("'{}': expected a number from 1, found {}", key, count);
  return count;
}

Eigen::VectorXd list_at(const Json& json, const char* key) {
  const Json& list = json.at(key);
  if (!list.is_array() || list.size() > kMaxRows) fail("'{}': expected a list of numbers", key);
  Eigen::VectorXd sum(static_cast<Eigen::Index>(list.size()));
  for (std::size_t i = 0; i < list.size(); ++i)
    sum[static_cast<Eigen::Index>(i)] = list[i].get<double>();
  if (!sum.allFinite()) fail("'{}': expected finite numbers", key);
  return sum;
}

Eigen::VectorXd sum_at(const Json& json) {
  Eigen::VectorXd sum = list_at(json, "sum");
  if (sum.size() == 0) fail("'sum': expected a list of numbers");
  return sum;
}

HeardAnswers answers_at(const Json& json) {
  HeardAnswers answers{sum_at(json), json.at("entropy").get<double>(), count_at(json, "clips"),
                       list_at(json, "genders")};
  if (answers.sum.minCoeff() < 0 || !std::isfinite(answers.entropy) ||
      (answers.genders.array() > 0).any())
    fail("'answers': expected probabilities");
  return answers;
}

/// Share of the mean of the clips heard that is taken away.
double believed(double clips, double trust, const ListeningOptions& options) {
  return options.enabled && clips > 0 ? trust * clips / (clips + options.strength) : 0;
}

void add_to(Eigen::VectorXd& sum, const Eigen::VectorXd& more, std::string_view what) {
  if (sum.size() == 0) sum = Eigen::VectorXd::Zero(more.size());
  if (sum.size() != more.size())
    fail("voice: expected {} of {}, found {}", sum.size(), what, more.size());
  sum += more;
}

}  // namespace

void ListeningOptions::visit(FieldVisitor& v) {
  v.field("enabled", enabled, "Read features relative to what was heard of the voice before");
  v.field("strength", strength, "Of n clips heard, n / (n + strength) of their mean is believed",
          Range{0, 1e6});
  v.field("diversity_low", diversity_low,
          "Nats by which the emotions heard differ up to which nothing of it counts",
          Range{0, 100});
  v.field("diversity_high", diversity_high, "Nats from which all of it counts", Range{0, 100});
  v.field("blind_share", blind_share,
          "Share of the answer that stays a stranger's, unless the voice was enrolled",
          Range{0, 1});
  v.field("heard_temperature", heard_temperature,
          "Temperature of a voice wholly believed, relative to a stranger's", Range{0.1, 10});
  v.field("prior_correction", prior_correction,
          "Power to which the mean answer to a voice wholly believed is divided out", Range{0, 1});
}

void ListeningOptions::validate() const {
  check_ranges(*this);
  if (!(diversity_high > diversity_low))
    fail("listening: expected diversity_low < diversity_high, found {} and {}", diversity_low,
         diversity_high);
}

void HeardFeatures::add(const Eigen::Ref<const Eigen::MatrixXf>& clip) {
  // In blocks: what is summed is in memory as double.
  constexpr Eigen::Index kBlock = 4096;
  const auto block_sum = [&](Eigen::Index begin) -> Eigen::VectorXd {
    const Eigen::Index size = std::min(kBlock, clip.cols() - begin);
    return clip.middleCols(begin, size).cast<double>().rowwise().sum();
  };
  Eigen::VectorXd total = block_sum(0);
  for (Eigen::Index begin = kBlock; begin < clip.cols(); begin += kBlock) total += block_sum(begin);
  add({total, static_cast<double>(clip.cols()), 1});
}

void HeardFeatures::add(const HeardFeatures& other) {
  if (other.clips == 0) return;
  add_to(sum, other.sum, "features");
  frames += other.frames;
  clips += other.clips;
}

void HeardAnswers::add(const Eigen::VectorXd& emotions, const Eigen::VectorXd& gender) {
  add({emotions, ser::entropy(emotions), 1, logs(gender)});
}

void HeardAnswers::add(const HeardAnswers& other) {
  add_to(sum, other.sum, "emotions");
  add_to(genders, other.genders, "genders");
  entropy += other.entropy;
  clips += other.clips;
}

double diversity(const HeardAnswers& answers) {
  const double n = answers.clips;
  if (n < 2) return 0;
  return (entropy(answers.sum / n) - answers.entropy / n) * n / (n - 1);
}

double trust(const HeardAnswers& answers, const ListeningOptions& options, Hearing hearing) {
  const double found = diversity(answers);
  const double bonus = hearing == Hearing::kEnrolled ? std::min(kEnrolledBonus, found) : 0;
  return std::clamp(
      (found + bonus - options.diversity_low) / (options.diversity_high - options.diversity_low),
      0.0, 1.0);
}

double temperature_of_heard(double clips, double trust, const ListeningOptions& options) {
  return 1 - believed(clips, trust, options) * (1 - options.heard_temperature);
}

double prior_power(double clips, double trust, const ListeningOptions& options) {
  return options.prior_correction * believed(clips, trust, options);
}

Eigen::VectorXd correct_prior(const Eigen::VectorXd& emotions, const HeardAnswers& heard,
                              double power) {
  const double least = 0.5 / static_cast<double>(emotions.size());
  const Eigen::VectorXd mean = (heard.sum / heard.clips).cwiseMax(least);
  return softmax(logs(emotions) - power * logs(mean));
}

Eigen::VectorXd pool_genders(const Eigen::VectorXd& stranger, const HeardAnswers& heard) {
  if (heard.clips == 0 || stranger.size() == 0) return stranger;
  Eigen::VectorXd sum = heard.genders;
  add_to(sum, logs(stranger), "genders");
  return softmax(sum / (heard.clips + 1));
}

Eigen::VectorXd mix_answers(const Eigen::VectorXd& stranger, const Eigen::VectorXd& adapted,
                            double share) {
  return softmax(share * logs(stranger) + (1 - share) * logs(adapted));
}

Eigen::VectorXf voice_offset(const HeardFeatures& heard, double trust, const Scaler& scaler,
                             const ListeningOptions& options) {
  const double share = believed(heard.clips, trust, options);
  if (share == 0) return {};
  return (share * scaler.standardise(heard.sum / heard.frames)).cast<float>();
}

void Voice::add(const RecordingFeatures& features, const Eigen::VectorXd& emotions,
                const Eigen::VectorXd& genders, double duration_s) {
  answers_.add(emotions, genders);
  duration_s_ += duration_s;
  for (const auto& [fingerprint, clip] : features) heard_[fingerprint].add(clip);
}

const HeardFeatures& Voice::in(const std::string& fingerprint) const {
  static const HeardFeatures kNothing;
  const auto found = heard_.find(fingerprint);
  return found == heard_.end() ? kNothing : found->second;
}

std::vector<std::string> Voice::fingerprints() const {
  std::vector<std::string> sets;
  for (const auto& [fingerprint, heard] : heard_) sets.push_back(fingerprint);
  return sets;
}

std::string Voice::to_json(std::string_view model) const {
  Json json = {{"format", kVoiceFormat},
               {"model", model},
               {"enrolled", hearing_ == Hearing::kEnrolled},
               {"duration_s", duration_s_},
               {"answers",
                {{"clips", answers_.clips},
                 {"entropy", answers_.entropy},
                 {"sum", to_list(answers_.sum)},
                 {"genders", to_list(answers_.genders)}}},
               {"features", Json::object()}};
  for (const auto& [fingerprint, heard] : heard_)
    json["features"][fingerprint] = {
        {"clips", heard.clips}, {"frames", heard.frames}, {"sum", to_list(heard.sum)}};
  return dump_text(json) + "\n";
}

Voice Voice::from_json(std::string_view text, std::string_view model) {
  const Json json = parse_json(text, "voice");
  if (!json.is_object() || !json.contains("format") || json["format"] != kVoiceFormat)
    fail("expected a voice file (\"format\": \"ser-voice\")");
  if (!json.contains("model"))
    fail("expected a voice that says which model heard it, found one of before: make it anew");
  if (json["model"] != model)
    fail("expected a voice that this model heard, found one that another model did: make it anew");
  return with_context("voice", [&] {
    try {
      Voice voice;
      voice.answers_ = answers_at(json.at("answers"));
      voice.duration_s_ = json.at("duration_s").get<double>();
      if (!(voice.duration_s_ >= 0 && voice.duration_s_ < kMaxCount))
        fail("'duration_s': expected seconds");
      if (json.at("enrolled").get<bool>()) voice.set_enrolled();
      for (const auto& [fingerprint, heard] : json.at("features").items())
        voice.heard_[fingerprint] = {sum_at(heard), count_at(heard, "frames"),
                                     count_at(heard, "clips")};
      return voice;
    } catch (const Json::exception&) {
      fail(
          "expected 'enrolled', 'duration_s', 'answers', and 'features' with 'clips', "
          "'frames' and 'sum' each");
    }
  });
}

}  // namespace ser
