#include "folds.h"

#include <fmt/format.h>

#include "command.h"
#include "talk.h"

namespace ser {

SplitScheme split_scheme(const std::string& cv) {
  return from_flag("--cv", [&] { return parse_split_scheme(cv); });
}

void warn_of_split(const std::vector<Utterance>& clips, const SplitScheme& scheme) {
  for (const std::string& warning : split_warnings(clips, scheme)) talk::warn("{}", warning);
}

Fold chosen_fold(const std::vector<Utterance>& clips, const std::string& cv, int fold,
                 std::uint64_t seed) {
  if (cv.empty() != (fold == kUnsetInt))
    throw UsageError("expected --cv and --fold together, or neither");
  if (cv.empty()) return whole_corpus(clips);
  const SplitScheme scheme = split_scheme(cv);
  const std::vector<Fold> folds = make_folds(clips, scheme, seed);
  warn_of_split(clips, scheme);
  if (fold < 0 || static_cast<std::size_t>(fold) >= folds.size())
    throw UsageError(
        fmt::format("--fold: expected 0 to {} with {}, found {}", folds.size() - 1, cv, fold));
  return folds[static_cast<std::size_t>(fold)];
}

}  // namespace ser
