#pragma once

#include <Eigen/Core>
#include <memory>

#include "ser/audio/waveform.h"
#include "ser/features/chroma.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/mel.h"
#include "ser/features/pitch.h"
#include "ser/features/stft.h"

namespace ser {

class StftPlan;
class PitchPlan;
struct FramePlace;

/// Windows, transforms and filterbanks, which depend on options and sampling rate alone: each is
/// made when it is first asked for and kept. Any number of threads may share one.
class Tables {
 public:
  Tables();
  ~Tables();

  const StftPlan& stft(const StftOptions& options) const;
  const PitchPlan& pitch(const PitchOptions& options, int sample_rate_hz) const;
  const MelFilterbank& mel(const MelOptions& options, int sample_rate_hz) const;
  const Eigen::MatrixXf& chroma(int fft_size, int sample_rate_hz, double tuning) const;
  const Eigen::MatrixXd& dct(int rows, int size) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One prepared waveform and what features share of it, each computed when it is first asked for.
/// For one thread; `wave` and `tables` must outlive it. Throws Error, before it has them, for more
/// than two million numbers for a second of the waveform.
class Analysis {
 public:
  Analysis(const Waveform& wave, const Tables& tables);
  /// place: where the wave lies in a recording of which other analyses know parts.
  Analysis(const Waveform& wave, const Tables& tables, const FramePlace& place);
  ~Analysis();

  const Waveform& wave() const { return wave_; }
  const Tables& tables() const { return tables_; }
  const FrameMatrix& power(const StftOptions& options) const;
  const FrameMatrix& magnitude(const StftOptions& options) const;
  const FrameMatrix& mel(const MelOptions& options) const;
  const FrameMatrix& log_mel(const MelOptions& options, const DecibelOptions& decibel) const;
  const FrameMatrix& chroma(const ChromaOptions& options) const;
  const PitchTrack& pitch(const PitchOptions& options) const;
  /// Counts what `frames` columns of `rows` numbers take.
  void count(Eigen::Index rows, Eigen::Index frames) const;

 private:
  void count(Eigen::Index rows, const StftOptions& options) const;

  struct Impl;
  const Waveform& wave_;
  const Tables& tables_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ser
