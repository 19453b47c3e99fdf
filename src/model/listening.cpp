#include "ser/model/listening.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/internal/json_io.h"
#include "ser/core/error.h"

namespace ser {
namespace {

constexpr std::string_view kFormat = "ser-voice";
constexpr std::size_t kMaxRows = 1'000'000;
constexpr double kMaxCount = 1e15;

/// Shannon's, in nats.
double entropy(const Eigen::VectorXd& probabilities) {
  double sum = 0;
  for (const double p : probabilities)
    if (p > 0) sum -= p * std::log(p);
  return sum;
}

std::vector<double> to_list(const Eigen::VectorXd& v) { return {v.begin(), v.end()}; }

double count_at(const Json& json, const char* key) {
  const double count = json.at(key).get<double>();
  if (!(count >= 1 && count < kMaxCount))
    throw Error(fmt::format("'{}': expected a number from 1, found {}", key, count));
  return count;
}

Eigen::VectorXd sum_at(const Json& json) {
  const Json& list = json.at("sum");
  if (!list.is_array() || list.empty() || list.size() > kMaxRows)
    throw Error("'sum': expected a list of numbers");
  Eigen::VectorXd sum(static_cast<Eigen::Index>(list.size()));
  for (std::size_t i = 0; i < list.size(); ++i)
    sum[static_cast<Eigen::Index>(i)] = list[i].get<double>();
  if (!sum.allFinite()) throw Error("'sum': expected finite numbers");
  return sum;
}

void add_to(Eigen::VectorXd& sum, const Eigen::VectorXd& more, std::string_view what) {
  if (sum.size() == 0) sum = Eigen::VectorXd::Zero(more.size());
  if (sum.size() != more.size())
    throw Error(fmt::format("voice: expected {} of {}, found {}", sum.size(), what, more.size()));
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
}

void ListeningOptions::validate() const {
  check_ranges(*this);
  if (!(diversity_high > diversity_low))
    throw Error(fmt::format("listening: expected diversity_low < diversity_high, found {} and {}",
                            diversity_low, diversity_high));
}

void HeardFeatures::add(const Eigen::Ref<const Eigen::MatrixXf>& clip) {
  add({clip.cast<double>().rowwise().sum(), static_cast<double>(clip.cols()), 1});
}

void HeardFeatures::add(const HeardFeatures& other) {
  if (other.clips == 0) return;
  add_to(sum, other.sum, "features");
  frames += other.frames;
  clips += other.clips;
}

void HeardAnswers::add(const Eigen::VectorXd& probabilities) {
  add_to(sum, probabilities, "emotions");
  entropy += ser::entropy(probabilities);
  clips += 1;
}

double diversity(const HeardAnswers& answers) {
  const double n = answers.clips;
  if (n < 2) return 0;
  return (entropy(answers.sum / n) - answers.entropy / n) * n / (n - 1);
}

double trust(const HeardAnswers& answers, const ListeningOptions& options) {
  return std::clamp((diversity(answers) - options.diversity_low) /
                        (options.diversity_high - options.diversity_low),
                    0.0, 1.0);
}

Eigen::VectorXf voice_offset(const HeardFeatures& heard, double trust, const Scaler& scaler,
                             const ListeningOptions& options) {
  if (!options.enabled || heard.clips == 0 || trust == 0) return {};
  const double believed = trust * heard.clips / (heard.clips + options.strength);
  return (believed * scaler.standardise(heard.sum / heard.frames)).cast<float>();
}

void Voice::add(const RecordingFeatures& features, const Eigen::VectorXd& emotions) {
  answers_.add(emotions);
  for (const auto& [fingerprint, clip] : features) heard_[fingerprint].add(clip);
}

const HeardFeatures& Voice::in(const std::string& fingerprint) const {
  static const HeardFeatures kNothing;
  const auto found = heard_.find(fingerprint);
  return found == heard_.end() ? kNothing : found->second;
}

std::string Voice::to_json() const {
  Json json = {
      {"format", kFormat},
      {"answers",
       {{"clips", answers_.clips}, {"entropy", answers_.entropy}, {"sum", to_list(answers_.sum)}}},
      {"features", Json::object()}};
  for (const auto& [fingerprint, heard] : heard_)
    json["features"][fingerprint] = {
        {"clips", heard.clips}, {"frames", heard.frames}, {"sum", to_list(heard.sum)}};
  return json.dump() + "\n";
}

Voice Voice::from_json(std::string_view text) {
  const Json json = parse_json(text, "voice");
  if (!json.is_object() || !json.contains("format") || json["format"] != kFormat)
    throw Error("expected a voice file (\"format\": \"ser-voice\")");
  return with_context("voice", [&] {
    try {
      Voice voice;
      const Json& answers = json.at("answers");
      voice.answers_ = {sum_at(answers), answers.at("entropy").get<double>(),
                        count_at(answers, "clips")};
      if (voice.answers_.sum.minCoeff() < 0 || !std::isfinite(voice.answers_.entropy))
        throw Error("'answers': expected probabilities");
      for (const auto& [fingerprint, heard] : json.at("features").items())
        voice.heard_[fingerprint] = {sum_at(heard), count_at(heard, "frames"),
                                     count_at(heard, "clips")};
      return voice;
    } catch (const Json::exception&) {
      throw Error("expected 'answers', and 'features' with 'clips', 'frames' and 'sum' each");
    }
  });
}

}  // namespace ser
