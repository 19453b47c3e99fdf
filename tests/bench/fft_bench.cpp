#include <benchmark/benchmark.h>
#include <kiss_fftr.h>

#include <Eigen/Core>
#include <unsupported/Eigen/FFT>
#include <vector>

#include "features/batch_fft.h"
#include "ser/core/rng.h"
#include "ser/features/extractor.h"

// Transforms of one block of frames: ours in double over the lanes, against one frame at a time in
// float by kissfft and in double by Eigen. items_per_second counts frames.

namespace ser {
namespace {

constexpr int kLanes = BatchFft::kLanes;

template <typename Real>
std::vector<Real> random_signal(int size) {
  std::vector<Real> signal(static_cast<std::size_t>(size));
  Rng rng(1, 0);
  for (Real& sample : signal) sample = static_cast<Real>(rng.normal());
  return signal;
}

void batch_fft(benchmark::State& state) {
  const int size = static_cast<int>(state.range(0));
  const BatchFft fft(size);
  const std::vector<float> input = random_signal<float>(size * kLanes);
  const std::vector<BatchFft::Real> weights(static_cast<std::size_t>(size), 1);
  std::vector<const float*> rows;
  for (int n = 0; n < size; ++n) rows.push_back(input.data() + n * kLanes);
  Eigen::VectorX<BatchFft::Real> scratch(fft.scratch_size()), spectrum(fft.spectrum_size());
  for (auto _ : state) {
    fft.transform(rows, 0, weights, scratch.data(), spectrum.data());
    benchmark::DoNotOptimize(spectrum.data());
  }
  state.SetItemsProcessed(state.iterations() * kLanes);
}

void kiss(benchmark::State& state) {
  const int size = static_cast<int>(state.range(0));
  const std::vector<kiss_fft_scalar> input = random_signal<kiss_fft_scalar>(size);
  std::vector<kiss_fft_cpx> spectrum(static_cast<std::size_t>(size / 2 + 1));
  kiss_fftr_cfg plan = kiss_fftr_alloc(size, 0, nullptr, nullptr);
  for (auto _ : state) {
    kiss_fftr(plan, input.data(), spectrum.data());
    benchmark::DoNotOptimize(spectrum.data());
  }
  kiss_fftr_free(plan);
  state.SetItemsProcessed(state.iterations());
}

void eigen(benchmark::State& state) {
  const std::vector<double> input = random_signal<double>(static_cast<int>(state.range(0)));
  Eigen::FFT<double> fft;
  fft.SetFlag(Eigen::FFT<double>::HalfSpectrum);
  std::vector<std::complex<double>> spectrum;
  for (auto _ : state) {
    fft.fwd(spectrum, input);
    benchmark::DoNotOptimize(spectrum.data());
  }
  state.SetItemsProcessed(state.iterations());
}

/// A clip of 3.7 s from waveform to features; prepared, so without resampling.
void extract_clip(benchmark::State& state, const char* preset, int rate_hz) {
  const Extractor extractor(parse_feature_set(preset));
  Waveform wave{Eigen::VectorXf(static_cast<Eigen::Index>(3.7 * rate_hz)), rate_hz};
  Rng rng(2, 0);
  for (float& sample : wave.samples) sample = static_cast<float>(0.1 * rng.normal());
  for (auto _ : state) benchmark::DoNotOptimize(extractor.extract(wave));
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(batch_fft)->Arg(512)->Arg(1024)->Arg(2048);
BENCHMARK(kiss)->Arg(512)->Arg(1024)->Arg(2048);
BENCHMARK(eigen)->Arg(512)->Arg(1024)->Arg(2048);
BENCHMARK_CAPTURE(extract_clip, classic_48k, "classic", 48000);
BENCHMARK_CAPTURE(extract_clip, classic_22k, "classic", 22050);
BENCHMARK_CAPTURE(extract_clip, frames, "frames", 16000);
BENCHMARK_CAPTURE(extract_clip, functionals, "functionals", 16000);

}  // namespace
}  // namespace ser
