#pragma once

#include <string>

#include "ser/core/rng.h"
#include "ser/corpus/feature_table.h"

namespace ser {

/// A feature table drawn at random: every speaker says every emotion `takes` times. Rows are noise
/// around a centre of the emotion, one of the gender and one of the speaker, so that a network can
/// learn the first two on unseen speakers.
/// frames: of each clip, varying by a third; 0 gives pooled clips.
inline FeatureTable synthetic_table(int speakers, int takes, int frames = 0, double noise = 0.7) {
  constexpr int kRows = 40;  // mfcc:20 and its deltas, so that the set's rows fit
  FeatureTable table;
  table.set = parse_feature_set("mfcc,mfcc:delta");
  if (frames == 0) table.set.pool = Pooling::kMean;
  table.rows = row_names(table.set);
  const auto centre = [&](std::uint64_t stream, double scale) {
    Rng rng(42, stream);
    Eigen::VectorXf v(kRows);
    for (int i = 0; i < kRows; ++i) v(i) = static_cast<float>(scale * rng.normal());
    return v;
  };
  Rng rng(7, 0);
  std::vector<Eigen::MatrixXf> clips;
  table.offsets = {0};
  const std::string emotions[] = {"neutral", "happy", "sad", "angry"};
  for (int speaker = 1; speaker <= speakers; ++speaker)
    for (std::uint64_t emotion = 0; emotion < 4; ++emotion)
      for (int take = 0; take < takes; ++take) {
        const std::string name = std::to_string(speaker);
        Utterance clip;
        clip.path = name + "/" + emotions[emotion] + std::to_string(take) + ".wav";
        clip.corpus = "synthetic";
        clip.speaker = name;
        clip.emotion = emotions[emotion];
        clip.gender = speaker % 2 ? "male" : "female";
        clip.intensity = take % 2 ? "strong" : "normal";
        table.clips.push_back(clip);
        const Eigen::VectorXf mean = centre(emotion, 1) +
                                     centre(100 + static_cast<std::uint64_t>(speaker % 2), 1) +
                                     centre(200 + static_cast<std::uint64_t>(speaker), 0.3);
        const int count =
            frames == 0
                ? 1
                : frames + static_cast<int>(rng.below(static_cast<std::uint64_t>(frames) / 3 + 1));
        Eigen::MatrixXf& features = clips.emplace_back(kRows, count);
        for (Eigen::Index i = 0; i < features.size(); ++i)
          features.data()[i] = static_cast<float>(noise * rng.normal());
        features.colwise() += mean;
        table.offsets.push_back(table.offsets.back() + count);
      }
  table.values.resize(kRows, table.offsets.back());
  for (std::size_t i = 0; i < clips.size(); ++i)
    table.values.middleCols(table.offsets[i], clips[i].cols()) = clips[i];
  return table;
}

}  // namespace ser
