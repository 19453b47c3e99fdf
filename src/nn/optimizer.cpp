#include "ser/nn/optimizer.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "ser/core/error.h"

namespace ser::nn {
namespace {

// Numbers that are brought up to date together, so that they stay in the first-level cache. Whole
// packets, so that each number is computed alike whatever the block.
constexpr Index kStepBlock = 2048;

/// From 1 at t = 0 to 0 at t = 1 along half a cosine.
double half_cosine(double t) { return 0.5 * (1 + std::cos(std::numbers::pi * t)); }

}  // namespace

void OptimizerOptions::visit(FieldVisitor& v) {
  v.choice("kind", kind, {{"adam", Kind::kAdam}, {"adamw", Kind::kAdamW}}, "Optimizer");
  v.field("beta1", beta1, "Decay of Adam's mean", Range{0, 1}.below());
  v.field("beta2", beta2, "Decay of Adam's mean square", Range{0, 1}.below());
  v.field("epsilon", epsilon, "Added to Adam's root mean square", Range{0, 1}.above());
  v.field("weight_decay", weight_decay, "Pull of the weights towards zero", Range{0, 1000});
}

Optimizer::Optimizer(const OptimizerOptions& options, Vector decay_mask)
    : options_(options), decay_mask_(std::move(decay_mask)) {
  check_ranges(options_);
  moments_.fill(Vector::Zero(decay_mask_.size()));
}

void Optimizer::step(Vector& parameters, const Vector& gradient, double learning_rate) {
  ++steps_;
  const auto rate = static_cast<Real>(learning_rate);
  const auto decay = static_cast<Real>(options_.weight_decay);
  const bool decoupled = options_.kind == OptimizerOptions::Kind::kAdamW;
  const auto beta1 = static_cast<Real>(options_.beta1), beta2 = static_cast<Real>(options_.beta2);
  const double steps = steps_;
  const auto unbias1 = static_cast<Real>(1 / (1 - std::pow(options_.beta1, steps)));
  const auto unbias2 = static_cast<Real>(1 / (1 - std::pow(options_.beta2, steps)));
  const auto epsilon = static_cast<Real>(options_.epsilon);
  for (Index begin = 0; begin < parameters.size(); begin += kStepBlock) {
    const Index count = std::min(kStepBlock, parameters.size() - begin);
    const auto mask = decay_mask_.segment(begin, count).array();
    auto p = parameters.segment(begin, count).array();
    auto mean = moments_[0].segment(begin, count).array();
    const auto g =
        gradient.segment(begin, count).array() + (decoupled ? Real{0} : decay) * mask * p;
    auto square = moments_[1].segment(begin, count).array();
    mean = beta1 * mean + (1 - beta1) * g;
    square = beta2 * square + (1 - beta2) * g.square();
    if (decoupled) p -= rate * decay * mask * p;
    p -= rate * unbias1 * mean / ((square * unbias2).sqrt() + epsilon);
  }
}

void Optimizer::restore(long steps, std::array<Vector, 2> moments) {
  if (moments[0].size() != decay_mask_.size() || moments[1].size() != decay_mask_.size())
    throw Error("optimizer: the checkpoint's moments do not fit this network");
  steps_ = steps;
  moments_ = std::move(moments);
}

double clip_gradient(Vector& gradient, double max_norm) {
  const double norm = gradient.cast<double>().norm();
  if (norm > max_norm) gradient *= static_cast<Real>(max_norm / norm);
  return norm;
}

void ScheduleOptions::visit(FieldVisitor& v) {
  v.choice("kind", kind, {{"constant", Kind::kConstant}, {"one_cycle", Kind::kOneCycle}},
           "How the learning rate changes over the run");
  v.field("peak_at", peak_at, "Share of the run at which one_cycle peaks",
          Range{0, 1}.above().below());
  v.field("start_factor", start_factor, "Where one_cycle starts, relative to its peak",
          Range{0, 1000});
  v.field("final_factor", final_factor, "Where one_cycle ends, relative to its peak",
          Range{0, 1000});
}

double schedule_factor(const ScheduleOptions& options, double progress) {
  if (options.kind == ScheduleOptions::Kind::kConstant) return 1;
  const auto between = [](double from, double to, double t) {
    return to + (from - to) * half_cosine(t);
  };
  return progress < options.peak_at ? between(options.start_factor, 1, progress / options.peak_at)
                                    : between(1, options.final_factor,
                                              (progress - options.peak_at) / (1 - options.peak_at));
}

}  // namespace ser::nn
