#include "ser/audio/augment.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "audio/soxr_resample.h"
#include "audio/time_stretch.h"
#include "ser/audio/level.h"
#include "ser/core/error.h"
#include "ser/core/text.h"

namespace ser {
namespace {

Waveform change_speed(const Waveform& wave, double factor, Rng&) {
  const Eigen::Index size = std::lround(static_cast<double>(wave.samples.size()) / factor);
  return {soxr_resample(wave.samples, factor, 1, size), wave.sample_rate_hz};
}

Waveform shift_pitch(const Waveform& wave, double semitones, Rng&) {
  const double ratio = std::exp2(semitones / 12);
  const Waveform longer = time_stretch(wave, ratio);
  return {soxr_resample(longer.samples, ratio, 1, wave.samples.size()), wave.sample_rate_hz};
}

Waveform change_gain(const Waveform& wave, double gain_db, Rng&) {
  return {wave.samples * static_cast<float>(std::pow(10, gain_db / 20)), wave.sample_rate_hz};
}

Waveform add_noise(const Waveform& wave, double snr_db, Rng& rng) {
  Eigen::VectorXd noise(wave.samples.size());
  double energy = 0;
  for (double& sample : noise) {
    sample = rng.normal();
    energy += sample * sample;
  }
  if (!(energy > 0)) return wave;
  // The drawn noise itself, not its expectation, has the level asked for.
  const double noise_rms = std::sqrt(energy / static_cast<double>(noise.size()));
  const double scale = active_rms(wave) * std::pow(10, -snr_db / 20) / noise_rms;
  return {(wave.samples.cast<double>() + scale * noise).cast<float>(), wave.sample_rate_hz};
}

struct KindRow {
  Augmentation::Kind kind;
  std::string_view name;
  double lowest;
  double highest;
  Waveform (*apply)(const Waveform& wave, double amount, Rng& rng);
};

constexpr std::array kKinds = {
    KindRow{Augmentation::Kind::kSpeed, "speed", 0.5, 2, change_speed},
    KindRow{Augmentation::Kind::kPitch, "pitch", -12, 12, shift_pitch},
    KindRow{Augmentation::Kind::kGain, "gain", -60, 60, change_gain},
    KindRow{Augmentation::Kind::kNoise, "noise", -20, 100, add_noise},
};

const KindRow& row_of(Augmentation::Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Augmentation::Kind parse_kind(std::string_view name) {
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
  for (const std::string& part : split(list, ',')) {
    const std::string_view item = trim(part);
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos && augmentations.empty())
      throw Error(
          fmt::format("augmentation: expected KIND:AMOUNT such as speed:0.9, found '{}'", item));
    const Augmentation::Kind kind = colon == std::string_view::npos
                                        ? augmentations.back().kind
                                        : parse_kind(item.substr(0, colon));
    const std::string_view amount = colon == std::string_view::npos ? item : item.substr(colon + 1);
    augmentations.push_back({kind, parse_amount(amount, row_of(kind))});
  }
  return augmentations;
}

std::string augmentation_name(const Augmentation& augmentation) {
  return fmt::format("{}:{}", row_of(augmentation.kind).name, augmentation.amount);
}

Waveform augment(const Waveform& wave, const Augmentation& augmentation, Rng& rng) {
  return row_of(augmentation.kind).apply(wave, augmentation.amount, rng);
}

}  // namespace ser
