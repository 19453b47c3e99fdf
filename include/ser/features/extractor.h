#pragma once

#include <Eigen/Core>
#include <memory>
#include <string>
#include <vector>

#include "ser/audio/waveform.h"
#include "ser/features/analysis.h"
#include "ser/features/feature_set.h"

namespace ser {

/// What windows of one recording have in common where they overlap. For one thread.
class WindowMemory {
 public:
  WindowMemory();
  ~WindowMemory();

 private:
  friend class SharedAnalysis;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One recording, cleaned and analysed once for all that looks at it: feature sets that clean it
/// alike share the clean sound, and the analysis if they keep the same part of it, too. For one
/// thread; `wave` and the tables must outlive it.
class SharedAnalysis {
 public:
  explicit SharedAnalysis(const Waveform& wave);
  /// A window that begins at sample `begin` of a recording; those before it have met `memory`, too.
  /// Where it is clean as they were, what they found in single frames is taken from there.
  SharedAnalysis(const Waveform& wave, Eigen::Index begin, WindowMemory& memory);
  ~SharedAnalysis();

  const Waveform& wave() const;
  /// `cleaned`, kept.
  const Waveform& clean(const Cleaning& cleaning);
  /// The recording after `voice_cleaning` at 16 kHz, or its own rate if that is lower: what speech
  /// is looked for in. Throws Error as `cleaned` does.
  const Waveform& voice_band();
  /// Throws Error as `cleaned` and `kept_range`.
  const Analysis& of(const Preparation& preparation, const Tables& tables);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Computes the features of clip after clip. Windows, transforms and filterbanks are made once;
/// `extract` may be called from several threads at a time, and its result depends on the waveform
/// alone.
class Extractor {
 public:
  /// Throws Error if the set is empty or names a row twice, or, without pooling, if its features
  /// differ in hop or describe whole clips.
  explicit Extractor(FeatureSet set);

  const FeatureSet& set() const { return set_; }
  const std::vector<std::string>& row_names() const { return row_names_; }

  /// Features of one clip, [rows x frames], or [rows x 1] where the set pools.
  /// Throws Error for a waveform shorter than 0.1 s or with samples that are not finite.
  Eigen::MatrixXf extract(const Waveform& wave) const;

  /// The same, sharing what other extractors computed of the recording.
  Eigen::MatrixXf extract(SharedAnalysis& recording) const;

 private:
  FeatureSet set_;
  std::vector<std::string> row_names_;
  Tables tables_;
};

}  // namespace ser
