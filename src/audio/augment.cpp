#include "ser/audio/augment.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>

#include "audio/babble.h"
#include "audio/room.h"
#include "audio/soxr_resample.h"
#include "ser/audio/level.h"
#include "ser/audio/resample.h"
#include "ser/core/error.h"
#include "ser/core/text.h"

namespace ser {
namespace {

using Kind = AugmentationStep::Kind;

Waveform change_speed(const Waveform& wave, double factor, Rng&) {
  const Eigen::Index size = std::lround(static_cast<double>(wave.samples.size()) / factor);
  return {soxr_resample(wave.samples, factor, 1, size), wave.sample_rate_hz};
}

Waveform change_gain(const Waveform& wave, double gain_db, Rng&) {
  return {wave.samples * static_cast<float>(std::pow(10, gain_db / 20)), wave.sample_rate_hz};
}

/// The sum of the wave and `noise`, which is scaled to be `snr_db` below the voice. The noise
/// itself, not its expectation, has the level asked for.
Waveform mix(const Waveform& wave, const Eigen::VectorXd& noise, double snr_db) {
  const double noise_rms = std::sqrt(noise.squaredNorm() / static_cast<double>(noise.size()));
  if (!(noise_rms > 0)) return wave;
  const double scale = active_rms(wave) * std::pow(10, -snr_db / 20) / noise_rms;
  return {(wave.samples.cast<double>() + scale * noise).cast<float>(), wave.sample_rate_hz};
}

Waveform add_noise(const Waveform& wave, double snr_db, Rng& rng) {
  Eigen::VectorXd noise(wave.samples.size());
  for (double& sample : noise) sample = rng.normal();
  return mix(wave, noise, snr_db);
}

Waveform add_babble(const Waveform& wave, double snr_db, Rng& rng) {
  return mix(wave, make_babble(wave.samples.size(), wave.sample_rate_hz, rng), snr_db);
}

Waveform limit_band(const Waveform& wave, double limit_hz, Rng&) {
  const int low_rate_hz = static_cast<int>(std::lround(2 * limit_hz));
  if (low_rate_hz >= wave.sample_rate_hz) return wave;
  Eigen::VectorXf limited = resample(resample(wave, low_rate_hz), wave.sample_rate_hz).samples;
  limited.conservativeResizeLike(Eigen::VectorXf::Zero(wave.samples.size()));
  return {limited, wave.sample_rate_hz};
}

struct KindRow {
  Kind kind;
  std::string_view name;
  double lowest;
  double highest;
  Waveform (*apply)(const Waveform& wave, double amount, Rng& rng);
};

constexpr std::array kKinds = {
    KindRow{Kind::kSpeed, "speed", 0.5, 2, change_speed},
    KindRow{Kind::kGain, "gain", -60, 60, change_gain},
    KindRow{Kind::kNoise, "noise", -20, 100, add_noise},
    KindRow{Kind::kBabble, "babble", -20, 100, add_babble},
    KindRow{Kind::kBand, "band", 500, 100000, limit_band},
    KindRow{Kind::kReverb, "reverb", 0.05, 5, reverberated},
};

const KindRow& row_of(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Kind parse_kind(std::string_view name) {
  std::vector<std::string> names;
  for (const KindRow& row : kKinds) {
    if (row.name == name) return row.kind;
    names.emplace_back(row.name);
  }
  throw Error(fmt::format("augmentation: expected one of {}, found '{}'{}", join(names, ", "), name,
                          did_you_mean(name, names)));
}

double parse_amount(std::string_view text, const KindRow& row) {
  const double amount = parse_double(text, fmt::format("augmentation {}", row.name));
  if (amount < row.lowest || amount > row.highest)
    throw Error(fmt::format("augmentation {}: expected {} to {}, found {}", row.name, row.lowest,
                            row.highest, amount));
  return amount;
}

}  // namespace

std::vector<Augmentation> parse_augmentations(std::string_view list) {
  std::vector<Augmentation> augmentations;
  std::optional<Kind> kind;  // of the step before
  for (const std::string& copy : split(list, ',')) {
    Augmentation& steps = augmentations.emplace_back();
    if (trim(copy).empty()) throw Error("augmentation: expected KIND:AMOUNT, found nothing");
    for (const std::string& part : split(copy, '+')) {
      const std::string_view item = trim(part);
      const std::size_t colon = item.find(':');
      if (colon != std::string_view::npos) kind = parse_kind(item.substr(0, colon));
      if (!kind)
        throw Error(
            fmt::format("augmentation: expected KIND:AMOUNT such as speed:0.9, found '{}'", item));
      const std::string_view amount = item.substr(colon == std::string_view::npos ? 0 : colon + 1);
      steps.push_back({*kind, parse_amount(amount, row_of(*kind))});
    }
  }
  return augmentations;
}

std::string augmentation_name(const Augmentation& augmentation) {
  std::vector<std::string> names;
  for (const AugmentationStep& step : augmentation)
    names.push_back(fmt::format("{}:{}", row_of(step.kind).name, step.amount));
  return join(names, "+");
}

Waveform augment(const Waveform& wave, const Augmentation& augmentation, Rng& rng) {
  Waveform changed = wave;
  for (const AugmentationStep& step : augmentation)
    changed = row_of(step.kind).apply(changed, step.amount, rng);
  return changed;
}

}  // namespace ser
