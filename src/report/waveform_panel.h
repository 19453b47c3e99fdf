#pragma once

#include "report/column_analysis.h"
#include "ser/report/picture.h"

namespace ser::report {

/// The waveform over the time axis, which counts in `unit_s` seconds. headroom: of the amplitude
/// axis over the peak.
Panel waveform_panel(const Envelope& shape, const PlotAxis& time, double unit_s, double headroom);

}  // namespace ser::report
