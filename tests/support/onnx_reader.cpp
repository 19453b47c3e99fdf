#include "support/onnx_reader.h"

#ifdef SER_HAVE_OPENCV
#include <opencv2/dnn.hpp>

#include "ser/core/atomic_file.h"

namespace ser {

struct OnnxReader::Impl {
  cv::dnn::Net net;

  void set(const std::string& input, const float* data, const std::vector<int>& sizes) {
    const cv::Mat view(sizes, CV_32F, const_cast<float*>(data));
    net.setInput(view.clone(), input);
  }
};

bool has_onnx_reader() { return true; }

namespace {

/// Gives an axis without a size one, in as many bytes of the file.
void set_axis(std::string& file, const std::string& name, Eigen::Index size) {
  const std::string axis = "\x0a\x03\x12\x01" + name;
  const char sized[] = {'\x0a', '\x03', '\x08', static_cast<char>(size % 128 + 128),
                        static_cast<char>(size / 128)};
  for (std::size_t at = 0; (at = file.find(axis, at)) != std::string::npos;)
    file.replace(at, axis.size(), sized, sizeof sized);
}

}  // namespace

OnnxReader::OnnxReader(const std::filesystem::path& path, Eigen::Index frames) {
  std::string file = read_file(path, 1 << 26);
  set_axis(file, "N", 1);
  set_axis(file, "T", frames);
  impl_.reset(new Impl{cv::dnn::readNetFromONNX(file.data(), file.size())});
}

void OnnxReader::set_frames(const std::string& input, const Eigen::MatrixXf& clip) {
  impl_->set(input, clip.data(), {1, static_cast<int>(clip.cols()), static_cast<int>(clip.rows())});
}

void OnnxReader::set_vector(const std::string& input, const Eigen::VectorXf& clip) {
  impl_->set(input, clip.data(), {1, static_cast<int>(clip.size())});
}

Eigen::VectorXf OnnxReader::output(const std::string& name) {
  const cv::Mat values = impl_->net.forward(name);
  return Eigen::Map<const Eigen::VectorXf>(values.ptr<float>(),
                                           static_cast<Eigen::Index>(values.total()));
}
#else
namespace ser {

struct OnnxReader::Impl {};

bool has_onnx_reader() { return false; }
OnnxReader::OnnxReader(const std::filesystem::path&, Eigen::Index) {}
void OnnxReader::set_frames(const std::string&, const Eigen::MatrixXf&) {}
void OnnxReader::set_vector(const std::string&, const Eigen::VectorXf&) {}
Eigen::VectorXf OnnxReader::output(const std::string&) { return {}; }
#endif

OnnxReader::~OnnxReader() = default;

}  // namespace ser
