#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ser/corpus/utterance.h"

namespace ser {

/// A field of an utterance with its name in files.
struct ClipField {
  std::string_view name;
  std::string Utterance::*field;
};

/// All of them.
inline constexpr std::array<ClipField, 11> kClipFields = {
    {{"path", &Utterance::path},
     {"corpus", &Utterance::corpus},
     {"emotion", &Utterance::emotion},
     {"gender", &Utterance::gender},
     {"speaker", &Utterance::speaker},
     {"intensity", &Utterance::intensity},
     {"statement", &Utterance::statement},
     {"repetition", &Utterance::repetition},
     {"channel", &Utterance::channel},
     {"augmentation", &Utterance::augmentation},
     {"content", &Utterance::content}}};

/// Those that say something to a reader.
inline constexpr auto kLabelFields = std::span(kClipFields).first<10>();

/// Clips as a JSON list of objects; what is not known is left out.
std::string clips_to_json(const std::vector<Utterance>& clips);

/// Throws Error for text that is no such list, or a clip without a path.
std::vector<Utterance> clips_from_json(std::string_view text);

}  // namespace ser
