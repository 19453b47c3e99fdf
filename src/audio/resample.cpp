#include "ser/audio/resample.h"

#include <soxr.h>

#include <algorithm>
#include <cstdint>

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

}  // namespace ser
