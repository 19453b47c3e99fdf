#pragma once

#include <Eigen/Core>

#include "ser/core/options.h"

namespace ser {

struct ScalerOptions {
  enum class Kind {
    kNone,
    kRows,  ///< each row to zero mean and unit variance over the training clips' frames
  };
  Kind kind = Kind::kRows;
  double limit = 0;  ///< scaled values are cut at +- this; 0: not at all

  void visit(FieldVisitor& v);
};

/// Brings features to the range a network likes.
class Scaler {
 public:
  Scaler() = default;
  /// mean, scale: one a row; empty unless kind is kRows.
  Scaler(const ScalerOptions& options, Eigen::VectorXf mean, Eigen::VectorXf scale);

  /// Scales one clip, [rows x frames]. Throws Error for another number of rows than it was made
  /// from.
  Eigen::MatrixXf apply(const Eigen::Ref<const Eigen::MatrixXf>& clip) const;

  const ScalerOptions& options() const { return options_; }
  const Eigen::VectorXf& mean() const { return mean_; }
  const Eigen::VectorXf& scale() const { return scale_; }

 private:
  ScalerOptions options_{ScalerOptions::Kind::kNone};
  Eigen::VectorXf mean_;
  Eigen::VectorXf scale_;  ///< what the difference from the mean is multiplied by
};

/// Running mean and variance of feature rows, summed in double.
class ScalerFit {
 public:
  void add(const Eigen::Ref<const Eigen::MatrixXf>& clip);
  /// A row that never changes gets scale 0: it says nothing.
  Scaler finish(const ScalerOptions& options) const;

 private:
  double count_ = 0;
  Eigen::VectorXd mean_;
  Eigen::VectorXd square_;  ///< sum of squared differences from the mean
};

}  // namespace ser
