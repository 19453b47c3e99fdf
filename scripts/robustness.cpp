// How models hold up when recordings get worse: see scripts/robustness, which trains them.
#include <fmt/format.h>
#include <sndfile.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "common/command.h"
#include "common/extraction.h"
#include "common/progress.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/augment.h"
#include "ser/audio/level.h"
#include "ser/audio/resample.h"
#include "ser/core/atomic_file.h"
#include "ser/core/hash.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "ser/corpus/split.h"
#include "ser/eval/metrics.h"
#include "ser/model/model.h"

namespace {

using namespace ser;

constexpr const char* kExamples =
    "  ser-robustness data/ravdess --models build/mlp-{fold}.json --cv speakers:5\n";
constexpr int kVoicesOfBabble = 6;
constexpr double kBitsPerKilobit = 1000;
constexpr std::string_view kFoldPlace = "{fold}";

struct Options {
  std::string input;
  std::vector<std::string> models;
  std::string cv = "speakers:5";
  std::string json;

  void visit(FieldVisitor& v) {
    v.field("models", models, "Model files, one a fold: build/mlp-{fold}.json,...");
    v.field("cv", cv, "How the models' folds were made");
    v.field("json", json, "File to write the figures to");
  }
};

/// Encoded sound that libsndfile writes to and reads from memory.
struct MemoryFile {
  std::string bytes;
  sf_count_t at = 0;
};

SF_VIRTUAL_IO memory_io() {
  SF_VIRTUAL_IO io = {};
  io.get_filelen = [](void* user) {
    return static_cast<sf_count_t>(static_cast<MemoryFile*>(user)->bytes.size());
  };
  io.seek = [](sf_count_t offset, int whence, void* user) {
    auto& file = *static_cast<MemoryFile*>(user);
    const auto size = static_cast<sf_count_t>(file.bytes.size());
    file.at = offset + (whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.at : size);
    return file.at;
  };
  io.read = [](void* to, sf_count_t count, void* user) {
    auto& file = *static_cast<MemoryFile*>(user);
    const auto left = static_cast<sf_count_t>(file.bytes.size()) - file.at;
    const sf_count_t got = std::clamp<sf_count_t>(left, 0, count);
    std::memcpy(to, file.bytes.data() + file.at, static_cast<std::size_t>(got));
    file.at += got;
    return got;
  };
  io.write = [](const void* from, sf_count_t count, void* user) {
    auto& file = *static_cast<MemoryFile*>(user);
    const auto end = static_cast<std::size_t>(file.at + count);
    if (file.bytes.size() < end) file.bytes.resize(end);
    std::memcpy(file.bytes.data() + file.at, from, static_cast<std::size_t>(count));
    file.at += count;
    return count;
  };
  io.tell = [](void* user) { return static_cast<MemoryFile*>(user)->at; };
  return io;
}

/// The recording as a compressed file. level: libsndfile's, 0 (large) to 1 (small).
std::string encode(const Waveform& wave, int format, int bitrate_mode, double level) {
  MemoryFile memory;
  SF_VIRTUAL_IO io = memory_io();
  SF_INFO info = {};
  info.samplerate = wave.sample_rate_hz;
  info.channels = 1;
  info.format = format;
  SNDFILE* file = sf_open_virtual(&io, SFM_WRITE, &info, &memory);
  if (!file) throw Error(fmt::format("libsndfile cannot encode: {}", sf_strerror(nullptr)));
  sf_command(file, SFC_SET_BITRATE_MODE, &bitrate_mode, sizeof bitrate_mode);
  sf_command(file, SFC_SET_COMPRESSION_LEVEL, &level, sizeof level);
  const sf_count_t written = sf_writef_float(file, wave.samples.data(), wave.samples.size());
  if (sf_close(file) != 0 || written != wave.samples.size())
    throw Error("libsndfile cannot encode: writing failed");
  return memory.bytes;
}

/// A recording made worse; kbit_per_s where it was compressed.
struct Degraded {
  Waveform wave;
  double kbit_per_s = 0;
};

Degraded compressed(const Waveform& wave, int format, int bitrate_mode, double level) {
  const std::string bytes = encode(wave, format, bitrate_mode, level);
  return {read_audio(std::as_bytes(std::span(bytes)), "compressed"),
          8 * static_cast<double>(bytes.size()) / wave.duration_s() / kBitsPerKilobit};
}

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
  double required;  ///< share of clips that keep their label; 0: none is required
  std::function<Degraded(Clip&)> apply;
};

std::vector<Condition> conditions() {
  using Kind = AugmentationStep::Kind;
  const auto noise = [](double db) {
    return [db](Clip& clip) { return augmented(clip, Kind::kNoise, db); };
  };
  const auto babble = [](double db) { return [db](Clip& clip) { return with_babble(clip, db); }; };
  const auto gain = [](double db) {
    return [db](Clip& clip) { return augmented(clip, Kind::kGain, db); };
  };
  const auto rate = [](int hz) {
    return [hz](Clip& clip) { return Degraded{resample(clip.wave, hz), 0}; };
  };
  // 64 kbit/s at 48 kHz: LAME's constant rates go from 320 (level 0) to 32 (level 1); Vorbis has
  // no constant rate.
  const auto mp3 = [](Clip& clip) {
    return compressed(clip.wave, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III,
                      SF_BITRATE_MODE_CONSTANT, 1 - 32.0 / 288);
  };
  const auto ogg = [](Clip& clip) {
    return compressed(clip.wave, SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_BITRATE_MODE_VARIABLE, 0.7);
  };
  return {{"clean", 0,
           [](Clip& clip) {
             return Degraded{clip.wave, 0};
           }},
          {"white noise, 20 dB SNR", 0, noise(20)},
          {"white noise, 10 dB SNR", 0, noise(10)},
          {"white noise, 0 dB SNR", 0, noise(0)},
          {"babble, 20 dB SNR", 0, babble(20)},
          {"babble, 10 dB SNR", 0, babble(10)},
          {"babble, 0 dB SNR", 0, babble(0)},
          {"gain +20 dB", 1, gain(20)},
          {"gain -20 dB", 1, gain(-20)},
          {"8 kHz", 0, rate(8000)},
          {"16 kHz", 0.99, rate(16000)},
          {"MP3", 0, mp3},
          {"Ogg Vorbis", 0, ogg}};
}

/// The models of one template, by fold.
std::vector<Predictor> read_models(const std::string& pattern, std::size_t folds,
                                   const std::string& scheme) {
  std::vector<Predictor> models;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    std::string file = pattern;
    file.replace(file.find(kFoldPlace), kFoldPlace.size(), std::to_string(fold));
    models.emplace_back(read_model(file));
    const TrainingInfo& training = models.back().model().training;
    if (training.split != scheme || training.fold != static_cast<int>(fold))
      throw Error(fmt::format(
          "{}: expected a model trained without fold {} of {}, found {}", file, fold, scheme,
          training.fold < 0 ? "no fold left out"
                            : fmt::format("fold {} of {}", training.fold, training.split)));
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

double same_label(const std::vector<Prediction>& a, const std::vector<Prediction>& b) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    same += most_likely(a[i].probabilities) == most_likely(b[i].probabilities);
  return static_cast<double>(same) / static_cast<double>(a.size());
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Prints one model's table; returns it as JSON.
nlohmann::ordered_json report(const std::string& name, const Said& said, std::size_t model,
                              const std::vector<std::string>& labels,
                              const std::vector<Condition>& all, std::uint64_t seed) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  fmt::print("{}: {} clips\n\n{:<24}{:>8}{:>10}{:>13}\n", name, said.kbit_per_s[0].size(),
             "condition", "UAR", "accuracy", "same label");
  for (std::size_t c = 0; c < all.size(); ++c) {
    const std::vector<Prediction>& predictions = said.by_model[model][c];
    const Scores scores = score(labels, predictions, seed);
    const double same = same_label(said.by_model[model][0], predictions);
    const double kbit = mean(said.kbit_per_s[c]);
    const std::string required = all[c].required > 0
                                     ? fmt::format("  {:g} % required: {}", 100 * all[c].required,
                                                   same >= all[c].required ? "met" : "missed")
                                     : "";
    fmt::print("{:<24}{:>6.1f} %{:>8.1f} %{:>11.1f} %{}\n",
               all[c].name + (kbit > 0 ? fmt::format(", {:.0f} kbit/s", kbit) : ""),
               100 * scores.uar, 100 * scores.accuracy, 100 * same, required);
    nlohmann::ordered_json row = {{"condition", all[c].name},
                                  {"uar", scores.uar},
                                  {"accuracy", scores.accuracy},
                                  {"same_label", same}};
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
  const std::vector<Recording> recordings = find_recordings({options.input}, "auto", {}, {});
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
    models.push_back(read_models(pattern, folds.size(), scheme.name()));
  const std::vector<Condition> all = conditions();
  const Said said = listen(recordings, fold_of, models, all, common);
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  for (std::size_t m = 0; m < models.size(); ++m)
    results.push_back(report(options.models[m], said, m, models[m][0].model().emotions, all, seed));
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
  command.positional("INPUT", options.input, "Corpus folder", Presence::kRequired);
  command.flags().add(options, "Robustness");
  return command.run(argc, argv, [&] { return run(options, command.common()); });
}
