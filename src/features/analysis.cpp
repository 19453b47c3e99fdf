#include "ser/features/analysis.h"

#include <algorithm>
#include <mutex>
#include <tuple>
#include <type_traits>

#include "core/internal/fail.h"
#include "features/frame_blocks.h"
#include "features/frame_memory.h"
#include "features/memo.h"
#include "features/pitch_plan.h"
#include "ser/features/mfcc.h"

namespace ser {

struct Tables::Impl {
  std::mutex mutex;
  Memo<StftOptions, StftPlan> stft;
  Memo<std::pair<PitchOptions, int>, PitchPlan> pitch;
  Memo<std::pair<MelOptions, int>, MelFilterbank> mel;
  Memo<std::tuple<int, int, double>, Eigen::MatrixXf> chroma;
  Memo<std::pair<int, int>, Eigen::MatrixXd> dct;

  template <typename Key, typename Made, typename Make>
  const Made& get(Memo<Key, Made>& memo, const std::type_identity_t<Key>& key, Make make) {
    const std::lock_guard lock(mutex);
    return memo.get(key, make);
  }
};

Tables::Tables() : impl_(std::make_unique<Impl>()) {}
Tables::~Tables() = default;

const StftPlan& Tables::stft(const StftOptions& options) const {
  return impl_->get(impl_->stft, options, [&] { return StftPlan(options); });
}

const PitchPlan& Tables::pitch(const PitchOptions& options, int sample_rate_hz) const {
  return impl_->get(impl_->pitch, {options, sample_rate_hz},
                    [&] { return PitchPlan(options, sample_rate_hz); });
}

const MelFilterbank& Tables::mel(const MelOptions& options, int sample_rate_hz) const {
  return impl_->get(impl_->mel, {options, sample_rate_hz},
                    [&] { return MelFilterbank(options, sample_rate_hz); });
}

const Eigen::MatrixXf& Tables::chroma(int fft_size, int sample_rate_hz, double tuning) const {
  return impl_->get(impl_->chroma, {fft_size, sample_rate_hz, tuning},
                    [&] { return chroma_filterbank(fft_size, sample_rate_hz, tuning); });
}

const Eigen::MatrixXd& Tables::dct(int rows, int size) const {
  return impl_->get(impl_->dct, {rows, size}, [&] { return dct_matrix(rows, size); });
}

struct Analysis::Impl {
  FramePlace place;
  double numbers = 0;
  Memo<StftOptions, FrameMatrix> power = {};
  Memo<StftOptions, FrameMatrix> magnitude = {};
  Memo<MelOptions, FrameMatrix> mel = {};
  Memo<std::pair<MelOptions, DecibelOptions>, FrameMatrix> log_mel = {};
  Memo<ChromaOptions, FrameMatrix> chroma = {};
  Memo<PitchOptions, PitchTrack> pitch = {};
};

Analysis::Analysis(const Waveform& wave, const Tables& tables)
    : Analysis(wave, tables, FramePlace{}) {}
Analysis::Analysis(const Waveform& wave, const Tables& tables, const FramePlace& place)
    : wave_(wave), tables_(tables), impl_(new Impl{place}) {}
Analysis::~Analysis() = default;

// A small feature set may ask for a frame at each sample, and a thousand rows of it.
void Analysis::count(Eigen::Index rows, Eigen::Index frames) const {
  constexpr double kMostPerSecond = 1 << 21;
  impl_->numbers += static_cast<double>(rows) * static_cast<double>(frames);
  if (impl_->numbers > kMostPerSecond * std::max(1.0, wave_.duration_s()))
    fail(
        "features: expected at most {} numbers for each second of audio, found more: too many "
        "rows, or hop_samples too small",
        kMostPerSecond);
}

void Analysis::count(Eigen::Index rows, const StftOptions& options) const {
  count(rows, num_frames(wave_.samples.size(), options.hop_samples));
}

const FrameMatrix& Analysis::power(const StftOptions& options) const {
  return impl_->power.get(options, [&] {
    const StftPlan& plan = tables_.stft(options);
    count(options.fft_size / 2 + 1, options);
    return plan.power(wave_.samples);
  });
}

const FrameMatrix& Analysis::magnitude(const StftOptions& options) const {
  return impl_->magnitude.get(options, [&] {
    count(options.fft_size / 2 + 1, options);
    return FrameMatrix(power(options).cwiseSqrt());
  });
}

const FrameMatrix& Analysis::mel(const MelOptions& options) const {
  return impl_->mel.get(options, [&] {
    count(options.num_bands, options.stft);
    return tables_.mel(options, wave_.sample_rate_hz).apply(power(options.stft));
  });
}

const FrameMatrix& Analysis::log_mel(const MelOptions& options,
                                     const DecibelOptions& decibel) const {
  return impl_->log_mel.get({options, decibel}, [&] {
    count(options.num_bands, options.stft);
    return power_to_db(mel(options), decibel);
  });
}

const FrameMatrix& Analysis::chroma(const ChromaOptions& options) const {
  return impl_->chroma.get(options, [&] {
    const FrameMatrix& input =
        options.spectrum == SpectrumKind::kPower ? power(options.stft) : magnitude(options.stft);
    const int fft_size = options.stft.fft_size, rate_hz = wave_.sample_rate_hz;
    const bool known = options.tuning >= -0.5 && options.tuning <= 0.5;
    if (!known && options.tuning != ChromaOptions::kEstimated)
      fail("chroma: expected a tuning from -0.5 to 0.5 semitones, or {} to estimate it, found {}",
           ChromaOptions::kEstimated, options.tuning);
    const double tuning = options.tuning == ChromaOptions::kEstimated
                              ? estimate_tuning(input, fft_size, rate_hz)
                              : options.tuning;
    return ser::chroma(input, tables_.chroma(fft_size, rate_hz, tuning));
  });
}

const PitchTrack& Analysis::pitch(const PitchOptions& options) const {
  return impl_->pitch.get(options, [&] {
    const PitchPlan& plan = tables_.pitch(options, wave_.sample_rate_hz);
    count(options.frame_samples / 2, num_frames(wave_.samples.size(), options.hop_samples));
    return plan.track(wave_.samples, impl_->place);
  });
}

}  // namespace ser
