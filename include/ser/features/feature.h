#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/pitch.h"

namespace ser {

class Analysis;

/// Frames that the statistics of a pooled feature are taken over.
enum class PoolOver { kAll, kVoiced };

/// One entry of a feature set: a type, its options, and the rows it adds to the features of a clip.
/// Immutable while it computes, so one object serves any number of threads.
class Feature {
 public:
  int delta_order = 0;  ///< 0: the values; 1, 2: their slope or curvature over nine frames
  PoolOver pool_over = PoolOver::kAll;

  virtual ~Feature() = default;
  /// Its name in the registry.
  virtual std::string_view type() const = 0;
  virtual std::unique_ptr<Feature> clone() const = 0;
  /// Samples from one frame to the next; 0 for a feature of the whole clip.
  virtual int hop_samples() const = 0;
  /// [names().size() x frames], finite. Throws Error for options that do not fit the sampling rate.
  virtual FrameMatrix compute(const Analysis& analysis) const = 0;
  /// Whether a row is defined in voiced frames alone.
  virtual bool voiced_only(std::size_t row) const;
  /// The pitch analysis that tells voiced frames from others.
  virtual PitchOptions voicing(int sample_rate_hz) const;

  void visit(FieldVisitor& v);
  /// "mfcc.0", "mfcc.1", ...; "rms"; "mel.3:delta".
  std::vector<std::string> names() const;
  /// `compute`, then deltas where they are asked for.
  FrameMatrix values(const Analysis& analysis) const;

 protected:
  virtual void visit_options(FieldVisitor& v) = 0;
  virtual std::vector<std::string> base_names() const = 0;
};

/// Every feature's name, in the order of the registry.
std::span<const std::string_view> feature_types();

/// A feature with default options. Throws Error, naming the nearest known name, for others.
std::unique_ptr<Feature> make_feature(std::string_view type);

/// "stem.0" ... "stem.(count-1)".
std::vector<std::string> numbered(std::string_view stem, int count);

}  // namespace ser
