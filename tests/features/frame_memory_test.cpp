#include "features/frame_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ser/core/rng.h"
#include "ser/features/extractor.h"

namespace ser {
namespace {

constexpr int kVoiceRateHz = 16000;

Eigen::VectorXf white_noise(Eigen::Index size, std::uint64_t stream = 0) {
  Rng rng(5, stream);
  return Eigen::VectorXf::NullaryExpr(
      size, [&](Eigen::Index) { return static_cast<float>(0.1 * rng.normal()); });
}

/// A gliding voice with pauses.
Eigen::VectorXf gliding_voice(double seconds) {
  Eigen::VectorXf samples = 0.01f * white_noise(std::lround(seconds * kVoiceRateHz));
  double phase = 0;
  for (Eigen::Index i = 0; i < samples.size(); ++i) {
    const double time_s = static_cast<double>(i) / kVoiceRateHz;
    phase += 2 * std::numbers::pi * (140 + 40 * std::sin(4 * time_s)) / kVoiceRateHz;
    const double loudness = std::max(0.0, std::sin(5 * time_s));
    for (int h = 1; h < 20; ++h)
      samples[i] += static_cast<float>(loudness * 0.2 / h * std::sin(h * phase));
  }
  return samples;
}

Waveform window_of(const Eigen::VectorXf& samples, Eigen::Index begin, Eigen::Index size,
                   int rate_hz = kVoiceRateHz) {
  return {samples.segment(begin, size), rate_hz};
}

void expect_range(const SampleRange& found, Eigen::Index begin, Eigen::Index end) {
  EXPECT_EQ(found.begin, begin);
  EXPECT_EQ(found.end, end);
}

TEST(CleanTrace, KnowsWhatWindowsShowedAndWhatIsNew) {
  const Eigen::VectorXf sound = white_noise(6000);
  CleanTrace trace;
  expect_range(trace.meet(window_of(sound, 0, 3000, 1000), 0), 250, 2950);
  expect_range(trace.meet(window_of(sound, 1000, 3000, 1000), 1000), 0, 2950);
  EXPECT_FALSE(trace.restarted());
  Waveform unsettled = window_of(sound, 2000, 3000, 1000);
  unsettled.samples.head(100) = white_noise(100, 1);
  expect_range(trace.meet(unsettled, 2000), 100, 2950);
  EXPECT_FALSE(trace.restarted());
}

TEST(CleanTrace, StartsAgainWithAnotherSound) {
  const Eigen::VectorXf sound = white_noise(6000);
  CleanTrace trace;
  trace.meet(window_of(sound, 0, 3000, 1000), 0);
  Waveform other = window_of(sound, 1000, 3000, 1000);
  other.samples[1500] += 0.01f;
  expect_range(trace.meet(other, 1000), 250, 2950);
  EXPECT_TRUE(trace.restarted());
  expect_range(trace.meet(window_of(sound, 2000, 3000, 1000), 2000), 250, 2950);  // as it was
  EXPECT_TRUE(trace.restarted());
  expect_range(trace.meet(window_of(sound, 3000, 3000, 1000), 3000), 0, 2950);
  EXPECT_FALSE(trace.restarted());
}

TEST(CleanTrace, StartsAgainBehindAGap) {
  CleanTrace trace;
  trace.meet({white_noise(1000), 1000}, 0);
  expect_range(trace.meet({white_noise(100), 1000}, 5000), 100, 100);
  EXPECT_TRUE(trace.restarted());
}

TEST(FrameMemory, RemembersFramesThatLieInWhatIsKnown) {
  const PitchOptions options;
  const PitchPlan plan(options, kVoiceRateHz);
  const Eigen::VectorXf sound = gliding_voice(1);
  FrameMemory memory;
  const FramePlace place{&memory, 800, {1024, 9216}};
  const PitchTrack alone = plan.track(sound, {}), first = plan.track(sound, place);
  EXPECT_EQ(first.hz, alone.hz);
  const auto& found = memory.pitch.get(options, [] { return decltype(memory.pitch)::Value(); });
  for (const auto& [position, candidates] : found) {
    EXPECT_EQ((position - 800) % options.hop_samples, 0);
    EXPECT_GE(position - 800, 2048);
    EXPECT_LE(position - 800, 8192);
  }
  EXPECT_GT(found.size(), 5u);
  // They are taken, whatever is there.
  const PitchTrack other = plan.track(0.1f * white_noise(sound.size()), place);
  EXPECT_EQ(other.periodicity.segment(4, 5), alone.periodicity.segment(4, 5));
  EXPECT_NE(other.periodicity[2], alone.periodicity[2]);
}

TEST(WindowMemory, WindowsHaveThePitchThatTheyHaveAlone) {
  const Extractor pitch(parse_feature_set("f0,rms"));
  const Eigen::VectorXf sound = gliding_voice(4);
  WindowMemory memory;
  for (const Eigen::Index begin : {0, 4096, 8192, 9000, 12288, 40000}) {
    const Waveform window = window_of(sound, begin, 20000);
    SharedAnalysis shared(window, begin, memory);
    EXPECT_EQ(pitch.extract(shared), pitch.extract(window));
  }
}

/// Cleaning begins anew in each window, and each has its own level and its own trimmed part.
TEST(WindowMemory, CleanWindowsHaveTheFeaturesThatTheyHaveAlone) {
  const Eigen::VectorXf sound = gliding_voice(6);
  for (const char* preset : {"frames", "functionals"}) {
    const Extractor extractor(parse_feature_set(preset));
    WindowMemory memory;
    for (Eigen::Index begin = 0; begin < 4 * kVoiceRateHz; begin += kVoiceRateHz) {
      Waveform window = window_of(sound, begin, 2 * kVoiceRateHz);
      if (begin == 2 * kVoiceRateHz) window.samples *= 0.5f;  // unlike the windows before
      SharedAnalysis shared(window, begin, memory);
      const Eigen::MatrixXf found = extractor.extract(shared), alone = extractor.extract(window);
      ASSERT_EQ(found.cols(), alone.cols());
      EXPECT_LT((found - alone).norm(), 1e-4 * alone.norm()) << preset << " at " << begin;
    }
  }
}

}  // namespace
}  // namespace ser
