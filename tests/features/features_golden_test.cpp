#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "ser/audio/audio_file.h"
#include "ser/audio/resample.h"
#include "ser/features/chroma.h"
#include "ser/features/extractor.h"
#include "ser/features/functionals.h"
#include "ser/features/mfcc.h"
#include "ser/features/pitch.h"
#include "ser/features/spectral.h"
#include "ser/features/temporal.h"
#include "support/npy.h"
#include "support/paths.h"
#include "support/skip.h"

// Goldens: librosa 0.11.0; parameters in manifest.json beside the arrays.

namespace ser {
namespace {

namespace fs = std::filesystem;

FrameMatrix load(const fs::path& path) {
  const NpyArray array = read_npy(path);
  const long columns = array.shape.back();
  const auto rows = static_cast<long>(array.values.size()) / std::max(1L, columns);
  return FrameMatrix::Map(array.values.data(), rows, columns);
}

/// Largest difference; infinity where the shapes differ.
float error(const FrameMatrix& found, const FrameMatrix& golden) {
  if (found.rows() != golden.rows() || found.cols() != golden.cols()) return INFINITY;
  return (found - golden).cwiseAbs().maxCoeff();
}

float relative_error(const FrameMatrix& found, const FrameMatrix& golden) {
  return error(found, golden) / golden.cwiseAbs().maxCoeff();
}

/// A folder of goldens: a synthetic signal of the source tree, or a clip of RAVDESS outside it.
struct Clip {
  std::string name;
  fs::path folder;
  fs::path audio;
};

void PrintTo(const Clip& clip, std::ostream* out) { *out << clip.name; }

std::vector<Clip> clips() {
  std::vector<Clip> clips;
  const fs::path synthetic = source_folder() / "tests/golden/synthetic";
  for (const char* name :
       {"chirp_noise_48k", "pulses_silence_48k", "tone_am_8k", "vowels_stereo_48k"})
    clips.push_back({name, synthetic / name, synthetic / (std::string(name) + ".wav")});
  for (const char* name :
       {"03-01-01-01-01-01-04", "03-01-02-01-01-02-01", "03-01-02-01-02-02-13",
        "03-01-03-01-02-01-07", "03-01-03-02-02-01-10", "03-01-04-01-02-02-09",
        "03-01-05-01-02-02-15", "03-01-05-02-01-01-12", "03-01-06-01-01-02-20",
        "03-01-07-01-01-01-18", "03-01-07-02-01-02-19", "03-01-08-01-02-01-16"}) {
    const std::string stem = name;
    clips.push_back({stem, test_data() / "golden" / stem,
                     test_data() / "ravdess" / ("Actor_" + stem.substr(18)) / (stem + ".flac")});
  }
  return clips;
}

class Golden : public testing::TestWithParam<Clip> {
 protected:
  void SetUp() override {
    if (!fs::exists(GetParam().folder)) GTEST_SKIP() << "no goldens in " << GetParam().folder;
  }
  FrameMatrix golden(const std::string& name) const {
    return load(GetParam().folder / (name + ".npy"));
  }
  /// The golden waveform at 22,050 or 16,000 Hz.
  Eigen::VectorXf samples(int rate_hz) const {
    return golden(rate_hz == 22050 ? "lib22k.wav" : "lib16k.wav").row(0).transpose();
  }
  void report(const std::string& what, float value) {
    RecordProperty(what, fmt::format("{:.2e}", value));
    if (std::getenv("SER_PRINT_ERRORS")) fmt::print("{:<20} {:.2e}\n", what, value);
  }
};

INSTANTIATE_TEST_SUITE_P(Clips, Golden, testing::ValuesIn(clips()), [](const auto& clip) {
  std::string name = clip.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST_P(Golden, LibrosaDefaultsAt22k) {
  constexpr double kGoldenBinHz = 22050.0 / 2048;
  const Eigen::VectorXf wave = samples(22050);
  const FrameMatrix power = power_spectrogram(wave, {});
  const FrameMatrix magnitude = power.cwiseSqrt();
  const FrameMatrix mel = mel_spectrogram(power, {}, 22050);
  const FrameMatrix cepstra = mfcc(power_to_db(mel), 40);
  const FrameMatrix centroid = golden("lib22k.centroid");
  const FrameMatrix contrast = spectral_contrast(magnitude, kGoldenBinHz, {});
  struct Check {
    const char* name;
    float error;
    float tolerance;
  };
  const Check checks[] = {
      {"mel", relative_error(mel, golden("lib22k.mel")), 1e-5f},
      {"mfcc", error(cepstra, golden("lib22k.mfcc")), 2e-3f},
      {"mfcc_delta1", error(delta(cepstra, 1), golden("lib22k.mfcc_delta1")), 1e-3f},
      {"mfcc_delta2", error(delta(cepstra, 2), golden("lib22k.mfcc_delta2")), 1e-3f},
      {"centroid", relative_error(spectral_centroid(magnitude, kGoldenBinHz), centroid), 1e-4f},
      {"bandwidth",
       relative_error(spectral_bandwidth(magnitude, kGoldenBinHz), golden("lib22k.bandwidth")),
       1e-4f},
      {"flatness", relative_error(spectral_flatness(power, 1e-10), golden("lib22k.flatness")),
       1e-4f},
      {"rms", relative_error(rms(wave, {}), golden("lib22k.rms")), 1e-4f},
      {"rolloff", error(spectral_rolloff(magnitude, kGoldenBinHz, 0.85), golden("lib22k.rolloff")),
       static_cast<float>(kGoldenBinHz * 1.001)},
      {"contrast", error(contrast, golden("lib22k.contrast")), 1e-2f},
      {"zcr", error(zero_crossing_rate(wave, {}), golden("lib22k.zcr")), 0},
  };
  for (const Check& check : checks) {
    report(check.name, check.error);
    EXPECT_LE(check.error, check.tolerance) << check.name;
  }
}

TEST_P(Golden, ChromaAndTonnetz) {
  const FrameMatrix power = power_spectrogram(samples(22050), {});
  const auto tuned = [&](double tuning) {
    return chroma(power, chroma_filterbank(2048, 22050, tuning));
  };
  const float fixed = error(tuned(0), golden("lib22k.chroma_stft_tuning0"));
  const double tuning = golden("lib22k.tuning")(0, 0);
  const float injected = error(tuned(tuning), golden("lib22k.chroma_stft"));
  const float centroid = error(tonnetz(tuned(tuning)), golden("lib22k.tonnetz_stft"));
  report("chroma", std::max(fixed, injected));
  report("tonnetz", centroid);
  const double estimated = estimate_tuning(power, 2048, 22050);
  report("tuning", static_cast<float>(std::abs(estimated - tuning)));
  EXPECT_LE(fixed, 1e-4f);
  EXPECT_LE(injected, 1e-4f);
  EXPECT_LE(centroid, 1e-4f);
}

TEST_P(Golden, LibrosaDefaultsAt16k) {
  const FrameMatrix power = power_spectrogram(samples(16000), {});
  const FrameMatrix cepstra = mfcc(power_to_db(mel_spectrogram(power, {}, 16000)), 40);
  const double tuning = golden("lib16k.tuning")(0, 0);
  const FrameMatrix classes = chroma(power, chroma_filterbank(2048, 16000, tuning));
  report("mfcc", error(cepstra, golden("lib16k.mfcc")));
  EXPECT_LE(error(cepstra, golden("lib16k.mfcc")), 2e-3f);
  EXPECT_LE(error(classes, golden("lib16k.chroma_stft")), 1e-4f);
}

TEST_P(Golden, SpeechFrames) {
  const Eigen::VectorXf wave = samples(16000);
  const StftOptions stft{512, 160, 400};
  const FrameMatrix power = power_spectrogram(wave, stft);
  const FrameMatrix mel = mel_spectrogram(power, {stft, 64, 0, 8000}, 16000);
  const FrameMatrix cepstra = mfcc(power_to_db(mel), 13);
  report("mel", relative_error(mel, golden("speech16k.mel")));
  report("mfcc", error(cepstra, golden("speech16k.mfcc")));
  report("mfcc_delta1", error(delta(cepstra, 1), golden("speech16k.mfcc_delta1")));
  report("mfcc_delta2", error(delta(cepstra, 2), golden("speech16k.mfcc_delta2")));
  EXPECT_LE(relative_error(mel, golden("speech16k.mel")), 1e-5f);
  EXPECT_LE(error(cepstra, golden("speech16k.mfcc")), 2e-3f);
  EXPECT_LE(error(delta(cepstra, 1), golden("speech16k.mfcc_delta1")), 1e-3f);
  EXPECT_LE(error(delta(cepstra, 2), golden("speech16k.mfcc_delta2")), 1e-3f);
  EXPECT_LE(relative_error(rms(wave, {400, 160}), golden("speech16k.rms")), 1e-4f);
  EXPECT_EQ(error(zero_crossing_rate(wave, {400, 160}), golden("speech16k.zcr")), 0);
}

TEST_P(Golden, SpeechFramesHtk) {
  const StftOptions stft{512, 160, 400};
  const FrameMatrix power = power_spectrogram(samples(16000), stft);
  const MelOptions options{stft, 40, 20, 7600, MelScale::kHtk};
  const FrameMatrix cepstra = mfcc(power_to_db(mel_spectrogram(power, options, 16000)), 13);
  report("mfcc", error(cepstra, golden("speech16k_htk.mfcc")));
  EXPECT_LE(error(cepstra, golden("speech16k_htk.mfcc")), 2e-3f);
}

TEST_P(Golden, PitchFollowsPyin) {
  const PitchTrack track = track_pitch(samples(22050), 22050, {});
  const FrameMatrix golden_hz = golden("lib22k.pyin_f0");
  ASSERT_EQ(track.hz.size(), golden_hz.size());
  int both = 0, close = 0, ours = 0, theirs = 0;
  for (Eigen::Index t = 0; t < track.hz.size(); ++t) {
    const float expected = golden_hz(0, t);
    theirs += !std::isnan(expected);
    ours += track.hz[t] > 0;
    if (std::isnan(expected) || track.hz[t] == 0) continue;
    ++both;
    close += std::abs(track.hz[t] / expected - 1) <= 0.01f;
  }
  if (std::getenv("SER_PRINT_ERRORS"))
    fmt::print("pitch: {} of {} within 1 %; voiced {} here, {} in pYIN\n", close, both, ours,
               theirs);
  // A fast sweep in noise is less periodic than min_periodicity asks for.
  if (both == 0) GTEST_SKIP() << "no frame that both call voiced";
  EXPECT_GE(close, 0.95 * both);
  // We call fewer frames voiced than pYIN does; agreement must not come from giving up on them.
  EXPECT_GE(both, 0.33 * theirs);
}

/// Frames of all clips of RAVDESS, by what the two trackers say of them.
struct Voicing {
  int voiced = 0;    ///< in pYIN
  int found = 0;     ///< of those
  int close = 0;     ///< of those found, within 1 %
  int unvoiced = 0;  ///< in pYIN
  int alarms = 0;    ///< of those, voiced here

  double recall() const { return static_cast<double>(found) / voiced; }
  double false_alarms() const { return static_cast<double>(alarms) / unvoiced; }
  double agreement() const { return static_cast<double>(close) / found; }
};

Voicing voicing_of_recordings(const PitchOptions& options) {
  Voicing sum;
  for (const Clip& clip : clips()) {
    if (clip.folder.parent_path().filename() == "synthetic") continue;
    const PitchTrack track =
        track_pitch(load(clip.folder / "lib22k.wav.npy").row(0).transpose(), 22050, options);
    const FrameMatrix golden_hz = load(clip.folder / "lib22k.pyin_f0.npy");
    for (Eigen::Index t = 0; t < track.hz.size(); ++t) {
      const float expected = golden_hz(0, t);
      const bool here = track.hz[t] > 0;
      ++(std::isnan(expected) ? sum.unvoiced : sum.voiced);
      if (!here) continue;
      ++(std::isnan(expected) ? sum.alarms : sum.found);
      if (std::abs(track.hz[t] / expected - 1) <= 0.01f) ++sum.close;
    }
  }
  return sum;
}

// The figures that pitch.h states, and what melody and voice look at (a lower periodicity).
TEST(Pitch, VoicingAgainstPyin) {
  SER_SKIP_WITHOUT(test_data() / "golden");
  for (const auto& [periodicity, recall, alarms] :
       {std::tuple{0.5, 0.64, 0.042}, std::tuple{0.35, 0.74, 0.06}}) {
    PitchOptions options;
    options.min_periodicity = periodicity;
    const Voicing found = voicing_of_recordings(options);
    if (std::getenv("SER_PRINT_ERRORS"))
      fmt::print(
          "pitch from periodicity {}: recall {:.3f}, false alarms {:.3f}, within 1 % {:.3f}\n",
          periodicity, found.recall(), found.false_alarms(), found.agreement());
    EXPECT_GE(found.recall(), recall);
    EXPECT_LE(found.false_alarms(), alarms);
    EXPECT_GE(found.agreement(), 0.95);
  }
}

/// The 180 means of a file at a rate; tuning: fixed, or ChromaOptions::kEstimated.
Eigen::VectorXf classic(const fs::path& audio, int rate_hz, double tuning,
                        const std::string& spectrum) {
  FeatureSet set;
  from_json(fmt::format(R"({{"sample_rate_hz": {}, "pool": "mean", "features": [
              {{"type": "mfcc", "num_coefficients": 40}},
              {{"type": "chroma", "spectrum": "{}", "tuning": {}}}, {{"type": "mel"}}]}})",
                        rate_hz, spectrum, tuning),
            set);
  return Extractor(set).extract(read_audio(audio));
}

TEST_P(Golden, ClassicVector) {
  if (!fs::exists(GetParam().folder / "tutorial48k.vec180.npy") || !fs::exists(GetParam().audio))
    GTEST_SKIP() << "no vector or recording of " << GetParam().name;
  for (const int rate_hz : {48000, 22050}) {
    const std::string config = rate_hz == 48000 ? "tutorial48k." : "tutorial22k.";
    const auto check = [&](const std::string& name, double tuning, const std::string& spectrum) {
      const Eigen::VectorXf expected = golden(config + name).row(0).transpose();
      const Eigen::VectorXf found = classic(GetParam().audio, rate_hz, tuning, spectrum);
      ASSERT_EQ(found.size(), 180);
      const Eigen::VectorXf difference = (found - expected).cwiseAbs();
      report("classic_mfcc", difference.head(40).maxCoeff());
      report("classic_chroma", difference.segment(40, 12).maxCoeff());
      report("classic_mel", difference.tail(128).maxCoeff() / expected.tail(128).maxCoeff());
      EXPECT_LE(difference.head(40).maxCoeff(), 2e-3f) << config << name;
      EXPECT_LE(difference.segment(40, 12).maxCoeff(), 1e-4f) << config << name;
      EXPECT_LE(difference.tail(128).maxCoeff(), 1e-5f * expected.tail(128).maxCoeff());
    };
    check("vec180_tuning0", 0, "magnitude");
    check("vec180", golden(config + "tuning")(0, 0), "magnitude");
    check("vec180_powchroma", golden(config + "tuning_power")(0, 0), "power");
    const Eigen::VectorXf expected = golden(config + "vec180").row(0).transpose();
    FeatureSet set = parse_feature_set("classic");
    set.sample_rate_hz = rate_hz;
    const Eigen::VectorXf found = Extractor(set).extract(read_audio(GetParam().audio));
    report("classic_estimated", (found - expected).segment(40, 12).cwiseAbs().maxCoeff());
    // A flipped vote of the tuning estimate moves mean chroma by up to 0.05 (golden README).
    EXPECT_LE((found - expected).segment(40, 12).cwiseAbs().maxCoeff(), 0.05f);
  }
}

}  // namespace
}  // namespace ser
