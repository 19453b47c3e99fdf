#pragma once

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/pitch.h"
#include "ser/features/stft.h"

namespace ser {

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

}  // namespace ser
