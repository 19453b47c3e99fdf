#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ser/audio/waveform.h"
#include "ser/core/rng.h"

namespace ser {

/// One change of a recording that leaves its emotion recognisable.
struct AugmentationStep {
  enum class Kind {
    kSpeed,   ///< played `amount` times as fast: tempo and pitch together
    kGain,    ///< louder by `amount` dB; not clipped
    kNoise,   ///< white Gaussian noise, `amount` dB below the level of the voice (`active_rms`)
    kBabble,  ///< synthetic voices that talk at once, `amount` dB below the voice
    kBand,    ///< nothing is left above `amount` Hz
    kLowCut,  ///< nothing is left below `amount` Hz
    kReverb,  ///< a room whose sound falls by 60 dB in `amount` s (RT60)
  };
  Kind kind = Kind::kSpeed;
  double amount = 1;
};

/// What makes one copy: steps that are applied one after the other.
using Augmentation = std::vector<AugmentationStep>;

/// The augmentations that a comma-separated list names, each of them for a copy of its own:
/// "speed:0.9,1.1,noise:20" gives three; "speed:0.9+noise:20" gives one, of two steps. An amount
/// without a kind has that of the one before. Kinds and amounts: speed 0.5 to 2, gain -60 to 60
/// dB, noise and babble -20 to 100 dB, band 500 to 100000 Hz, low_cut 20 to 400 Hz, reverb 0.05 to
/// 5 s. Throws Error for an unknown kind and an amount outside its range.
std::vector<Augmentation> parse_augmentations(std::string_view list);

/// The augmentation as `parse_augmentations` reads it: "speed:0.9". Equal ones have equal names.
std::string augmentation_name(const Augmentation& augmentation);

/// A changed copy of `wave`, at its rate. Only noise, babble and reverb draw from `rng`. Silence
/// stays silence. Speed gives round(size / amount) samples, resampled as by `resample`; the others
/// keep the size. Babble is six synthetic voices, nobody's recording, so no speaker of a corpus
/// gets into another's copies. A band that reaches beyond half the rate changes nothing.
Waveform augment(const Waveform& wave, const Augmentation& augmentation, Rng& rng);

}  // namespace ser
