#pragma once

#include <Eigen/Core>

#include "ser/core/rng.h"
#include "ser/nn/tensor.h"
#include "ser/train/recipe.h"

namespace ser {

/// Frames [begin, begin + count) of a clip, drawn so that no more than `options.crop_frames` stay.
struct Crop {
  Eigen::Index begin = 0;
  Eigen::Index count = 0;
};
Crop draw_crop(Eigen::Index frames, const FeatureAugmentation& options, Rng& rng);

/// How one clip is changed: drawn first, so that its length is known before memory is.
struct Stretch {
  double factor = 1;       ///< frames of the copy, relative to the original
  Eigen::Index shift = 0;  ///< bands that the spectrum moves up
};
Stretch draw_stretch(const FeatureAugmentation& options, Rng& rng);

/// Writes `clip` [rows x frames] into `out`, stretched to its number of frames by linear
/// interpolation; the first `spectral_rows` moved by whole bands, so that harmonics stay sharp.
/// Edges are repeated.
void write_stretched(const Eigen::Ref<const Eigen::MatrixXf>& clip, const Stretch& stretch,
                     Eigen::Index spectral_rows, nn::MatrixMap out);

/// Adds gain, a filter's curve over the bands (linear between knots, Nam et al. 2022,
/// FilterAugment) and noise, then masks runs of frames and bands with zero (Park et al. 2019,
/// SpecAugment); in place.
void mask_and_perturb(const FeatureAugmentation& options, Eigen::Index spectral_rows, Rng& rng,
                      nn::MatrixMap clip);

}  // namespace ser
