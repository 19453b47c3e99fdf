#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ser/nn/layer.h"

namespace ser::nn {

/// A layer with some of its options changed.
struct LayerVariant {
  std::string description;
  std::unique_ptr<Layer> layer;
};

/// Makes a layer small enough for a test: sizes above 8 become 6, rates become 0.4, and empty
/// lists of layers get two layers.
class MakeSmall : public FieldVisitor {
 public:
  void field(std::string_view, bool&, std::string_view) override {}
  void field(std::string_view, int& value, std::string_view, const Range&) override {
    if (value > 8) value = 6;
  }
  void field(std::string_view name, double& value, std::string_view, const Range&) override {
    if (name == "rate" || name == "dropout") value = 0.4;
  }
  void field(std::string_view, std::string&, std::string_view) override {}
  void field(std::string_view, std::vector<std::string>&, std::string_view) override {}
  void list(std::string_view, ObjectList& objects) override {
    objects.clear();
    objects.append("batch_norm");
    objects.append("dropout");
    for (std::size_t i = 0; i < objects.size(); ++i) objects.visit(i, *this);
  }

 protected:
  void choice_field(std::string_view, std::size_t&, std::span<const std::string_view>,
                    std::string_view) override {}
  void group_field(std::string_view, const Visitable& options) override { options.visit(*this); }
};

/// Sets the `wanted`-th alternative among all choices and switches of an option struct: a choice
/// of n spellings has n of them, a switch two, a whole number 2 and 3.
class SetAlternative : public MakeSmall {
 public:
  explicit SetAlternative(int wanted) : wanted_(wanted) {}
  using MakeSmall::field;
  void field(std::string_view name, bool& value, std::string_view) override {
    for (const bool alternative : {false, true})
      if (next_++ == wanted_) {
        value = alternative;
        description = std::string(name) + (alternative ? "=true" : "=false");
      }
  }
  void field(std::string_view name, int& value, std::string_view, const Range&) override {
    for (const int alternative : {2, 3})
      if (next_++ == wanted_) {
        value = alternative;
        description = std::string(name) + "=" + std::to_string(alternative);
      }
  }
  std::string description;
  bool found() const { return !description.empty(); }

 protected:
  void choice_field(std::string_view name, std::size_t& chosen,
                    std::span<const std::string_view> spellings, std::string_view) override {
    for (std::size_t i = 0; i < spellings.size(); ++i)
      if (next_++ == wanted_) {
        chosen = i;
        description = std::string(name) + "=" + std::string(spellings[i]);
      }
  }

 private:
  int wanted_;
  int next_ = 0;
};

/// The small layer as it is, and once more for every alternative of its choices and switches.
inline std::vector<LayerVariant> layer_variants(const std::string& type) {
  std::vector<LayerVariant> variants;
  MakeSmall make_small;
  variants.push_back({"defaults", make_layer(type)});
  variants.back().layer->visit(make_small);
  for (int wanted = 0;; ++wanted) {
    SetAlternative alternative(wanted);
    std::unique_ptr<Layer> layer = make_layer(type);
    layer->visit(alternative);
    if (!alternative.found()) return variants;
    layer->visit(make_small);
    variants.push_back({alternative.description, std::move(layer)});
  }
}

}  // namespace ser::nn
