#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ser/core/options.h"
#include "ser/model/scaler.h"
#include "ser/nn/network.h"
#include "ser/nn/optimizer.h"

namespace ser {

/// How much each task counts in the loss. Intensity is a helper: trained along, not in the model.
struct TaskWeights {
  double emotion = 1;
  double gender = 0.2;
  double intensity = 0;

  void visit(FieldVisitor& v);
};

struct EarlyStoppingOptions {
  bool enabled = false;
  int patience = 20;  ///< epochs without a better loss on the validation speakers

  void visit(FieldVisitor& v);
};

struct TrainingOptions {
  int epochs = 60;
  int batch_size = 32;
  int shard_size = 32;  ///< clips whose gradient one thread computes; fixes batch statistics
  double learning_rate = 1e-3;
  nn::OptimizerOptions optimizer;
  nn::ScheduleOptions schedule;
  double label_smoothing = 0;
  double mixup = 0;            ///< alpha of the beta distribution two clips are mixed with; 0: none
  double feature_noise = 0;    ///< standard deviation of noise added to scaled features
  double gradient_clip = 0;    ///< largest norm of the gradient; 0: any
  double weight_average = 0;   ///< decay of the running average of the weights; 0: none
  double norm_momentum = 0.1;  ///< of batch normalisation's running statistics
  bool balance_classes = false;  ///< weigh clips so that every emotion counts alike
  TaskWeights tasks;
  EarlyStoppingOptions early_stopping;

  void visit(FieldVisitor& v);
  /// Throws Error for a value out of range.
  void validate() const;
};

/// Everything that turns features into a model: what a recipe file holds.
struct Recipe {
  std::string description;
  std::string features = "functionals";  ///< the feature preset it is made for
  int members = 1;                       ///< networks trained from different seeds and averaged
  ScalerOptions scaler;
  nn::NetworkOptions network;
  TrainingOptions training;

  void visit(FieldVisitor& v);
  void validate() const;
};

/// Names of the recipes that are built in: mlp, ...
std::vector<std::string> recipe_preset_names();

/// A built-in recipe by name, or one read from a JSON file. Throws Error for anything else.
Recipe load_recipe(std::string_view name_or_path);

}  // namespace ser
