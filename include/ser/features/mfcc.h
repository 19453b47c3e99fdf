#pragma once

#include "ser/core/options.h"
#include "ser/features/frame_matrix.h"
#include "ser/features/mel.h"

namespace ser {

struct MfccOptions {
  MelOptions mel;
  DecibelOptions decibel;
  int num_coefficients = 20;

  void visit(FieldVisitor& v);
};

/// The first `rows` rows of the orthonormal DCT-II of `size` points, [rows x size].
/// Throws Error unless 1 <= rows <= size.
Eigen::MatrixXd dct_matrix(int rows, int size);

/// Mel-frequency cepstral coefficients, [num_coefficients x frames], of a mel spectrogram in dB
/// [bands x frames]. As librosa 0.11 `feature.mfcc` (dct_type 2, norm "ortho", no lifter) to 1e-4.
FrameMatrix mfcc(const FrameMatrix& log_mel, int num_coefficients);

/// The same with a matrix that `dct_matrix` made. Summed in double: the first coefficient is of the
/// order of 1,000.
FrameMatrix mfcc(const FrameMatrix& log_mel, const Eigen::MatrixXd& dct);

}  // namespace ser
