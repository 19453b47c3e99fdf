#pragma once

#include <unordered_map>
#include <vector>

#include "features/memo.h"
#include "features/pitch_plan.h"
#include "ser/audio/trim.h"

namespace ser {

/// The clean sound of a recording as its windows showed it, without their ends: a low cut settles
/// where a window begins, and a resampler sees nothing behind its end.
class CleanTrace {
 public:
  /// The part of a window, whose first sample is sample `begin` of the recording, that is what the
  /// windows before showed, or new. Empty where they showed another sound: then none of that counts
  /// any more, and `restarted` is true.
  SampleRange meet(const Waveform& window, Eigen::Index begin);
  bool restarted() const { return restarted_; }

 private:
  Eigen::Index begin_ = 0;
  std::vector<float> samples_;
  bool restarted_ = false;
};

/// What was found in frames of a recording, by where they are centred.
struct FrameMemory {
  Memo<PitchOptions, std::unordered_map<Eigen::Index, PitchCandidates>> pitch = {};
};

/// Where a piece of a recording lies in it.
struct FramePlace {
  FrameMemory* memory = nullptr;  ///< null: it stands for itself
  Eigen::Index begin = 0;         ///< of the piece, a sample of the recording
  SampleRange known = {};         ///< samples of the piece that are the recording's
  bool may_be_offset = false;     ///< nothing has been cut below
};

/// The candidates of a piece's frames that are remembered, or to be.
class RememberedPitch {
 public:
  RememberedPitch(const FramePlace& place, const PitchOptions& options)
      : place_(place), options_(options) {
    if (place.memory) found_ = &place.memory->pitch.get(options, [] { return Found(); });
  }

  /// Null if there are none.
  const PitchCandidates* find(Eigen::Index frame) const {
    if (!is_known(frame)) return nullptr;
    const auto found = found_->find(position(frame));
    return found == found_->end() ? nullptr : &found->second;
  }
  void put(Eigen::Index frame, const PitchCandidates& candidates) const {
    if (is_known(frame)) found_->emplace(position(frame), candidates);
  }

 private:
  using Found = std::unordered_map<Eigen::Index, PitchCandidates>;

  Eigen::Index position(Eigen::Index frame) const {
    return place_.begin + frame * options_.hop_samples;
  }
  bool is_known(Eigen::Index frame) const {
    const Eigen::Index begin = frame * options_.hop_samples - options_.frame_samples / 2;
    return found_ && begin >= place_.known.begin &&
           begin + options_.frame_samples <= place_.known.end;
  }

  const FramePlace& place_;
  const PitchOptions& options_;
  Found* found_ = nullptr;
};

}  // namespace ser
