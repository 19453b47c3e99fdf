#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "ser/corpus/utterance.h"
#include "ser/model/model.h"

namespace ser {

/// As many other clips of the speaker as there are.
inline constexpr int kAllHeard = std::numeric_limits<int>::max();

/// "4", or "all".
std::string heard_text(int heard);

/// Numbers of clips heard, from a list like "0,1,4,16,all", in its order.
/// Throws Error for anything else and for a number that is there twice.
std::vector<int> parse_heard(std::string_view text);

/// What a model hears, without labels, before it answers for each of the clips at `scored`: `count`
/// other clips of the same speaker among them, or all there are if they are fewer; never the same
/// recording, and none for a clip without a speaker. Drawn with `seed` alike wherever the speaker's
/// clips are scored together; those of a smaller count are among those of a larger one.
/// Throws Error if there is none to hear for any clip.
HeardClips draw_heard(const std::vector<Utterance>& clips, const std::vector<int>& scored,
                      int count, std::uint64_t seed);

}  // namespace ser
