#pragma once

#include <gtest/gtest.h>

#include "apps/run.h"

namespace ser {

/// The classic features of four actors of the demo corpus, in a folder of the test's own.
class DemoFeatures : public ::testing::Test {
 protected:
  void SetUp() override {
    const Outcome done =
        run("ser-extract", {demo_actor(1), demo_actor(2), demo_actor(3), demo_actor(4),
                            "--features", "classic", "-o", features_, "-q"});
    ASSERT_EQ(done.exit_code, 0) << done.err;
  }

  std::string file(std::string_view name) const { return (folder_ / name).string(); }

  /// Runs a program that has to succeed.
  Outcome succeed(const std::string& program, const std::vector<std::string>& arguments) const {
    const Outcome done = run(program, arguments);
    EXPECT_EQ(done.exit_code, 0) << program << ": " << done.err;
    return done;
  }

  TempFolder folder_;
  std::string features_ = (folder_ / "features.safetensors").string();
};

}  // namespace ser
