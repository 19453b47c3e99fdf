#include "features/internal/feature_set.h"

namespace ser {
namespace {

struct Preset {
  std::string_view name;
  std::string_view json;
};

constexpr Preset kPresets[] = {
    // The 180 means of the classic tutorials: chroma from magnitude, mel as power.
    {"classic", R"({
  "pool": "mean",
  "features": [
    {"type": "mfcc", "num_coefficients": 40},
    {"type": "chroma", "spectrum": "magnitude"},
    {"type": "mel"}
  ]})"},
    // The presets below prepare a recording alike, so models of several analyse it once. They trim
    // what lies 20 dB below the voice, as people in the background do, and end at 7 kHz: next to
    // half the rate, what is measured is the filter of whatever resampled the recording.
    // Frame level, for networks that see time: spectrum, melody and voice quality every 10 ms.
    {"frames", R"({
  "sample_rate_hz": 16000, "low_cut_hz": 60, "remove_hum": true, "trim_db": 20, "level": "active_over_noise",
  "features": [
    {"type": "log_mel", "standardize": true,
     "mel": {"num_bands": 64, "high_hz": 7000, "stft": {"fft_size": 512, "hop_samples": 160, "window_samples": 400}}},
    {"type": "melody"},
    {"type": "voice"}
  ]})"},
    // Clip level, for networks that see one vector: spectrum, voice quality, melody and rhythm.
    {"functionals", R"({
  "sample_rate_hz": 16000, "low_cut_hz": 60, "remove_hum": true, "trim_db": 20, "level": "active_over_noise", "pool": "stats",
  "features": [
    {"type": "log_mel",
     "mel": {"num_bands": 40, "high_hz": 7000, "stft": {"fft_size": 1024, "hop_samples": 160, "window_samples": 640}}},
    {"type": "mfcc", "num_coefficients": 20, "pool_over": "voiced",
     "mel": {"num_bands": 40, "high_hz": 7000, "stft": {"fft_size": 1024, "hop_samples": 160, "window_samples": 640}}},
    {"type": "contrast", "pool_over": "voiced", "floor": 1e-4, "num_bands": 5, "high_hz": 6400,
     "stft": {"fft_size": 1024, "hop_samples": 160, "window_samples": 640}},
    {"type": "centroid", "stft": {"fft_size": 1024, "hop_samples": 160, "window_samples": 640}},
    {"type": "rolloff", "stft": {"fft_size": 1024, "hop_samples": 160, "window_samples": 640}},
    {"type": "flatness", "stft": {"fft_size": 1024, "hop_samples": 160, "window_samples": 640}},
    {"type": "zcr", "hop_samples": 160, "frame_samples": 400},
    {"type": "voice", "pool_over": "voiced"},
    {"type": "prosody"}
  ]})"},
    // What tells men from women in any room and mood: the length of the vocal tract, and the pitch.
    {"vocal_tract", R"({
  "sample_rate_hz": 16000, "low_cut_hz": 60, "remove_hum": true, "trim_db": 20, "level": "active_over_noise", "pool": "mean",
  "features": [
    {"type": "lsf", "pool_over": "voiced"},
    {"type": "f0", "frame_samples": 739, "hop_samples": 160, "min_periodicity": 0.35, "pool_over": "voiced"}
  ]})"},
};

}  // namespace

std::string_view preset_json(std::string_view name) {
  for (const Preset& preset : kPresets)
    if (preset.name == name) return preset.json;
  return {};
}

std::vector<std::string_view> preset_names() {
  std::vector<std::string_view> names;
  for (const Preset& preset : kPresets) names.push_back(preset.name);
  return names;
}

}  // namespace ser
