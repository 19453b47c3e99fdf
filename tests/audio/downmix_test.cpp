#include <gmock/gmock.h>

#include <tuple>

#include "audio/encoded.h"
#include "audio/signals.h"
#include "ser/audio/audio_file.h"
#include "ser/audio/pcm_stream.h"
#include "ser/core/rng.h"

namespace ser {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Eigen::Index kFrames = 2 * kRateHz;

/// One column a channel.
using Channels = Eigen::MatrixXf;

Eigen::VectorXf voice() { return sine(220, 2, kRateHz, 0.4).samples; }

Eigen::VectorXf noise(std::uint64_t stream, double rms) {
  Rng rng(7, stream);
  Eigen::VectorXf samples(kFrames);
  for (float& sample : samples) sample = static_cast<float>(rms * rng.normal());
  return samples;
}

std::string file_of(const Channels& channels) {
  std::vector<std::int16_t> samples;
  for (Eigen::Index i = 0; i < channels.rows(); ++i)
    for (Eigen::Index c = 0; c < channels.cols(); ++c)
      samples.push_back(static_cast<std::int16_t>(std::lround(32767 * channels(i, c))));
  return wav_bytes(static_cast<std::uint16_t>(channels.cols()), kRateHz, samples);
}

struct Mixed {
  Eigen::VectorXf samples;
  std::vector<std::string> notices;
};

Mixed mix_file(const Channels& channels) {
  const std::string bytes = file_of(channels);
  AudioReader reader(std::as_bytes(std::span(bytes)), "clip");
  Eigen::VectorXf samples = read_audio(reader).samples;
  return {samples, reader.notices()};
}

Mixed mix_stream(const Channels& channels, std::size_t step) {
  PcmStream stream(
      [bytes = file_of(channels), step, at = std::size_t{0}](std::span<std::byte> out) mutable {
        const std::size_t count = std::min({step, out.size(), bytes.size() - at});
        std::memcpy(out.data(), bytes.data() + at, count);
        at += count;
        return count;
      },
      "stream");
  std::vector<float> samples;
  for (auto block = stream.next_block(); !block.empty(); block = stream.next_block())
    samples.insert(samples.end(), block.begin(), block.end());
  Mixed mixed{Eigen::VectorXf::Map(samples.data(), static_cast<Eigen::Index>(samples.size())), {}};
  mixed.notices = stream.notices();
  return mixed;
}

double rms(const Eigen::VectorXf& samples) {
  return std::sqrt(samples.cast<double>().squaredNorm() / static_cast<double>(samples.size()));
}

class DownmixOf : public testing::TestWithParam<int> {
 protected:
  Channels silent() const { return Channels::Zero(kFrames, GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Channels, DownmixOf, testing::Range(2, 7));

// Half of the channels inverted; with an odd number, the last is silent.
TEST_P(DownmixOf, TakesTheLoudestWhereChannelsCancel) {
  Channels channels = silent();
  for (int c = 0; c + 1 < GetParam(); c += 2) {
    channels.col(c) = voice() * (c == 0 ? 1.0f : 0.5f);
    channels.col(c + 1) = -channels.col(c);
  }
  const Mixed mixed = mix_file(channels);
  const Eigen::Index late = kFrames - kRateHz / 100;
  EXPECT_NEAR(mixed.samples.tail(late).cwiseAbs().maxCoeff(), 0.4, 1e-3);
  EXPECT_NEAR((mixed.samples - channels.col(0)).tail(late).cwiseAbs().maxCoeff(), 0, 1e-4);
  EXPECT_THAT(mixed.notices, ElementsAre("its channels cancel each other out: the loudest one was "
                                         "taken for 2.0 of 2.0 s"));
}

TEST_P(DownmixOf, FilesAndStreamsAgreeHoweverBytesCome) {
  Channels channels = silent();
  channels.col(0) = voice();
  channels.col(1) = -0.95f * voice();
  const Mixed file = mix_file(channels);
  for (const std::size_t step : {1, 7, 1000, 100000}) {
    const Mixed stream = mix_stream(channels, step);
    EXPECT_EQ(stream.samples, file.samples) << step;
    EXPECT_EQ(stream.notices, file.notices);
  }
}

TEST_P(DownmixOf, AveragesWhatDoesNotCancel) {
  const auto is_average = [](const Channels& channels) {
    const Mixed mixed = mix_file(channels);
    EXPECT_THAT(mixed.notices, IsEmpty());
    return (mixed.samples - channels.rowwise().mean()).cwiseAbs().maxCoeff() < 1e-4;
  };
  Channels one_speaks = silent();
  one_speaks.col(GetParam() - 1) = voice();
  EXPECT_TRUE(is_average(one_speaks)) << "the others are silent";
  Channels one_is_loud = silent(), unrelated = silent(), same = silent();
  for (int c = 0; c < GetParam(); ++c) {
    one_is_loud.col(c) = noise(static_cast<std::uint64_t>(c), c == 1 ? 0.2 : 0.002);
    unrelated.col(c) = noise(static_cast<std::uint64_t>(c), 0.1);
    same.col(c) = voice();
  }
  EXPECT_TRUE(is_average(one_is_loud));
  EXPECT_TRUE(is_average(unrelated));
  EXPECT_TRUE(is_average(same));
  EXPECT_TRUE(is_average(silent())) << "silence";
}

// The sides' own offsets and noise do not hide that their voices cancel.
TEST(Downmix, OffsetAndNoiseDoNotHideWhatCancels) {
  Channels channels(kFrames, 2);
  channels.col(0) = voice() + noise(1, 0.01) + Eigen::VectorXf::Constant(kFrames, 0.05f);
  channels.col(1) = -voice() + noise(2, 0.01) + Eigen::VectorXf::Constant(kFrames, 0.05f);
  EXPECT_GT(rms(mix_file(channels).samples.tail(kFrames - 160)), 0.25);
}

TEST(Downmix, GoesBackToTheAverageWhereItIsSoundAgain) {
  Channels channels(kFrames, 2);
  channels.col(0) = voice();
  channels.col(1) = voice();
  channels.col(1).head(kRateHz / 2) *= -1;
  channels.col(0).tail(kRateHz) = noise(1, 0.2).tail(kRateHz);
  channels.col(1).tail(kRateHz) = noise(2, 0.2).tail(kRateHz);
  const Mixed mixed = mix_file(channels);
  const Eigen::VectorXf average = channels.rowwise().mean();
  EXPECT_LT((mixed.samples - average).tail(kRateHz / 2).cwiseAbs().maxCoeff(), 1e-4);
  EXPECT_THAT(mixed.notices, ElementsAre(HasSubstr("of 2.0 s")));
}

}  // namespace
}  // namespace ser
