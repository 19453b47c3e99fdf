#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ser/corpus/utterance.h"

namespace ser {

/// A hash of the sound of a recording, fed block by block. Equal for the same samples (to 16 bits)
/// at the same rate, whatever the file's name and lossless format; not cryptographic.
class ContentHash {
 public:
  explicit ContentHash(int sample_rate_hz);
  void add(std::span<const float> mono);
  /// 16 hexadecimal digits.
  std::string text() const;

 private:
  std::uint64_t state_;
};

/// For each clip the number of its recording, from 0 in order of appearance. One recording are a
/// clip and its augmented copies, clips of the same `content`, and the sound of a RAVDESS
/// recording with picture (modality 01) and without (03).
std::vector<int> recording_numbers(const std::vector<Utterance>& clips);

/// `content` of the chosen clips, each once, sorted; nothing for a clip that has none.
std::vector<std::string> contents_of(const std::vector<Utterance>& clips,
                                     const std::vector<int>& chosen);

}  // namespace ser
