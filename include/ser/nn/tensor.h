#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ser::nn {

#ifdef SER_NN_DOUBLE
using Real = double;  // the gradient tests compare with finite differences
#else
using Real = float;
#endif

using Index = Eigen::Index;
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
using MatrixMap = Eigen::Map<Matrix>;
using ConstMatrixMap = Eigen::Map<const Matrix>;
using AlignedMap = Eigen::Map<Matrix, Eigen::Aligned64>;
using ConstAlignedMap = Eigen::Map<const Matrix, Eigen::Aligned64>;
using VectorMap = Eigen::Map<Vector, Eigen::Aligned64>;
using ConstVectorMap = Eigen::Map<const Vector, Eigen::Aligned64>;
using ArrayMap = Eigen::Map<Eigen::Array<Real, Eigen::Dynamic, 1>, Eigen::Aligned64>;
using ConstArrayMap = Eigen::Map<const Eigen::Array<Real, Eigen::Dynamic, 1>, Eigen::Aligned64>;

/// Bytes on which every tensor starts, so that vectorised sums group their terms alike.
constexpr std::size_t kAlignment = 64;

/// `count` rounded up so that what follows it starts on kAlignment.
constexpr Index aligned_count(Index count) {
  constexpr Index kLane = kAlignment / sizeof(Real);
  return (count + kLane - 1) / kLane * kLane;
}

/// Shape of one clip. A frame is a column of channels x bands numbers, channels innermost.
/// Rows and frames of a planned layer are at most 2^30, so no product of two of them overflows.
struct Shape {
  Index channels = 1;
  Index bands = 1;
  Index frames = 1;  ///< 0: differs from clip to clip

  Index rows() const { return channels * bands; }
  bool operator==(const Shape&) const = default;
};

/// "[channels x bands x frames]", with "T" for frames that differ.
std::string to_string(const Shape& shape);

/// A batch of clips of one shape, padded to a common number of frames: [rows x frames * clips],
/// clip after clip, column-major, starting on kAlignment. A view: memory belongs to an Arena.
/// Frames at and past a clip's length are zero in every activation and gradient, so a clip gives
/// the same result alone, in a batch, or padded longer.
struct Tensor {
  Real* data = nullptr;
  Shape shape;
  Index frames = 1;  ///< of each clip, padding included
  Index clips = 0;
  const int* lengths = nullptr;  ///< frames of each clip without padding; null: all of them

  Index rows() const { return shape.rows(); }
  Index columns() const { return frames * clips; }
  Index size() const { return rows() * columns(); }
  Index length(Index clip) const { return lengths ? lengths[clip] : frames; }
  /// Frames of all clips that are not padding.
  Index valid_frames() const;
  AlignedMap matrix() const { return {data, rows(), columns()}; }
  ArrayMap array() const { return {data, size()}; }
  /// One clip, [rows x frames].
  MatrixMap clip(Index index) const { return {data + index * rows() * frames, rows(), frames}; }
  /// Sets the padding to zero.
  void clear_padding() const;
};

/// Scratch memory for one unit of work: taken piece by piece, given back all at once or back to a
/// mark. Once it has seen the largest unit it allocates no more.
class Arena {
 public:
  /// A place to go back to.
  struct Mark {
    std::size_t block = 0, used = 0;
  };

  /// Uninitialised memory for `count` numbers that starts on kAlignment.
  template <typename T>
  T* take(Index count) {
    return static_cast<T*>(take_bytes(static_cast<std::size_t>(count) * sizeof(T)));
  }
  /// An uninitialised tensor of the given layout.
  Tensor tensor(const Shape& shape, Index frames, Index clips, const int* lengths);
  /// An uninitialised tensor laid out as `like`.
  Tensor tensor_like(const Tensor& like);
  Mark mark() const;
  /// Frees everything taken since.
  void release(const Mark& mark);
  /// Frees everything taken since but `tensor`, which moves to the mark if it stands behind it.
  Tensor keep(const Mark& mark, const Tensor& tensor);
  /// Frees everything taken.
  void reset();
  std::size_t capacity_bytes() const;
  /// The most that was taken at a time.
  std::size_t peak_bytes() const { return peak_bytes_; }

 private:
  struct Free {
    std::size_t mapped = 0;  ///< bytes, where they were taken from the system itself
    void operator()(std::byte* memory) const;
  };
  struct Block {
    std::unique_ptr<std::byte, Free> memory;
    std::size_t size = 0;
    std::size_t used = 0;
  };
  void* take_bytes(std::size_t bytes);
  void add_block(std::size_t bytes);
  bool taken_since(const Mark& mark, const void* memory) const;

  std::vector<Block> blocks_;
  std::size_t current_ = 0;  ///< block that is taken from; those behind it are empty
  std::size_t peak_bytes_ = 0;
};

}  // namespace ser::nn
