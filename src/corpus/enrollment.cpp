#include "ser/corpus/enrollment.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "ser/core/error.h"
#include "ser/corpus/speaker.h"

namespace ser {

void make_relative_to_speakers(FeatureTable& table) {
  const std::vector<std::string> speakers = speaker_names(table.clips);
  std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> voices;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.clips[i].speaker.empty())
      throw Error(
          fmt::format("{}: expected a clip with a speaker, found none; features relative to "
                      "the speaker need it",
                      table.clips[i].path));
    voices[{speakers[i], table.clips[i].augmentation}].push_back(i);
  }
  for (const auto& [voice, clips] : voices) {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(table.values.rows());
    Eigen::Index frames = 0;
    for (const std::size_t clip : clips) {
      sum += table.clip(clip).cast<double>().rowwise().sum();
      frames += table.clip(clip).cols();
    }
    const Eigen::VectorXf mean = (sum / static_cast<double>(frames)).cast<float>();
    for (const std::size_t clip : clips)
      table.values.middleCols(table.offsets[clip], table.offsets[clip + 1] - table.offsets[clip])
          .colwise() -= mean;
  }
  table.relative_to_speakers = true;
}

}  // namespace ser
