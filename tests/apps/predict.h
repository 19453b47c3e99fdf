#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "apps/run.h"

namespace ser {

/// A model of two actors and every emotion.
class Predict : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string features = (folder_ / "features").string();
    for (const Outcome& done : {run("ser-extract", {demo_actor(1), demo_actor(2), "--features",
                                                    "classic", "-o", features}),
                                run("ser-train", {features, "--epochs", "5", "-o", model_})})
      ASSERT_EQ(done.exit_code, 0) << done.err;
  }

  Outcome predict(std::vector<std::string> arguments, const RunOptions& options = {}) const {
    arguments.insert(arguments.begin(), {"--model", model_});
    return run("ser-predict", std::move(arguments), options);
  }

  TempFolder folder_;
  std::string model_ = (folder_ / "model.json").string();
};

}  // namespace ser
