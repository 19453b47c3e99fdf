#include "ser/model/scaler.h"

#include "core/internal/fail.h"

namespace ser {

void ScalerOptions::visit(FieldVisitor& v) {
  v.choice("kind", kind, {{"none", Kind::kNone}, {"rows", Kind::kRows}},
           "none; rows: each row to zero mean and unit variance over the training clips");
  v.field("limit", limit, "Scaled values are cut at plus or minus this; 0: not at all",
          Range{0, 1e6});
}

Scaler::Scaler(const ScalerOptions& options, Eigen::VectorXf mean, Eigen::VectorXf scale)
    : options_(options), mean_(std::move(mean)), scale_(std::move(scale)) {
  if (!(options_.limit >= 0))
    fail("scaler.limit: expected a number from 0, found {}", options_.limit);
  if (mean_.size() != scale_.size() || !mean_.allFinite() || !scale_.allFinite())
    fail("scaler: expected as many finite means as scales");
  if (scale_.size() > 0 && scale_.minCoeff() < 0)
    fail("scaler: expected scales from 0, found {}", scale_.minCoeff());
}

void Scaler::check_rows(Eigen::Index found) const {
  if (options_.kind == ScalerOptions::Kind::kRows && found != mean_.size())
    fail("scaler: expected {} rows, found {}", mean_.size(), found);
}

Eigen::MatrixXf Scaler::apply(const Eigen::Ref<const Eigen::MatrixXf>& clip,
                              const Eigen::VectorXf& offset) const {
  check_rows(clip.rows());
  Eigen::MatrixXf scaled = clip;
  if (options_.kind == ScalerOptions::Kind::kRows) {
    scaled.colwise() -= mean_;
    scaled.array().colwise() *= scale_.array();
  }
  if (offset.size() > 0) scaled.colwise() -= offset;
  if (options_.limit > 0) {
    const auto limit = static_cast<float>(options_.limit);
    scaled = scaled.cwiseMax(-limit).cwiseMin(limit);
  }
  return scaled;
}

Eigen::VectorXd Scaler::standardise(const Eigen::VectorXd& features) const {
  check_rows(features.size());
  if (options_.kind == ScalerOptions::Kind::kNone) return features;
  return (features - mean_.cast<double>()).cwiseProduct(scale_.cast<double>());
}

void ScalerFit::add(const Eigen::Ref<const Eigen::MatrixXf>& clip) {
  if (count_ == 0) {
    mean_ = Eigen::VectorXd::Zero(clip.rows());
    square_ = Eigen::VectorXd::Zero(clip.rows());
  }
  for (Eigen::Index i = 0; i < clip.cols(); ++i) {  // Welford 1962
    count_ += 1;
    const Eigen::VectorXd difference = clip.col(i).cast<double>() - mean_;
    mean_ += difference / count_;
    square_ += difference.cwiseProduct(clip.col(i).cast<double>() - mean_);
  }
}

Scaler ScalerFit::finish(const ScalerOptions& options) const {
  if (options.kind != ScalerOptions::Kind::kRows) return Scaler(options, {}, {});
  const Eigen::ArrayXd deviation = (square_.array() / std::max(1.0, count_)).sqrt();
  const Eigen::ArrayXd floor = 1e-6 * (mean_.array().abs() + 1e-6);
  const Eigen::ArrayXd scale = (deviation > floor).select(deviation.max(floor).inverse(), 0.0);
  return Scaler(options, mean_.cast<float>(), scale.cast<float>().matrix());
}

}  // namespace ser
