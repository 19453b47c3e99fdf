#pragma once

#include "ser/audio/waveform.h"
#include "ser/core/rng.h"

namespace ser {

/// A recording made worse; kbit_per_s where it was compressed.
struct Degraded {
  Waveform wave;
  double kbit_per_s = 0;
};

/// A constant of so many per cent of full scale.
Waveform with_offset(const Waveform& wave, double percent);

/// Mains hum: a tone and its harmonics up to the fifth, the n-th at 1/n, together at `level_dbfs`
/// (RMS, 0 dB: full scale). One harmonic: a plain tone.
Waveform with_hum(const Waveform& wave, double frequency_hz, int harmonics, double level_dbfs);

/// Amplified until the highest sample is so much above full scale, and clipped there.
Waveform clipped(const Waveform& wave, double over_db);

/// 10 ms of silence in every 200 ms, beginning anywhere.
Waveform with_dropped_packets(const Waveform& wave, Rng& rng);

enum class Codec { kMp3, kVorbis, kOpus, kTelephone, kGsm };

/// Through a codec of libsndfile and back. kMp3, kVorbis: 64 kbit/s at 48 kHz (libsndfile gives
/// Vorbis no constant rate: as it comes). kOpus: 16 kbit/s. kTelephone: 300 to 3,400 Hz at 8 kHz,
/// mu-law (G.711). kGsm: the same band, GSM 06.10. Throws Error if libsndfile cannot write it.
Degraded coded(const Waveform& wave, Codec codec);

}  // namespace ser
