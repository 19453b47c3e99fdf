#pragma once

#include <Eigen/Core>

#include "ser/core/rng.h"

namespace ser {

/// A murmur of six synthetic voices that talk at once, each with a pitch, a vocal tract and a tempo
/// of its own: nobody's recording. Vowels (a sawtooth through four formants, in series as in Klatt
/// 1980) and fricatives (noise in their place) in syllables of 0.12 to 0.28 s, with pauses. Nothing
/// above 8 kHz. The level has no meaning.
Eigen::VectorXd make_babble(Eigen::Index size, int sample_rate_hz, Rng& rng);

}  // namespace ser
