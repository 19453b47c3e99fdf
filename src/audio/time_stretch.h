#pragma once

#include "ser/audio/waveform.h"

namespace ser {

/// The waveform round(size * ratio) samples long, pitch kept; ratio > 0.
/// WSOLA: W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity
/// (WSOLA) for high quality time-scale modification of speech", ICASSP 1993. Segments of 40 ms,
/// Hann-weighted and half overlapped, each moved by up to 10 ms to where the recording goes on most
/// like after the segment before.
Waveform time_stretch(const Waveform& wave, double ratio);

}  // namespace ser
