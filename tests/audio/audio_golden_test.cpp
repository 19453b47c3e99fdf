#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "ser/audio/audio_file.h"
#include "ser/audio/resample.h"
#include "support/npy.h"
#include "support/paths.h"

namespace ser {
namespace {

// Goldens: librosa 0.11.0 `load` (libsndfile 1.2.0, libsoxr 0.1.3 HQ); see shared/golden.
constexpr float kTolerance = 1e-5f;

void expect_golden(const Waveform& original, const std::filesystem::path& folder,
                   const std::string& config, int rate_hz) {
  const NpyArray golden = read_npy(folder / (config + ".wav.npy"));
  const Waveform wave = resample(original, rate_hz);
  ASSERT_EQ(wave.samples.size(), golden.shape.at(0)) << folder << " " << rate_hz;
  const auto expected = Eigen::VectorXf::Map(golden.values.data(), wave.samples.size());
  EXPECT_LE((wave.samples - expected).cwiseAbs().maxCoeff(), kTolerance)
      << folder << " " << rate_hz;
}

TEST(AudioGolden, SyntheticWaveformsMatchLibrosa) {
  const std::filesystem::path root = source_folder() / "tests/golden/synthetic";
  for (const char* name :
       {"chirp_noise_48k", "pulses_silence_48k", "tone_am_8k", "vowels_stereo_48k"}) {
    const Waveform wave = read_audio(root / (std::string(name) + ".wav"));
    expect_golden(wave, root / name, "lib22k", 22050);
    expect_golden(wave, root / name, "lib16k", 16000);
  }
}

TEST(AudioGolden, RavdessWaveformsMatchLibrosa) {
  const std::filesystem::path root = test_data();
  if (!std::filesystem::is_directory(root / "ravdess"))
    GTEST_SKIP() << "no RAVDESS in " << root / "ravdess";
  int clips = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root / "golden")) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || name == "synthetic") continue;
    const std::string actor = name.substr(name.size() - 2);
    const Waveform wave = read_audio(root / "ravdess" / ("Actor_" + actor) / (name + ".flac"));
    expect_golden(wave, entry.path(), "lib22k", 22050);
    expect_golden(wave, entry.path(), "lib16k", 16000);
    ++clips;
  }
  EXPECT_EQ(clips, 12);
}

}  // namespace
}  // namespace ser
