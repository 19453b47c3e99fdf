#include "features/registry.h"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "core/internal/fail.h"
#include "features/internal/feature_set.h"
#include "ser/core/text.h"
#include "ser/features/functionals.h"

namespace ser {
namespace {

struct Entry {
  std::string_view type;
  std::unique_ptr<Feature> (*make)();
};

constexpr Entry kFeatures[] = {
    {"mfcc", make_mfcc},
    {"mel", make_mel},
    {"log_mel", make_log_mel},
    {"chroma", make_chroma},
    {"rms", make_rms},
    {"zcr", make_zcr},
    {"centroid", make_centroid},
    {"bandwidth", make_bandwidth},
    {"rolloff", make_rolloff},
    {"contrast", make_contrast},
    {"flatness", make_flatness},
    {"tonnetz", make_tonnetz},
    {"f0", make_f0},
    {"energy", make_energy},
    {"voice", make_voice},
    {"prosody", make_prosody},
    {"melody", make_melody},
    {"lsf", make_lsf},
};

constexpr auto kTypes = [] {
  std::array<std::string_view, std::size(kFeatures)> types;
  for (std::size_t i = 0; i < types.size(); ++i) types[i] = kFeatures[i].type;
  return types;
}();

}  // namespace

std::span<const std::string_view> feature_types() { return kTypes; }

std::unique_ptr<Feature> make_feature(std::string_view type) {
  for (const Entry& entry : kFeatures)
    if (entry.type == type) return entry.make();
  fail("unknown feature '{}'{}; known are {}", type, did_you_mean(type, kTypes),
       fmt::join(kTypes, ", "));
}

std::vector<std::string> numbered(std::string_view stem, int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back(fmt::format("{}.{}", stem, i));
  return names;
}

bool Feature::voiced_only(std::size_t) const { return false; }

PitchOptions Feature::voicing(int sample_rate_hz) const {
  return voicing_options(sample_rate_hz, hop_samples());
}

void Feature::visit(FieldVisitor& v) {
  visit_options(v);
  v.field("delta_order", delta_order,
          "0: the values; 1, 2: their slope or curvature over nine frames", Range{0, 2});
  v.choice("pool_over", pool_over, {{"all", PoolOver::kAll}, {"voiced", PoolOver::kVoiced}},
           "Frames that pooling takes its statistics over");
}

std::vector<std::string> Feature::names() const {
  std::vector<std::string> names = base_names();
  if (delta_order == 0) return names;
  for (std::string& name : names) name += delta_order == 1 ? ":delta" : ":delta2";
  return names;
}

FrameMatrix Feature::values(const Analysis& analysis) const {
  FrameMatrix values = compute(analysis);
  analysis.count(values.rows(), values.cols());
  return delta_order == 0 ? values : delta(values, delta_order);
}

}  // namespace ser
