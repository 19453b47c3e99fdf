#pragma once

#include <array>

#include "ser/core/options.h"
#include "ser/nn/tensor.h"

namespace ser::nn {

struct OptimizerOptions {
  enum class Kind { kAdam, kAdamW };
  Kind kind = Kind::kAdamW;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 1e-2;

  void visit(FieldVisitor& v);
};

/// Moves parameters against a gradient. Sees flat vectors only.
/// adam: Kingma and Ba 2015, weight decay added to the gradient; adamw: decoupled decay (Loshchilov
/// and Hutter 2019).
class Optimizer {
 public:
  /// decay_mask: one where weight decay applies, else zero; as long as the parameters.
  Optimizer(const OptimizerOptions& options, Vector decay_mask);

  void step(Vector& parameters, const Vector& gradient, double learning_rate);

  /// What a checkpoint keeps: number of steps and moment vectors.
  long steps() const { return steps_; }
  const std::array<Vector, 2>& moments() const { return moments_; }
  /// Throws Error if the moments do not fit.
  void restore(long steps, std::array<Vector, 2> moments);

 private:
  OptimizerOptions options_;
  Vector decay_mask_;
  long steps_ = 0;
  std::array<Vector, 2> moments_;  ///< mean and mean square of the gradient
};

/// Scales `gradient` so that its Euclidean norm, summed in double, is at most `max_norm` (> 0).
/// Returns the norm before.
double clip_gradient(Vector& gradient, double max_norm);

struct ScheduleOptions {
  enum class Kind { kConstant, kOneCycle };
  Kind kind = Kind::kOneCycle;
  double peak_at = 0.3;        ///< share of the run at which `one_cycle` peaks
  double start_factor = 0.04;  ///< rate of `one_cycle` at the start, relative to the peak
  double final_factor = 0;     ///< rate at its end, relative to the peak

  void visit(FieldVisitor& v);
};

/// What the base learning rate is multiplied by at `progress` in [0, 1] of the run.
/// one_cycle: a rise and a fall along half a cosine each (Smith and Topin 2018, without their cycle
/// of the momentum).
double schedule_factor(const ScheduleOptions& options, double progress);

}  // namespace ser::nn
