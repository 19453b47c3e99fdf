#include "ser/audio/resample.h"

#include <soxr.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "audio/soxr_resample.h"
#include "core/internal/fail.h"
#include "ser/audio/audio_file.h"

namespace ser {
namespace {

[[noreturn]] void refuse(double input_rate, double output_rate, soxr_error_t error) {
  fail("resampling: expected rates that libsoxr converts, found {} Hz to {} Hz ({})", input_rate,
       output_rate, error);
}

// libsoxr takes minutes over absurd ratios.
void check_rates(std::int64_t from, std::int64_t to) {
  if (std::min(from, to) < 1 || std::max(from, to) > kHighestRateHz)
    fail("resampling: expected rates of 1 to {} Hz, found {} Hz to {} Hz", kHighestRateHz, from,
         to);
}

}  // namespace

Eigen::VectorXf soxr_resample(const Eigen::VectorXf& samples, double input_rate, double output_rate,
                              Eigen::Index size) {
  Eigen::VectorXf resampled = Eigen::VectorXf::Zero(size);
  if (samples.size() == 0 || size == 0) return resampled;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  std::size_t done = 0;
  if (const soxr_error_t error =
          soxr_oneshot(input_rate, output_rate, 1, samples.data(), samples.size(), nullptr,
                       resampled.data(), size, &done, &io, &quality, &runtime))
    refuse(input_rate, output_rate, error);
  return resampled;
}

Waveform resample(const Waveform& wave, int sample_rate_hz) {
  const std::int64_t from = wave.sample_rate_hz, to = sample_rate_hz;
  check_rates(from, to);
  if (from == to) return wave;
  const Eigen::Index size = (wave.samples.size() * to + from - 1) / from;
  return {soxr_resample(wave.samples, static_cast<double>(from), static_cast<double>(to), size),
          sample_rate_hz};
}

struct Resampler::Impl {
  struct Delete {
    void operator()(soxr_t made) const { soxr_delete(made); }
  };

  /// Adds what `samples` (null: the end) give to `out`.
  void process(const float* samples, std::size_t count) {
    constexpr std::size_t kBlock = 1 << 14;
    while (true) {
      const std::size_t filled = out.size();
      out.resize(filled + kBlock);
      std::size_t used = 0, made = 0;
      if (const soxr_error_t error = soxr_process(converter.get(), samples, count, &used,
                                                  out.data() + filled, kBlock, &made))
        refuse(from, to, error);
      out.resize(filled + made);
      if (samples) samples += used;
      count -= used;
      if (made < kBlock && count == 0) return;
    }
  }

  int from = 0, to = 0;
  std::unique_ptr<soxr, Delete> converter;
  std::vector<float> out;
  std::int64_t taken = 0, given = 0;
};

Resampler::Resampler(int from_hz, int to_hz) {
  check_rates(from_hz, to_hz);
  impl_ = std::make_unique<Impl>();
  impl_->from = from_hz;
  impl_->to = to_hz;
  if (from_hz == to_hz) return;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  soxr_error_t error = nullptr;
  impl_->converter.reset(soxr_create(from_hz, to_hz, 1, &error, &io, &quality, &runtime));
  if (error) refuse(from_hz, to_hz, error);
}

Resampler::~Resampler() = default;
Resampler::Resampler(Resampler&&) noexcept = default;

std::span<const float> Resampler::add(std::span<const float> samples) {
  if (!impl_->converter) return samples;
  impl_->out.clear();
  impl_->process(samples.data(), samples.size());
  impl_->taken += samples.size();
  impl_->given += impl_->out.size();
  return impl_->out;
}

std::span<const float> Resampler::finish() {
  if (!impl_->converter) return {};
  impl_->out.clear();
  impl_->process(nullptr, 0);
  const std::int64_t size = (impl_->taken * impl_->to + impl_->from - 1) / impl_->from;
  impl_->out.resize(std::max<std::int64_t>(0, size - impl_->given));
  return impl_->out;
}

}  // namespace ser
