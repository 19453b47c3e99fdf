#pragma once

#include <string>
#include <vector>

#include "ser/audio/audio_file.h"
#include "ser/model/timeline.h"
#include "ser/report/picture.h"

namespace ser::report {

/// Picture of a recording's timeline: its waveform with the segments named and coloured, and below
/// it the probabilities of the emotions, stacked, where there is speech. However long the
/// recording, the picture has a fixed number of columns; windows that share one are averaged.
/// reader: of the same recording, from its start; read to its end in flat memory.
/// emotions: names of the probabilities. Throws Error as AudioReader does.
Picture timeline_picture(AudioReader& reader, const Timeline& timeline,
                         const std::vector<std::string>& emotions, const std::string& title);

}  // namespace ser::report
