#include "ser/features/mfcc.h"

#include <cmath>
#include <numbers>

#include "core/internal/fail.h"
#include "features/registry.h"
#include "ser/features/analysis.h"

namespace ser {
namespace {

class MfccFeature : public FeatureWith<MfccFeature, MfccOptions> {
 public:
  static constexpr std::string_view kType = "mfcc";
  int hop_samples() const override { return options_.mel.stft.hop_samples; }
  FrameMatrix compute(const Analysis& analysis) const override {
    return mfcc(analysis.log_mel(options_.mel, options_.decibel),
                analysis.tables().dct(options_.num_coefficients, options_.mel.num_bands));
  }

 protected:
  std::vector<std::string> base_names() const override {
    return numbered(kType, options_.num_coefficients);
  }
};

}  // namespace

void MfccOptions::visit(FieldVisitor& v) {
  v.group("mel", mel);
  v.group("decibel", decibel);
  v.field("num_coefficients", num_coefficients, "Cepstral coefficients kept", Range{1, 1024});
}

Eigen::MatrixXd dct_matrix(int rows, int size) {
  if (rows < 1 || rows > size)
    fail("num_coefficients: expected 1 to the number of mel bands ({}), found {}", size, rows);
  Eigen::MatrixXd dct(rows, size);
  for (int k = 0; k < rows; ++k) {
    const double scale = std::sqrt((k == 0 ? 1.0 : 2.0) / size);
    for (int n = 0; n < size; ++n)
      dct(k, n) = scale * std::cos(std::numbers::pi * k * (2 * n + 1) / (2 * size));
  }
  return dct;
}

FrameMatrix mfcc(const FrameMatrix& log_mel, int num_coefficients) {
  return mfcc(log_mel, dct_matrix(num_coefficients, static_cast<int>(log_mel.rows())));
}

FrameMatrix mfcc(const FrameMatrix& log_mel, const Eigen::MatrixXd& dct) {
  const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> wide =
      dct * log_mel.cast<double>();
  return wide.cast<float>();
}

std::unique_ptr<Feature> make_mfcc() { return std::make_unique<MfccFeature>(); }

}  // namespace ser
