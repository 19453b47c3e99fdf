#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/pitch.h"
#include "ser/features/stft.h"

namespace ser {

struct MelodyOptions {
  int hop_samples = 160;
  void visit(FieldVisitor& v);
};

/// Rows of `melody`, in order.
inline constexpr int kMelodyRows = 4;

/// Pitch and loudness over time in ranges that suit a network, [4 x frames]:
/// 0 pitch relative to the clip's median, half octaves; 1 pitch relative to 165 Hz, octaves; both 0
/// in unvoiced frames; 2 periodicity, 0 to 1; 3 level relative to the loud parts of the clip (their
/// 95th percentile), in units of 20 dB, at least -3.
/// level_db: of the frames of `pitch`, [1 x frames].
FrameMatrix melody(const PitchTrack& pitch, const Eigen::RowVectorXf& level_db);

struct ProsodyOptions {
  double hop_s = 0.01;
  void visit(FieldVisitor& v);
};

/// Melody, loudness and rhythm of a clip, one column, named by `prosody_names()`.
/// pitch: the clip's track; energy_db: level of the same frames, dB, [1 x frames]; hop_s: from one
/// frame to the next. Levels are taken relative to the clip's own. Without voiced frames all that
/// describes melody is 0.
Eigen::VectorXf prosody(const PitchTrack& pitch, const Eigen::RowVectorXf& energy_db, double hop_s);

/// Names of the rows of `prosody`: "prosody.f0.mean", ...
std::vector<std::string> prosody_names();

struct VoiceOptions {
  StftOptions stft{1024, 160, 640};
  void visit(FieldVisitor& v);
};

/// Rows of `voice_quality`, in order.
inline constexpr int kVoiceRows = 8;

/// How pressed, breathy or sharp a voice sounds, [8 x frames], after eGeMAPS (Eyben et al. 2016):
/// 0 alpha ratio, the energy of 50-1,000 Hz over that of 1-5 kHz, dB;
/// 1 Hammarberg index, the highest peak below 2 kHz over that of 2-5 kHz, dB;
/// 2, 3 slope of the spectrum in 0-500 and 500-1,500 Hz, dB per kHz;
/// 4 flux, the distance of the spectrum, scaled to unit norm, from the frame before;
/// 5 H1-H2, the first over the second harmonic, dB; 6 H1-A3, the first harmonic over the highest
/// peak of 2-3.5 kHz, dB; 7 harmonics-to-noise ratio from the periodicity, dB, -20 to 30. Rows 5
/// and 6 are 0 in unvoiced frames.
/// power: [1 + fft_size/2 x frames]; pitch: of the same frames. Throws Error below 10 kHz.
FrameMatrix voice_quality(const FrameMatrix& power, double bin_hz, const PitchTrack& pitch);

/// Linear prediction of the spectrum up to `high_hz`.
struct LsfOptions {
  StftOptions stft{1024, 160, 640};
  int order = 16;
  double high_hz = 5500;
  double preemphasis = 0.97;  ///< of the wave at twice high_hz

  void visit(FieldVisitor& v);
};

/// Line spectral frequencies in Hz, rising within a frame, [order x frames]; 0 in unvoiced frames.
/// They stand close together at the resonances of the vocal tract and evenly in a flat spectrum, so
/// their means tell how long the tract is: longer in men.
/// The predictor is that of the spectrum below high_hz alone (selective linear prediction, Makhoul
/// 1975), with a lag window of 60 Hz and white noise 40 dB down; its line spectrum (Itakura 1975)
/// is found to 1 Hz or so where it crosses zero on a grid.
/// power: [1 + fft_size/2 x frames]; pitch: of the same frames. Throws Error if high_hz is more
/// than half the sampling rate or the order more than a sixth of the bins below it.
FrameMatrix line_spectral_frequencies(const FrameMatrix& power, double bin_hz,
                                      const PitchTrack& pitch, const LsfOptions& options);

}  // namespace ser
