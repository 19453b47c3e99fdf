#pragma once

#include "ser/model/timeline.h"

namespace ser {

/// The whole timeline of a recording.
inline Timeline make_timeline(AudioReader& reader, Listener& listener,
                              const TimelineOptions& options, int threads) {
  Timeline timeline;
  SegmentMerger merger(
      [&](const TimelineSegment& segment) { timeline.segments.push_back(segment); });
  timeline.duration_s =
      predict_windows(reader, listener, options, threads, [&](const TimelineWindow& window) {
        timeline.windows.push_back(window);
        merger.add(window);
      });
  merger.finish(timeline.duration_s);
  return timeline;
}

}  // namespace ser
