#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ser/core/options.h"
#include "ser/model/listening.h"
#include "ser/model/scaler.h"
#include "ser/nn/network.h"
#include "ser/nn/optimizer.h"

namespace ser {

/// How much each task counts in the loss; one that counts nothing is left out. Intensity is a
/// helper: trained along, not in the model.
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

/// Changes of scaled features, drawn anew for every clip and epoch: masks (Park et al. 2019,
/// SpecAugment) of frames and bands, and mixup (Zhang et al. 2018). Only mixup makes sense for clip
/// vectors.
struct FeatureAugmentation {
  int time_masks = 0;         ///< runs of frames set to zero
  int time_mask_frames = 20;  ///< longest of them
  int band_masks = 0;         ///< runs of bands set to zero
  int band_mask_rows = 8;     ///< longest of them
  double mixup = 0;           ///< alpha of the beta distribution two clips are mixed with; 0: none

  void visit(FieldVisitor& v);
};

/// How a network learns to listen to a voice: clips of it are heard before each training clip.
struct ListeningRecipe : ListeningOptions {
  /// How many, drawn anew for every clip and epoch; "all": the others of the speaker.
  std::string draw = "0,0,1,2,4,8,16,all";

  void visit(FieldVisitor& v);
  void validate() const;
  /// `draw` as numbers, "all" being the largest. Throws Error for anything else.
  std::vector<std::size_t> draws() const;
};

struct TrainingOptions {
  int epochs = 60;
  int batch_size = 32;
  int shard_size = 32;  ///< clips whose gradient one thread computes; fixes batch statistics
  double learning_rate = 1e-3;
  nn::OptimizerOptions optimizer;
  nn::ScheduleOptions schedule;
  double label_smoothing = 0;
  double gradient_clip = 0;      ///< largest norm of the gradient; 0: any
  double weight_average = 0;     ///< decay of the running average of the weights; 0: none
  double norm_momentum = 0.1;    ///< of batch normalisation's running statistics
  bool one_version = false;      ///< an epoch takes one version of a clip, drawn among its copies
  bool balance_classes = false;  ///< weigh clips so that every emotion of a corpus counts alike
  double listeners = 0;          ///< share of an emotion's target that listeners' votes make
  int epoch_clips = 0;           ///< recordings in an epoch, at most; 0: all
  double corpus_share = 1;       ///< corpora share an epoch by their size to this power; 0: alike
  /// Of a clip in an epoch, at most, in one place drawn anew: of one longer than 6,000 frames 300,
  /// as it is answered. 0: all.
  int crop_frames = 1000;
  TaskWeights tasks;
  FeatureAugmentation augmentation;
  EarlyStoppingOptions early_stopping;

  void visit(FieldVisitor& v);
};

/// Everything that turns features into a model: what a recipe file holds.
struct Recipe {
  std::string description;
  /// What it is made for: a feature preset, or a feature file's JSON beside the recipe.
  std::string features = "functionals";
  int members = 1;            ///< networks trained from different seeds and averaged
  bool gender_only = false;   ///< its emotions do not count beside those of other networks
  bool emotion_only = false;  ///< its genders do not
  /// Divides the emotions' logits: calibration, fitted on validation speakers.
  double temperature = 1;
  ScalerOptions scaler;
  ListeningRecipe listening;
  nn::NetworkOptions network;
  TrainingOptions training;

  void visit(FieldVisitor& v);
  /// Throws Error for a number out of range and for options that do not go together.
  void validate() const;
};

/// Names of the recipes that are built in: mlp, ...
std::vector<std::string> recipe_preset_names();

/// A built-in recipe by name, or one read from a JSON file. Throws Error for anything else.
Recipe load_recipe(std::string_view name_or_path);

}  // namespace ser
