#pragma once

#include <Eigen/Core>
#include <filesystem>
#include <memory>
#include <string>

namespace ser {

/// Whether there is a program to read ONNX files with: OpenCV's module dnn (libopencv-dnn-dev).
bool has_onnx_reader();

/// An ONNX file as OpenCV reads and runs it, a clip at a time.
class OnnxReader {
 public:
  /// frames: the axis "T". OpenCV 4.6 takes no axis of any size, so the reader is for one.
  OnnxReader(const std::filesystem::path& file, Eigen::Index frames);
  ~OnnxReader();

  /// clip: [rows x frames], passed as [1, frames, rows].
  void set_frames(const std::string& input, const Eigen::MatrixXf& clip);
  /// ... as [1, rows].
  void set_vector(const std::string& input, const Eigen::VectorXf& clip);
  /// Of that clip.
  Eigen::VectorXf output(const std::string& name);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ser
