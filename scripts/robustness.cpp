// How models hold up when recordings get worse: see scripts/robustness, which trains them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/command.h"
#include "common/extraction.h"
#include "common/progress.h"
#include "degradations.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/augment.h"
#include "ser/audio/level.h"
#include "ser/audio/resample.h"
#include "ser/core/atomic_file.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/corpus/split.h"
#include "ser/eval/evaluate.h"
#include "ser/eval/metrics.h"
#include "ser/model/model.h"

namespace {

using namespace ser;

constexpr const char* kExamples =
    "  ser-robustness data/ravdess --models build/mlp-{fold}.json --cv speakers:5\n";
constexpr int kVoicesOfBabble = 6;
constexpr std::string_view kFoldPlace = "{fold}";

struct Options {
  std::vector<std::string> inputs;
  std::vector<std::string> models;
  std::string cv = "speakers:5";
  std::string json;

  void visit(FieldVisitor& v) {
    v.field("models", models, "Model files, one a fold: build/mlp-{fold}.json,...");
    v.field("cv", cv, "How the models' folds were made");
    v.field("json", json, "File to write the figures to");
  }
};

/// One clip and all that making it worse needs.
struct Clip {
  const std::vector<Recording>& recordings;
  std::size_t index = 0;
  Waveform wave;
  std::uint64_t seed = 0;
  std::optional<Eigen::VectorXd> babble = std::nullopt;  ///< made once for all levels

  const Utterance& utterance() const { return recordings[index].utterance; }
  Rng rng(const std::string& purpose) const {
    return Rng(seed, fnv1a(utterance().path + '\n' + purpose));
  }
};

/// Clips of other speakers, each as loud as the others, beginning anywhere and going round.
Eigen::VectorXd make_babble(const Clip& clip) {
  std::vector<const Recording*> others;
  for (const Recording& other : clip.recordings)
    if (other.utterance.speaker != clip.utterance().speaker) others.push_back(&other);
  if (others.empty()) throw Error("babble: expected clips of more than one speaker");
  Rng rng = clip.rng("babble");
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(clip.wave.samples.size());
  for (int voice = 0; voice < kVoicesOfBabble; ++voice) {
    const Waveform said = scale_to(
        resample(read_audio(others[rng.below(others.size())]->file), clip.wave.sample_rate_hz), 1);
    const auto size = static_cast<std::uint64_t>(said.samples.size());
    const std::uint64_t offset = rng.below(size);
    for (Eigen::Index i = 0; i < sum.size(); ++i)
      sum[i] +=
          said.samples[static_cast<Eigen::Index>((static_cast<std::uint64_t>(i) + offset) % size)];
  }
  return sum / std::sqrt(sum.squaredNorm() / static_cast<double>(sum.size()));
}

Degraded with_babble(Clip& clip, double snr_db) {
  if (!clip.babble) clip.babble = make_babble(clip);
  const double rms = active_rms(clip.wave) * std::pow(10, -snr_db / 20);
  return {{(clip.wave.samples.cast<double>() + rms * *clip.babble).cast<float>(),
           clip.wave.sample_rate_hz},
          0};
}

Degraded augmented(const Clip& clip, AugmentationStep::Kind kind, double amount) {
  const Augmentation augmentation{{kind, amount}};
  Rng rng = clip.rng(augmentation_name(augmentation));
  return {augment(clip.wave, augmentation, rng), 0};
}

struct Condition {
  const char* name;
  std::function<Degraded(Clip&)> apply;
  double same_emotions = 0;  ///< share of clips that have to keep their label; 0: none has to
  double same_genders = 0;
};

std::vector<Condition> conditions() {
  using Kind = AugmentationStep::Kind;
  const auto copy = [](Kind kind, double amount) {
    return [=](Clip& clip) { return augmented(clip, kind, amount); };
  };
  const auto babble = [](double db) { return [db](Clip& clip) { return with_babble(clip, db); }; };
  const auto rate = [](int hz) {
    return [hz](Clip& clip) { return Degraded{resample(clip.wave, hz), 0}; };
  };
  const auto changed = [](auto change) {
    return [change](Clip& clip) { return Degraded{change(clip), 0}; };
  };
  const auto offset = [&](double percent) {
    return changed([percent](Clip& clip) { return with_offset(clip.wave, percent); });
  };
  const auto hum = [&](double hz, int harmonics, double dbfs) {
    return changed([=](Clip& clip) { return with_hum(clip.wave, hz, harmonics, dbfs); });
  };
  const auto over = [&](double db) {
    return changed([db](Clip& clip) { return clipped(clip.wave, db); });
  };
  const auto dropped = changed([](Clip& clip) {
    Rng rng = clip.rng("dropped packets");
    return with_dropped_packets(clip.wave, rng);
  });
  const auto codec = [](Codec kind) {
    return [kind](Clip& clip) { return coded(clip.wave, kind); };
  };
  constexpr double kFewEmotions = 0.98, kFewGenders = 0.995;
  return {{"clean", changed([](Clip& clip) { return clip.wave; })},
          {"white noise, 20 dB SNR", copy(Kind::kNoise, 20)},
          {"white noise, 10 dB SNR", copy(Kind::kNoise, 10)},
          {"white noise, 0 dB SNR", copy(Kind::kNoise, 0)},
          {"babble, 20 dB SNR", babble(20)},
          {"babble, 10 dB SNR", babble(10)},
          {"babble, 0 dB SNR", babble(0)},
          {"gain +20 dB", copy(Kind::kGain, 20), 1, 1},
          {"gain -20 dB", copy(Kind::kGain, -20), 1, 1},
          {"8 kHz", rate(8000)},
          {"16 kHz", rate(16000), 0.99},
          {"offset 0.2 %", offset(0.2), kFewEmotions, kFewGenders},
          {"offset 5 %", offset(5), kFewEmotions, kFewGenders},
          {"hum 50 Hz, -53 dBFS", hum(50, 5, -53), kFewEmotions, kFewGenders},
          {"hum 50 Hz, -40 dBFS", hum(50, 5, -40), kFewEmotions, kFewGenders},
          {"hum 60 Hz, -40 dBFS", hum(60, 5, -40), kFewEmotions, kFewGenders},
          {"rumble 20 Hz, -30 dBFS", hum(20, 1, -30), kFewEmotions, kFewGenders},
          {"clipping 6 dB", over(6)},
          {"clipping 12 dB", over(12)},
          {"reverberation 0.3 s", copy(Kind::kReverb, 0.3)},
          {"reverberation 0.8 s", copy(Kind::kReverb, 0.8)},
          {"10 ms lost in 200", dropped},
          {"telephone, mu-law", codec(Codec::kTelephone)},
          {"telephone, GSM", codec(Codec::kGsm)},
          {"MP3", codec(Codec::kMp3)},
          {"Ogg Vorbis", codec(Codec::kVorbis)},
          {"Ogg Opus", codec(Codec::kOpus)}};
}

/// The models of one template, by fold.
std::vector<Predictor> read_models(const std::string& pattern, const std::vector<Utterance>& clips,
                                   const std::vector<Fold>& folds, const SplitScheme& scheme,
                                   std::uint64_t seed) {
  std::vector<Predictor> models;
  for (std::size_t fold = 0; fold < folds.size(); ++fold) {
    std::string file = pattern;
    file.replace(file.find(kFoldPlace), kFoldPlace.size(), std::to_string(fold));
    models.emplace_back(read_model(file));
    const std::string why = not_left_out(models.back().model(), clips, folds[fold], scheme,
                                         static_cast<int>(fold), seed);
    if (!why.empty()) throw Error(fmt::format("{}: {}", file, why));
  }
  return models;
}

std::vector<double> to_vector(const Eigen::VectorXd& values) {
  return {values.data(), values.data() + values.size()};
}

/// What was said of every clip in every condition by one template's models, and the rate of
/// compressed files.
struct Said {
  std::vector<std::vector<std::vector<Prediction>>> by_model;  ///< [model][condition][clip]
  std::vector<std::vector<double>> kbit_per_s;                 ///< [condition][clip]
};

Said listen(const std::vector<Recording>& recordings, const std::vector<int>& fold_of,
            const std::vector<std::vector<Predictor>>& models, const std::vector<Condition>& all,
            const CommonOptions& common) {
  const std::size_t clips = recordings.size();
  Said said{{models.size(), {all.size(), std::vector<Prediction>(clips)}},
            {all.size(), std::vector<double>(clips)}};
  Progress progress("listening", "clips", clips, common.quiet);
  parallel_for(clips, common.threads, [&](std::size_t i) {
    Clip clip{recordings, i, read_audio(recordings[i].file),
              static_cast<std::uint64_t>(common.seed)};
    const Utterance& truth = clip.utterance();
    for (std::size_t c = 0; c < all.size(); ++c) {
      const Degraded degraded = all[c].apply(clip);
      said.kbit_per_s[c][i] = degraded.kbit_per_s;
      for (std::size_t m = 0; m < models.size(); ++m) {
        const ClipPrediction p =
            models[m][static_cast<std::size_t>(fold_of[i])].predict(degraded.wave);
        said.by_model[m][c][i] = {truth.path,   truth.speaker,         truth.emotion,
                                  truth.gender, to_vector(p.emotions), to_vector(p.genders)};
      }
    }
    progress.advance(1);
  });
  return said;
}

/// Share of the clips with the same label; NaN where the models have no such head.
double same_label(const std::vector<Prediction>& a, const std::vector<Prediction>& b,
                  std::vector<double> Prediction::*probabilities) {
  if ((a[0].*probabilities).empty()) return std::numeric_limits<double>::quiet_NaN();
  std::size_t same = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    same += most_likely(a[i].*probabilities) == most_likely(b[i].*probabilities);
  return static_cast<double>(same) / static_cast<double>(a.size());
}

/// "; 98 % and 99.5 % required: missed", or nothing.
std::string verdict(const Condition& condition, double emotions, double genders) {
  if (condition.same_emotions == 0) return "";
  const bool genders_met = std::isnan(genders) || genders >= condition.same_genders;
  const bool met = emotions >= condition.same_emotions && genders_met;
  return fmt::format(
      "  {:g} %{} required: {}", 100 * condition.same_emotions,
      condition.same_genders > 0 ? fmt::format(" and {:g} %", 100 * condition.same_genders) : "",
      met ? "met" : "missed");
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Prints one model's table; returns it as JSON.
nlohmann::ordered_json report(const std::string& name, const Said& said, std::size_t model,
                              const std::vector<std::string>& labels,
                              const std::vector<Condition>& all) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  fmt::print("{}: {} clips\n\n{:<26}{:>8}{:>10}{:>9}{:>16}{:>13}\n", name,
             said.kbit_per_s[0].size(), "condition", "UAR", "accuracy", "gender", "same emotion",
             "same gender");
  for (std::size_t c = 0; c < all.size(); ++c) {
    const std::vector<Prediction>& clean = said.by_model[model][0];
    const std::vector<Prediction>& predictions = said.by_model[model][c];
    const Scores scores = score(labels, predictions);
    const double emotions = same_label(clean, predictions, &Prediction::probabilities);
    const double genders = same_label(clean, predictions, &Prediction::gender_probabilities);
    const double kbit = mean(said.kbit_per_s[c]);
    fmt::print("{:<26}{:>6.1f} %{:>8.1f} %{:>7.1f} %{:>14.1f} %{:>11.1f} %{}\n",
               all[c].name + (kbit > 0 ? fmt::format(", {:.0f} kbit/s", kbit) : ""),
               100 * scores.uar, 100 * scores.accuracy, 100 * scores.gender_accuracy,
               100 * emotions, 100 * genders, verdict(all[c], emotions, genders));
    nlohmann::ordered_json row = {
        {"condition", all[c].name},    {"uar", scores.uar},
        {"accuracy", scores.accuracy}, {"gender_accuracy", scores.gender_accuracy},
        {"same_label", emotions},      {"same_gender", genders}};
    if (kbit > 0) row["kbit_per_s"] = kbit;
    rows.push_back(row);
  }
  fmt::print("\n");
  return {{"models", name}, {"conditions", rows}};
}

int run(const Options& options, const CommonOptions& common) {
  if (options.models.empty()) throw UsageError("expected --models TEMPLATE");
  for (const std::string& pattern : options.models)
    if (pattern.find(kFoldPlace) == std::string::npos)
      throw UsageError(fmt::format("--models: expected {} in '{}'", kFoldPlace, pattern));
  const SplitScheme scheme = from_flag("--cv", [&] { return parse_split_scheme(options.cv); });
  const auto seed = static_cast<std::uint64_t>(common.seed);
  if (options.inputs.size() != 1) throw UsageError("expected one INPUT");
  const std::vector<Recording> recordings = find_recordings(options.inputs, CorpusOptions{});
  std::vector<Utterance> clips;
  for (const Recording& recording : recordings) clips.push_back(recording.utterance);
  const std::vector<Fold> folds = make_folds(clips, scheme, seed);
  std::vector<int> fold_of(clips.size(), -1);
  for (std::size_t k = 0; k < folds.size(); ++k)
    for (const int clip : folds[k].test)
      fold_of[static_cast<std::size_t>(clip)] = static_cast<int>(k);
  if (std::count(fold_of.begin(), fold_of.end(), -1) > 0)
    throw Error(fmt::format("{}: expected a scheme that tests every clip", options.cv));

  std::vector<std::vector<Predictor>> models;
  for (const std::string& pattern : options.models)
    models.push_back(read_models(pattern, clips, folds, scheme, seed));
  const std::vector<Condition> all = conditions();
  const Said said = listen(recordings, fold_of, models, all, common);
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (std::size_t m = 0; m < models.size(); ++m)
    results.push_back(report(options.models[m], said, m, models[m][0].model().emotions, all));
  if (!options.json.empty())
    write_file(options.json, nlohmann::ordered_json{{"split", scheme.name()},
                                                    {"seed", common.seed},
                                                    {"clips", clips.size()},
                                                    {"results", results}}
                                     .dump(2) +
                                 "\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  Command command("ser-robustness", "Scores models on recordings made worse, fold by fold.",
                  kExamples);
  command.positional("INPUT", options.inputs, "Corpus folder");
  command.flags().add(options, "Robustness");
  return command.run(argc, argv, [&] { return run(options, command.common()); });
}
