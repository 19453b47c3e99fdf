#include "ser/audio/trim.h"

#include <gmock/gmock.h>

#include <limits>

#include "audio/signals.h"

namespace ser {
namespace {

/// Ones in [begin, end) of `size` samples.
Waveform box(Eigen::Index size, Eigen::Index begin, Eigen::Index end) {
  Waveform wave{Eigen::VectorXf::Zero(size), 16000};
  wave.samples.segment(begin, end - begin).setOnes();
  return wave;
}

// Frame t covers samples [512 t - 1024, 512 t + 1024). A box from 5120 to 10240 is 2,048 samples
// in its middle frames; at 60 dB any overlap of more than 0.002 samples counts: frames 9 to 21
// touch it (512 t + 1024 > 5120 and 512 t - 1024 < 10240).
TEST(Trim, KeepsFramesThatTouchTheSound) {
  const auto [begin, end] = active_range(box(20480, 5120, 10240), 60);
  EXPECT_EQ(begin, 9 * 512);
  EXPECT_EQ(end, 22 * 512);
}

// At 3 dB a frame must hold more than half of the loudest one: overlap above 1026.4 samples, so
// t = 11 (1,536 samples, first) and t = 19 (1,536 samples, last); t = 10 and 20 hold 1,024.
TEST(Trim, ThresholdIsRelativeToTheLoudestFrame) {
  const auto [begin, end] = active_range(box(20480, 5120, 10240), 3);
  EXPECT_EQ(begin, 11 * 512);
  EXPECT_EQ(end, 20 * 512);
}

TEST(Trim, EndIsCutToTheRecording) {
  const auto [begin, end] = active_range(box(5000, 2000, 5000), 40);
  EXPECT_EQ(begin, 2 * 512);
  EXPECT_EQ(end, 5000);
}

TEST(Trim, SilenceIsLeftWhole) {
  for (const Eigen::Index size : {0, 1, 5000}) {
    const Waveform silence{Eigen::VectorXf::Zero(size), 16000};
    const auto [begin, end] = active_range(silence, 40);
    EXPECT_EQ(begin, 0);
    EXPECT_EQ(end, size);
  }
}

TEST(Trim, GainDoesNotMatter) {
  Waveform wave = box(20480, 5120, 10240);
  wave.samples += sine(100, 1.28, 16000, 0.002).samples;
  const SampleRange loud = active_range(wave, 40);
  wave.samples *= 1e-6f;
  const SampleRange quiet = active_range(wave, 40);
  EXPECT_EQ(loud.begin, quiet.begin);
  EXPECT_EQ(loud.end, quiet.end);
}

TEST(Trim, KeepsTheLoudestFrameWhateverTheRounding) {
  for (const double level : {1e-12, 1e-17, std::numeric_limits<double>::denorm_min()}) {
    const auto [begin, end] = active_range(box(20480, 5120, 10240), level);
    EXPECT_LT(begin, end) << level;
    EXPECT_GE(begin, 0) << level;
    EXPECT_LE(end, 35840) << level;
  }
}

TEST(Trim, RefusesALevelThatIsNotBelowTheLoudest) {
  for (const double level : {0.0, -1.0})
    EXPECT_THAT(error_of([&] { active_range(box(9000, 0, 9), level); }),
                testing::HasSubstr("trimming: expected a level above 0 dB, found "));
  EXPECT_THAT(error_of([] { active_range(box(9000, 0, 9), NAN); }),
              testing::HasSubstr("found nan dB"));
}

}  // namespace
}  // namespace ser
