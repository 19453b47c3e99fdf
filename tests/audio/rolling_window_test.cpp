#include "ser/audio/rolling_window.h"

#include <gmock/gmock.h>

#include <vector>

#include "support/errors.h"

namespace ser {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr int kRate = 1000;

/// Sample i is i.
std::vector<float> ramp(int begin, int end) {
  std::vector<float> samples;
  for (int i = begin; i < end; ++i) samples.push_back(static_cast<float>(i));
  return samples;
}

/// Remembers where windows lie; on a ramp each sample must be its own place.
class Seen {
 public:
  RollingWindow::OnWindow on_window() {
    return [this](const Window& window) {
      const Eigen::Index size = window.wave.samples.size();
      spans_.emplace_back(window.begin, window.begin + size);
      for (Eigen::Index i = 0; i < size; ++i)
        ASSERT_EQ(window.wave.samples[i], static_cast<float>(window.begin + i));
    };
  }
  const std::vector<std::pair<std::int64_t, std::int64_t>>& spans() const { return spans_; }

 private:
  std::vector<std::pair<std::int64_t, std::int64_t>> spans_;
};

TEST(RollingWindow, CutsTheSameWindowsHoweverTheSoundComes) {
  for (const int block : {1, 7, 99, 100, 101, 5000}) {
    Seen seen;
    RollingWindow windows(kRate, 0.2, 0.1);
    for (int begin = 0; begin < 450; begin += block)
      windows.push(ramp(begin, std::min(450, begin + block)), seen.on_window());
    EXPECT_THAT(seen.spans(), ElementsAre(Pair(0, 200), Pair(100, 300), Pair(200, 400))) << block;
    EXPECT_DOUBLE_EQ(windows.heard_s(), 0.45);
  }
}

TEST(RollingWindow, SkipsWhatLiesBetweenWindows) {
  Seen seen;
  RollingWindow windows(kRate, 0.1, 0.25);
  for (int begin = 0; begin < 700; begin += 30)
    windows.push(ramp(begin, begin + 30), seen.on_window());
  EXPECT_THAT(seen.spans(), ElementsAre(Pair(0, 100), Pair(250, 350), Pair(500, 600)));
}

TEST(RollingWindow, SpansNoGap) {
  Seen seen;
  RollingWindow windows(kRate, 0.2, 0.1);
  windows.push(ramp(0, 250), seen.on_window());
  windows.restart();
  windows.push(ramp(250, 460), seen.on_window());
  EXPECT_THAT(seen.spans(), ElementsAre(Pair(0, 200), Pair(250, 450)));
}

TEST(RollingWindow, AnswersASoundShorterThanOneWindowAtItsEnd) {
  Seen seen;
  RollingWindow windows(kRate, 1, 0.5);
  windows.push(ramp(0, 300), seen.on_window());
  EXPECT_THAT(seen.spans(), IsEmpty());
  windows.finish(seen.on_window());
  EXPECT_THAT(seen.spans(), ElementsAre(Pair(0, 300)));
}

TEST(RollingWindow, LeavesOutWhatIsTooShortAndWhatAWindowHadAlready) {
  Seen seen;
  RollingWindow windows(kRate, 0.2, 0.1);
  windows.push(ramp(0, 350), seen.on_window());
  windows.finish(seen.on_window());
  windows.push(ramp(350, 449), seen.on_window());
  windows.finish(seen.on_window());
  EXPECT_THAT(seen.spans(), ElementsAre(Pair(0, 200), Pair(100, 300)));
}

TEST(RollingWindow, ItsLastWindowReachesTheEndOnRequest) {
  Seen seen;
  RollingWindow windows(kRate, 0.2, 0.1);
  windows.push(ramp(0, 350), seen.on_window());
  windows.finish_with_rest(seen.on_window());
  windows.push(ramp(350, 550), seen.on_window());
  windows.finish_with_rest(seen.on_window());
  EXPECT_THAT(seen.spans(),
              ElementsAre(Pair(0, 200), Pair(100, 300), Pair(200, 350), Pair(350, 550)));
}

TEST(RollingWindow, KnowsItsTimes) {
  RollingWindow windows(kRate, 0.2, 0.1);
  std::vector<std::pair<double, double>> times;
  windows.push(ramp(0, 300),
               [&](const Window& window) { times.emplace_back(window.start_s(), window.end_s()); });
  EXPECT_THAT(times, ElementsAre(Pair(0, 0.2), Pair(0.1, 0.3)));
}

TEST(RollingWindow, RefusesSizesOutOfBounds) {
  EXPECT_ERROR(RollingWindow(kRate, 0.05, 1), HasSubstr("window: expected 0.1 to 600 s"));
  EXPECT_ERROR(RollingWindow(kRate, 601, 1), HasSubstr("found 601"));
  EXPECT_ERROR(RollingWindow(kRate, 1, 0), HasSubstr("hop: expected 0.01 to 3600 s, found 0"));
  EXPECT_ERROR(RollingWindow(kRate, std::nan(""), 1), HasSubstr("window: expected"));
}

}  // namespace
}  // namespace ser
