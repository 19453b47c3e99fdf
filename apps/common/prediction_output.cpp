#include "prediction_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "command.h"
#include "ser/core/csv.h"
#include "ser/core/most_likely.h"
#include "standard_output.h"

namespace ser {
namespace {

constexpr int kShareWidth = 20;

nlohmann::ordered_json by_name(const std::vector<std::string>& names,
                               const Eigen::VectorXd& probabilities,
                               const std::vector<std::size_t>& order) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const std::size_t i : order) json[names[i]] = probabilities(i);
  return json;
}

/// The most likely class; nothing where nobody speaks or the model does not tell it.
std::optional<std::string> class_told(bool speech, const std::vector<std::string>& names,
                                      const Eigen::VectorXd& probabilities) {
  if (!speech || probabilities.size() == 0) return std::nullopt;
  return names[most_likely(probabilities)];
}

nlohmann::ordered_json or_null(const std::optional<std::string>& name) {
  return name ? nlohmann::ordered_json(*name) : nlohmann::ordered_json(nullptr);
}

/// Unranked order 0, 1, ...
std::vector<std::size_t> natural(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

}  // namespace

std::vector<std::size_t> ranking(const Eigen::VectorXd& probabilities, int count) {
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return probabilities(a) > probabilities(b);
  });
  if (count > 0) order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
  return order;
}

std::string_view to_string(Sound sound) {
  if (sound == Sound::kSilence) return "silence";
  return sound == Sound::kSpeech ? "speech" : "other";
}

std::string headline(const Model& model, const PredictedClip& clip) {
  if (!clip.speech) return "no speech";
  const ClipPrediction& p = clip.prediction;
  return fmt::format("{}{}{}", model.emotions[most_likely(p.emotions)],
                     is_uncertain(model, p) ? " (uncertain)" : "",
                     p.genders.size() == 0 ? ""
                                           : fmt::format(", {} voice ({:.0f} %)",
                                                         model.genders[most_likely(p.genders)],
                                                         100 * p.genders.maxCoeff()));
}

std::string heard_of_voice(const PredictedClip& clip) {
  return clip.heard_s > 0 ? fmt::format(", {:.1f} s of the voice heard", clip.heard_s) : "";
}

void OutputOptions::visit(FieldVisitor& v) {
  v.field("json", json, "One JSON object a line");
  v.field("csv", csv, "CSV with a header");
  v.field("top_k", top_k, "Show the most likely classes only (default: all)", Range{1, 1000});
}

void check_output(const OutputOptions& options) {
  if (options.json && options.csv) throw UsageError("--json and --csv: expected one of them");
  if (options.csv && options.top_k != kUnsetInt)
    throw UsageError("--top-k: --csv has a column a class, it has no place");
}

PredictionPrinter::PredictionPrinter(const OutputOptions& options, const Model& model)
    : options_(options), model_(model) {
  check_output(options);
}

void PredictionPrinter::print(const PredictedClip& clip) {
  if (options_.json) return print_json(clip);
  if (options_.csv) return print_csv(clip);
  print_table(clip);
}

void PredictionPrinter::print_table(const PredictedClip& clip) {
  const ClipPrediction& p = clip.prediction;
  if (started_) fmt::print("\n");
  started_ = true;
  fmt::print("{}\n  {}{}{}\n", clip.file, headline(model_, clip),
             clip.windows > 0 ? fmt::format(", mean of {} windows", clip.windows) : "",
             heard_of_voice(clip));
  if (!clip.speech) return;
  for (const std::size_t i : ranking(p.emotions, options_.top_k)) {
    const double share = p.emotions(i);
    const auto filled = static_cast<int>(std::lround(share * kShareWidth));
    fmt::print("    {:<10} {:>5.1f} %{}{:#<{}}\n", model_.emotions[i], 100 * share,
               filled > 0 ? "  " : "", "", filled);
  }
}

void PredictionPrinter::print_json(const PredictedClip& clip) const {
  const ClipPrediction& p = clip.prediction;
  nlohmann::ordered_json json = {
      {"file", clip.file},
      {"emotion", or_null(class_told(clip.speech, model_.emotions, p.emotions))},
      {"gender", or_null(class_told(clip.speech, model_.genders, p.genders))}};
  const auto order =
      options_.top_k > 0 ? ranking(p.emotions, options_.top_k) : natural(model_.emotions.size());
  json["probabilities"] = by_name(model_.emotions, p.emotions, order);
  json["gender_probabilities"] = by_name(model_.genders, p.genders, natural(model_.genders.size()));
  json["speech"] = clip.speech;
  json["uncertain"] = is_uncertain(model_, p);
  if (clip.windows > 0) json["windows"] = clip.windows;
  if (clip.heard_s > 0) json["heard_s"] = clip.heard_s;
  if (clip.span) {
    json["start"] = clip.span->start_s;
    json["end"] = clip.span->end_s;
  }
  if (clip.sound == Sound::kSilence) json["silence"] = true;
  fmt::print("{}\n", json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  flush_stdout();
}

void PredictionPrinter::print_csv(const PredictedClip& clip) {
  const ClipPrediction& p = clip.prediction;
  if (!started_) {
    fmt::print("file,emotion,gender,speech,uncertain");
    for (const std::string& name : model_.emotions) fmt::print(",{}", csv_cell(name));
    for (const std::string& name : model_.genders) fmt::print(",{}", csv_cell(name));
    fmt::print("{}{}\n", clip.span ? ",start,end" : "", clip.sound ? ",sound" : "");
    started_ = true;
  }
  fmt::print("{},{},{},{},{}", csv_cell(clip.file),
             csv_cell(class_told(clip.speech, model_.emotions, p.emotions).value_or("")),
             csv_cell(class_told(clip.speech, model_.genders, p.genders).value_or("")), clip.speech,
             is_uncertain(model_, p));
  for (const double share : p.emotions) fmt::print(",{:.6f}", share);
  for (const double share : p.genders) fmt::print(",{:.6f}", share);
  if (clip.span) fmt::print(",{:.3f},{:.3f}", clip.span->start_s, clip.span->end_s);
  if (clip.sound) fmt::print(",{}", to_string(*clip.sound));
  fmt::print("\n");
  flush_stdout();
}

}  // namespace ser
