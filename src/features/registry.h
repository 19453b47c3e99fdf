#pragma once

#include <memory>
#include <string_view>

#include "ser/core/options.h"
#include "ser/features/feature.h"

namespace ser {

/// What most features share: an option struct, and a name (`Derived::kType`).
template <typename Derived, typename Options>
class FeatureWith : public Cloneable<Derived, Feature> {
 public:
  std::string_view type() const override { return Derived::kType; }

 protected:
  void visit_options(FieldVisitor& v) override { options_.visit(v); }
  Options options_;
};

// Each is defined beside the feature it makes; registry.cpp holds the table.
std::unique_ptr<Feature> make_mfcc();
std::unique_ptr<Feature> make_mel();
std::unique_ptr<Feature> make_log_mel();
std::unique_ptr<Feature> make_chroma();
std::unique_ptr<Feature> make_rms();
std::unique_ptr<Feature> make_zcr();
std::unique_ptr<Feature> make_centroid();
std::unique_ptr<Feature> make_bandwidth();
std::unique_ptr<Feature> make_rolloff();
std::unique_ptr<Feature> make_contrast();
std::unique_ptr<Feature> make_flatness();
std::unique_ptr<Feature> make_tonnetz();
std::unique_ptr<Feature> make_f0();
std::unique_ptr<Feature> make_energy();
std::unique_ptr<Feature> make_voice();
std::unique_ptr<Feature> make_prosody();
std::unique_ptr<Feature> make_melody();
std::unique_ptr<Feature> make_lsf();

}  // namespace ser
