#pragma once

#include <span>

#include "ser/nn/tensor.h"

namespace ser::nn {

// Matrix products whose right factor is read where it lies. Its element (k, n) stands at
// right[rows[k] + columns[n]]: with the fitting offsets, the windows of a convolution (any stride
// and dilation), the frames of the clips that still run at one time step, or a transposed matrix
// are factors without a copy. Each output is one chain of multiply-adds over k in order, so it
// does not depend on which columns it is computed with.
//
// oneDNN 2.6 does plain products of the networks' sizes 1.03 to 1.24 times as fast (eight sizes
// from 64 x 1067 x 64 to 96 x 480 x 4800, one thread, AVX-512: 87 to 112 against 77 to 100
// GFLOP/s). It would want the windows copied first, sums in an order of its own, and 1.8 ms of each
// start to load its 40 MB, so this stayed.

/// Positions relative to a pointer.
using Offsets = std::span<const Index>;

/// `count` offsets 0, step, 2 step, ... in arena memory.
Offsets evenly(Arena& arena, Index count, Index step);

/// The left factor [rows x depth], copied into the order in which the kernel reads it.
struct PackedLeft {
  const Real* data = nullptr;
  const Real* start = nullptr;  ///< what the outputs' sums start from: [rows], rounded up
  Index rows = 0;
  Index depth = 0;
};

/// The factor whose element (m, k) is data[m * row_stride + depth[k]], with `bias` [rows] (or zero
/// where it is null) to start the sums from.
PackedLeft pack_left(Arena& arena, const Real* data, Index rows, Index row_stride, Offsets depth,
                     const Real* bias = nullptr);

/// Memory for left factors that are packed again and again.
struct LeftBuffer {
  Real* data = nullptr;
  Index rows = 0;
};

LeftBuffer take_left(Arena& arena, Index rows, Index max_depth);

/// Packs the factor whose element (m, k) is data[m + depth[k]] into `buffer`, over what it held.
/// For multiply_add.
PackedLeft pack_left(const LeftBuffer& buffer, const Real* data, Offsets depth);

/// The right factor, read in place.
struct Right {
  const Real* data = nullptr;
  Offsets rows;
  Offsets columns;
};

/// The product [left.rows x right.columns]: column n starts at data[columns[n]].
struct Product {
  Real* data = nullptr;
  Offsets columns;
};

/// out = bias + left right.
void multiply(const PackedLeft& left, const Right& right, const Product& out);

/// out += left right.
void multiply_add(const PackedLeft& left, const Right& right, const Product& out);

/// out += left right, left's element (m, k) being left[m + depth[k]]. For a long depth: packs a
/// block at a time.
void multiply_add(Arena& arena, const Real* left, Index rows, Offsets depth, const Right& right,
                  const Product& out);

// The same for whole tensors, column by column.

/// y = weight x + bias (null: none).
void multiply(Arena& arena, const ConstAlignedMap& weight, const Real* bias, const Tensor& x,
              const Tensor& y);

/// dx = weight^T dy.
void multiply_transposed(Arena& arena, const ConstAlignedMap& weight, const Tensor& dy,
                         const Tensor& dx);

/// gradient += dy x^T.
void add_outer_product(Arena& arena, const Tensor& dy, const Tensor& x, AlignedMap gradient);

}  // namespace ser::nn
