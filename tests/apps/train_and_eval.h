#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/demo_features.h"

namespace ser {

inline constexpr const char* kRecipe = R"({
  "features": "classic",
  "network": {"layers": [{"type": "dropout", "rate": 0.2},
                         {"type": "dense", "units": 16, "activation": "relu"}]},
  "training": {"epochs": 5, "learning_rate": 0.01}
})";

/// The classic features of four actors and a recipe that trains in no time.
class TrainAndEval : public DemoFeatures {
 protected:
  Outcome train(const std::string& name, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {features_, "--recipe", recipe_, "-o", file(name)});
    return succeed("ser-train", more);
  }
  Outcome cross_validate(const std::string& name, std::vector<std::string> more) const {
    more.insert(more.begin(), {features_, "--train", recipe_, "-o", file(name)});
    return succeed("ser-eval", more);
  }

  /// A feature file of four clips listed in a manifest.
  std::string extract_manifest(const std::string& text) const {
    for (int emotion = 1; emotion <= 4; ++emotion)
      std::filesystem::copy_file(demo_clip(emotion), folder_ / (std::to_string(emotion) + ".flac"));
    const std::string manifest = folder_.add("clips.csv", text).string();
    succeed("ser-extract", {manifest, "--features", "classic", "-o", file("manifest")});
    return file("manifest");
  }

  std::string recipe_ = folder_.add("recipe.json", kRecipe).string();
};

}  // namespace ser
