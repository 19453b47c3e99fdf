#pragma once

#include <Eigen/Core>
#include <vector>

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/stft.h"

namespace ser {

enum class MelScale { kSlaney, kHtk };

struct MelOptions {
  StftOptions stft;
  int num_bands = 128;
  double low_hz = 0;
  double high_hz = 0;  ///< 0: half the sampling rate
  MelScale scale = MelScale::kSlaney;

  void visit(FieldVisitor& v);
  bool operator==(const MelOptions&) const = default;
};

/// 10 log10 of a power, limited from below.
struct DecibelOptions {
  double min_power = 1e-10;
  double range_db = 80;  ///< everything further below the largest value is raised to it; 0: off

  void visit(FieldVisitor& v);
  bool operator==(const DecibelOptions&) const = default;
};

struct LogMelOptions {
  MelOptions mel;
  DecibelOptions decibel;
  bool standardize = false;

  void visit(FieldVisitor& v);
};

/// Triangular bands over FFT bins; only the bins that a band covers are stored.
class MelFilterbank {
 public:
  /// Bands of equal width on the mel scale from low_hz to high_hz, each scaled by 2 / (its width in
  /// Hz) ("slaney" normalisation), as librosa's `filters.mel`. A band narrower than the distance of
  /// two bins may cover none; it gives 0, as in librosa.
  /// Throws Error for less than one band or an empty frequency range.
  MelFilterbank(const MelOptions& options, int sample_rate_hz);

  /// power: [1 + fft_size/2 x frames]. Returns [bands x frames].
  FrameMatrix apply(const FrameMatrix& power) const;

 private:
  struct Band {
    int first_bin = 0;
    std::vector<float> weights;
  };
  std::vector<Band> bands_;
};

/// Hz to mel. Slaney: linear below 1 kHz, 27 steps of equal ratio from there to 6.4 kHz (Auditory
/// Toolbox, 1998). HTK: 2595 log10(1 + f / 700).
double hz_to_mel(double hz, MelScale scale);
double mel_to_hz(double mel, MelScale scale);

/// Mel power spectrogram, [bands x frames], of power [1 + fft_size/2 x frames]. As librosa 0.11
/// `feature.melspectrogram`, to 1e-6 of the largest value.
FrameMatrix mel_spectrogram(const FrameMatrix& power, const MelOptions& options,
                            int sample_rate_hz);

/// Decibels relative to 1, of any shape. As librosa's `power_to_db(ref=1)`.
FrameMatrix power_to_db(const FrameMatrix& power, const DecibelOptions& options = {});

/// The values brought to zero mean and unit variance over all rows and frames; all 0 where they do
/// not vary.
FrameMatrix standardize(const FrameMatrix& values);

}  // namespace ser
