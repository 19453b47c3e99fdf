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
  /// Throws Error unless they are as many and finite, and no scale is negative.
  Scaler(const ScalerOptions& options, Eigen::VectorXf mean, Eigen::VectorXf scale);

  /// Scales one clip, [rows x frames], takes `offset`, in scaled units (empty: none), from every
  /// frame, and cuts what is left at the limit.
  /// Throws Error for another number of rows than it was made from.
  Eigen::MatrixXf apply(const Eigen::Ref<const Eigen::MatrixXf>& clip,
                        const Eigen::VectorXf& offset = {}) const;

  /// One vector of features in scaled units, not cut.
  Eigen::VectorXd standardise(const Eigen::VectorXd& features) const;

  const ScalerOptions& options() const { return options_; }
  const Eigen::VectorXf& mean() const { return mean_; }
  const Eigen::VectorXf& scale() const { return scale_; }

 private:
  void check_rows(Eigen::Index found) const;

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
