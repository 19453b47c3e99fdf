#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ser/corpus/utterance.h"

namespace ser {

/// The number that a speaker goes by: 7 for "7", "07" and "7.0" (as spreadsheets and pandas write
/// it); nothing for a name.
std::optional<int> speaker_number(std::string_view speaker);

/// A speaker as written in all files: numbers with two digits at least ("07", "1062"), so that "7",
/// "07" and "7.0" are one; names as they are.
std::string canonical_speaker(std::string_view speaker);

/// Who speaks, told from the speakers of all other corpora: "ravdess:07"; "07" where the corpus is
/// not known. Empty for a clip without a speaker.
std::string speaker_name(const Utterance& clip);

std::vector<std::string> speaker_names(const std::vector<Utterance>& clips);

/// A clip of which only the speaker is known, from what `speaker_name` gave for it.
Utterance clip_of_speaker(std::string_view name);

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
