#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ser/audio/waveform.h"
#include "ser/core/rng.h"

namespace ser {

/// One change of a recording that leaves its emotion recognisable.
struct Augmentation {
  enum class Kind {
    kSpeed,  ///< played `amount` times as fast: tempo and pitch together
    kPitch,  ///< higher by `amount` semitones, duration kept
    kGain,   ///< louder by `amount` dB; not clipped
    kNoise,  ///< white Gaussian noise, `amount` dB below the level of the voice (`active_rms`)
  };
  Kind kind = Kind::kSpeed;
  double amount = 1;
};

/// The augmentations that a comma-separated list names, each of them for a copy of its own:
/// "speed:0.9,1.1,noise:20" gives three. An amount without a kind has that of the one before.
/// Kinds and amounts: speed 0.5 to 2, pitch -12 to 12 semitones, gain -60 to 60 dB, noise -20 to
/// 100 dB. Throws Error for an unknown kind and an amount outside its range.
std::vector<Augmentation> parse_augmentations(std::string_view list);

/// The augmentation as `parse_augmentations` reads it: "speed:0.9". Equal ones have equal names.
std::string augmentation_name(const Augmentation& augmentation);

/// A changed copy of `wave`, at its rate. Only noise draws from `rng`. Silence stays silence.
/// Speed gives round(size / amount) samples, resampled as by `resample`; the others keep the size.
/// Pitch is WSOLA time stretching, then resampling, so formants move along.
Waveform augment(const Waveform& wave, const Augmentation& augmentation, Rng& rng);

}  // namespace ser
