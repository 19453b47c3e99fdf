#include "nn/product.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace ser::nn {
namespace {

namespace packet_math = Eigen::internal;
using Packet = packet_math::packet_traits<Real>::type;
constexpr Index kLanes = packet_math::packet_traits<Real>::size;

// A tile of the product stays in registers: packets of rows times columns.
constexpr int kAccumulators = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 24 : 12;
constexpr int kMaxPackets = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 4 : 3;
constexpr int kMaxColumns = 12;
constexpr int tile_columns(int packets) { return std::min(kMaxColumns, kAccumulators / packets); }

// A panel of the left factor (kMaxPackets packets by kDepthBlock) stays in the first-level cache
// while a block of columns passes; the block's outputs stay in the second.
constexpr Index kMaxDepthBlock = 144;
constexpr Index kColumnBlock = 240;

constexpr Index kFewColumns = 4;  // under which packing costs more than it brings

/// The depth is cut into blocks of nearly this size.
Index depth_block(Index depth) {
  const Index blocks = std::max<Index>(1, (depth + kMaxDepthBlock - 1) / kMaxDepthBlock);
  return (depth + blocks - 1) / blocks;
}

Offsets part(Offsets offsets, Index begin, Index count) {
  return offsets.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count));
}

/// One tile: kPackets packets of rows by kColumns columns. Sums start from `start`, or from what
/// stands in `out` where it is null.
template <int kPackets, int kColumns>
void tile(const Real* left, Index depth, const Real* right, const Index* rows, const Index* columns,
          Real* const* out, const Real* start) {
  Packet sum[kPackets][kColumns];
  Index column[kColumns];
#pragma GCC unroll 16
  for (int n = 0; n < kColumns; ++n) {
    column[n] = columns[n];
#pragma GCC unroll 4
    for (int m = 0; m < kPackets; ++m)
      sum[m][n] = packet_math::ploadu<Packet>(start ? start + m * kLanes : out[n] + m * kLanes);
  }
  for (Index k = 0; k < depth; ++k) {
    const Real* const at = right + rows[k];
    Packet l[kPackets];
#pragma GCC unroll 4
    for (int m = 0; m < kPackets; ++m) l[m] = packet_math::pload<Packet>(left + m * kLanes);
#pragma GCC unroll 16
    for (int n = 0; n < kColumns; ++n) {
      const Packet r = packet_math::pset1<Packet>(at[column[n]]);
#pragma GCC unroll 4
      for (int m = 0; m < kPackets; ++m) sum[m][n] = packet_math::pmadd(l[m], r, sum[m][n]);
    }
    left += kPackets * kLanes;
  }
#pragma GCC unroll 16
  for (int n = 0; n < kColumns; ++n)
#pragma GCC unroll 4
    for (int m = 0; m < kPackets; ++m) packet_math::pstoreu(out[n] + m * kLanes, sum[m][n]);
}

using TileFunction = void (*)(const Real*, Index, const Real*, const Index*, const Index*,
                              Real* const*, const Real*);

/// A tile of full width, of half of it, and of one column.
struct TileFunctions {
  TileFunction full, half, one;
};

template <int kPackets>
constexpr TileFunctions tiles_of() {
  constexpr int kColumns = tile_columns(kPackets);
  return {tile<kPackets, kColumns>, tile<kPackets, kColumns / 2>, tile<kPackets, 1>};
}

constexpr TileFunctions kTiles[] = {tiles_of<1>(), tiles_of<2>(), tiles_of<3>(),
                                    tiles_of<kMaxPackets>()};

/// Rows of a left factor cut into panels of nearly equal numbers of packets.
struct Panels {
  explicit Panels(Index rows)
      : packets((rows + kLanes - 1) / kLanes), count((packets + kMaxPackets - 1) / kMaxPackets) {}
  Index begin(Index panel) const { return panel * packets / count; }
  int size(Index panel) const { return static_cast<int>(begin(panel + 1) - begin(panel)); }
  Index padded_rows() const { return packets * kLanes; }
  Index packets;
  Index count;
};

/// Numbers of one column for one panel: `valid` of them, then zeros up to `height`.
void pack_column(const Real* source, Index row_stride, Index valid, Index height, Real* packed) {
  if (row_stride == 1 && valid == height) {
    for (Index m = 0; m < height; m += kLanes)
      packet_math::pstoreu(packed + m, packet_math::ploadu<Packet>(source + m));
    return;
  }
  for (Index m = 0; m < valid; ++m) packed[m] = source[m * row_stride];
  for (Index m = valid; m < height; ++m) packed[m] = 0;
}

/// A stretch of the depth, in panels, as `tile` reads them.
void pack_block(const Real* data, Index rows, Index row_stride, Offsets depth, Real* packed) {
  const Panels panels(rows);
  const Index size = static_cast<Index>(depth.size());
  for (Index k = 0; k < size; ++k)
    for (Index p = 0; p < panels.count; ++p) {
      const Index first = panels.begin(p) * kLanes, height = panels.size(p) * kLanes;
      pack_column(data + depth[static_cast<std::size_t>(k)] + first * row_stride, row_stride,
                  std::min(height, rows - first), height, packed + first * size + k * height);
    }
}

void pack_blocks(const Real* data, Index rows, Index row_stride, Offsets depth, Real* packed) {
  const Index padded_rows = Panels(rows).padded_rows(), size = static_cast<Index>(depth.size());
  const Index block = depth_block(size);
  for (Index k = 0; k < size; k += block)
    pack_block(data, rows, row_stride, part(depth, k, std::min(block, size - k)),
               packed + k * padded_rows);
}

/// Tiles at the edge of the product: computed aside, and only the part that exists copied.
struct Edge {
  alignas(kAlignment) Real values[kMaxPackets * kLanes * kMaxColumns];
  Real* columns[kMaxColumns];
  Index sources[kMaxColumns];
};

struct TileSpan {
  const Real* left;
  Index depth;
  int packets;
  Index rows;   ///< of the tile that exist
  Index width;  ///< columns of the tile that exist
  const Real* start;
};

void edge_tile(TileFunction function, int columns, const TileSpan& span, const Real* right,
               const Index* rows, const Index* right_columns, Real* out, const Index* out_columns) {
  Edge edge;
  const Index height = span.packets * kLanes;
  for (int n = 0; n < columns; ++n) {
    edge.columns[n] = edge.values + n * height;
    edge.sources[n] = right_columns[std::min<Index>(n, span.width - 1)];
    std::fill_n(edge.columns[n], height, Real{0});
    if (!span.start && n < span.width)
      std::copy_n(out + out_columns[n], span.rows, edge.columns[n]);
  }
  function(span.left, span.depth, right, rows, edge.sources, edge.columns, span.start);
  for (Index n = 0; n < span.width; ++n)
    std::copy_n(edge.columns[n], span.rows, out + out_columns[n]);
}

/// One panel times the columns [begin, end).
void panel_product(TileSpan span, const Right& right, const Index* rows, Real* out,
                   const Index* out_columns, Index begin, Index end) {
  const TileFunctions& tiles = kTiles[span.packets - 1];
  const int full = tile_columns(span.packets);
  Real* outs[kMaxColumns];
  for (Index n = begin; n < end;) {
    const Index left = end - n;
    const auto [function, columns] = left > full / 2 ? std::pair{tiles.full, full}
                                     : left > 1      ? std::pair{tiles.half, full / 2}
                                                     : std::pair{tiles.one, 1};
    span.width = std::min<Index>(columns, left);
    const Index* const sources = right.columns.data() + n;
    if (span.width == columns && span.rows == span.packets * kLanes) {
      for (int i = 0; i < columns; ++i) outs[i] = out + out_columns[n + i];
      function(span.left, span.depth, right.data, rows, sources, outs, span.start);
    } else {
      edge_tile(function, columns, span, right.data, rows, sources, out, out_columns + n);
    }
    n += span.width;
  }
}

/// A packed block of the depth times the columns [begin, end).
void block_product(const Real* packed, Index rows, Index depth, const Right& right,
                   const Index* right_rows, const Product& out, const Real* start, Index begin,
                   Index end) {
  const Panels panels(rows);
  for (Index p = 0; p < panels.count; ++p) {
    const Index first = panels.begin(p) * kLanes, height = panels.size(p) * kLanes;
    const TileSpan span{packed + first * depth,         depth, panels.size(p),
                        std::min(height, rows - first), 0,     start ? start + first : nullptr};
    panel_product(span, right, right_rows, out.data + first, out.columns.data(), begin, end);
  }
}

void multiply_blocks(const PackedLeft& left, const Right& right, const Product& out,
                     const Real* start) {
  const Index padded_rows = Panels(left.rows).padded_rows();
  const Index columns = static_cast<Index>(right.columns.size());
  const Index block = depth_block(left.depth);
  for (Index begin = 0; begin < columns; begin += kColumnBlock) {
    const Index end = std::min(columns, begin + kColumnBlock);
    for (Index k = 0; k < left.depth; k += block)
      block_product(left.data + k * padded_rows, left.rows, std::min(block, left.depth - k), right,
                    right.rows.data() + k, out, k == 0 ? start : nullptr, begin, end);
  }
}

/// What the sums of `rows` outputs start from, in whole packets.
const Real* padded_bias(Arena& arena, const Real* bias, Index rows) {
  const Index padded_rows = Panels(rows).padded_rows();
  Real* const start = arena.take<Real>(padded_rows);
  std::fill_n(start, padded_rows, Real{0});
  if (bias) std::copy_n(bias, rows, start);
  return start;
}

/// out = start + left right, or out += left right where `start` is null; left's element (m, k) is
/// left[m * row_stride + depth[k]]. One block of the depth is packed and used after the other, so
/// that it stays in the second-level cache.
void multiply_by_blocks(Arena& arena, const Real* left, Index rows, Index row_stride, Offsets depth,
                        const Real* start, const Right& right, const Product& out) {
  const Index size = static_cast<Index>(depth.size()), block = depth_block(size);
  Real* const packed = arena.take<Real>(Panels(rows).padded_rows() * block);
  for (Index k = 0; k < size; k += block) {
    const Index taken = std::min(block, size - k);
    pack_block(left, rows, row_stride, part(depth, k, taken), packed);
    multiply_blocks({packed, nullptr, rows, taken},
                    {right.data, part(right.rows, k, taken), right.columns}, out,
                    k == 0 ? start : nullptr);
  }
}

}  // namespace

Offsets evenly(Arena& arena, Index count, Index step) {
  Index* const offsets = arena.take<Index>(count);
  for (Index i = 0; i < count; ++i) offsets[i] = i * step;
  return {offsets, static_cast<std::size_t>(count)};
}

PackedLeft pack_left(Arena& arena, const Real* data, Index rows, Index row_stride, Offsets depth,
                     const Real* bias) {
  const Index padded_rows = Panels(rows).padded_rows(), size = static_cast<Index>(depth.size());
  Real* const packed = arena.take<Real>(padded_rows * size);
  pack_blocks(data, rows, row_stride, depth, packed);
  return {packed, padded_bias(arena, bias, rows), rows, size};
}

LeftBuffer take_left(Arena& arena, Index rows, Index max_depth) {
  return {arena.take<Real>(Panels(rows).padded_rows() * max_depth), rows};
}

PackedLeft pack_left(const LeftBuffer& buffer, const Real* data, Offsets depth) {
  pack_blocks(data, buffer.rows, 1, depth, buffer.data);
  return {buffer.data, nullptr, buffer.rows, static_cast<Index>(depth.size())};
}

void multiply(const PackedLeft& left, const Right& right, const Product& out) {
  multiply_blocks(left, right, out, left.start);
}

void multiply_add(const PackedLeft& left, const Right& right, const Product& out) {
  multiply_blocks(left, right, out, nullptr);
}

void multiply_add(Arena& arena, const Real* left, Index rows, Offsets depth, const Right& right,
                  const Product& out) {
  multiply_by_blocks(arena, left, rows, 1, depth, nullptr, right, out);
}

void multiply(Arena& arena, const ConstAlignedMap& weight, const Real* bias, const Tensor& x,
              const Tensor& y) {
  if (x.columns() < kFewColumns) {
    y.matrix().noalias() = weight * x.matrix();
    if (bias) y.matrix().colwise() += ConstVectorMap(bias, y.rows());
    return;
  }
  multiply_by_blocks(arena, weight.data(), y.rows(), 1, evenly(arena, x.rows(), y.rows()),
                     padded_bias(arena, bias, y.rows()),
                     {x.data, evenly(arena, x.rows(), 1), evenly(arena, x.columns(), x.rows())},
                     {y.data, evenly(arena, x.columns(), y.rows())});
}

void multiply_transposed(Arena& arena, const ConstAlignedMap& weight, const Tensor& dy,
                         const Tensor& dx) {
  const Offsets rows = evenly(arena, dy.rows(), 1);
  multiply_by_blocks(arena, weight.data(), dx.rows(), dy.rows(), rows,
                     padded_bias(arena, nullptr, dx.rows()),
                     {dy.data, rows, evenly(arena, dy.columns(), dy.rows())},
                     {dx.data, evenly(arena, dx.columns(), dx.rows())});
}

void add_outer_product(Arena& arena, const Tensor& dy, const Tensor& x, AlignedMap gradient) {
  multiply_add(arena, dy.data, dy.rows(), evenly(arena, dy.columns(), dy.rows()),
               {x.data, evenly(arena, x.columns(), x.rows()), evenly(arena, x.rows(), 1)},
               {gradient.data(), evenly(arena, x.rows(), dy.rows())});
}

}  // namespace ser::nn
