#include "nn/product.h"

#include <gtest/gtest.h>

#include "nn/alone.h"

namespace ser::nn {
namespace {

TEST(Product, EqualsEigensForEverySizeAtTheTilesEdges) {
  for (const Index rows : {1, 7, 16, 33, 64, 81})
    for (const Index depth : {1, 5, 144, 150, 300})
      for (const Index columns : {1, 2, 5, 13, 250}) {
        SCOPED_TRACE(testing::Message() << rows << " x " << depth << " x " << columns);
        const Matrix left = random_input(rows, depth), right = random_input(depth, columns, 2);
        const Matrix bias = random_input(rows, 1, 3);
        Matrix out(rows, columns);
        Arena arena;
        const PackedLeft packed =
            pack_left(arena, left.data(), rows, 1, evenly(arena, depth, rows), bias.data());
        const Right in_place{right.data(), evenly(arena, depth, 1), evenly(arena, columns, depth)};
        const Product product{out.data(), evenly(arena, columns, rows)};
        multiply(packed, in_place, product);
        const Matrix expected = (left * right).colwise() + bias.col(0);
        EXPECT_LT((out - expected).cwiseAbs().maxCoeff(), 1e-4);
        multiply_add(packed, in_place, product);
        multiply_add(arena, left.data(), rows, evenly(arena, depth, rows), in_place, product);
        EXPECT_LT((out - expected - 2 * left * right).cwiseAbs().maxCoeff(), 3e-4);
      }
}

TEST(Product, ReadsATransposedLeftFactor) {
  const Matrix left = random_input(21, 37), right = random_input(21, 4, 2);
  Matrix out(37, 4);
  Arena arena;
  multiply(pack_left(arena, left.data(), 37, 21, evenly(arena, 21, 1)),
           {right.data(), evenly(arena, 21, 1), evenly(arena, 4, 21)},
           {out.data(), evenly(arena, 4, 37)});
  EXPECT_TRUE(out.isApprox(left.transpose() * right, Real(1e-5)));
}

TEST(Product, OfTensorsIsOneChainOfSumsForAnyDepth) {
  for (const Index depth : {8, 144, 145, 400}) {
    SCOPED_TRACE(depth);
    const Index rows = 40, columns = 9;
    Arena arena;
    const auto tensor_of = [&](const Matrix& values) {
      const Tensor t = arena.tensor({static_cast<int>(values.rows()), 1, 1}, 1, values.cols(), {});
      t.matrix() = values;
      return t;
    };
    const auto weight_of = [&](const Matrix& values) {
      return ConstAlignedMap(tensor_of(values).data, values.rows(), values.cols());
    };
    const Matrix left = random_input(rows, depth), right = random_input(depth, columns, 2);
    const Matrix bias = random_input(rows, 1, 3), zero = Matrix::Zero(rows, columns);
    const Tensor x = tensor_of(right), y = tensor_of(zero), same = tensor_of(zero);

    multiply(arena, weight_of(left), bias.data(), x, y);
    EXPECT_LT((y.matrix() - ((left * right).colwise() + bias.col(0))).cwiseAbs().maxCoeff(), 1e-4);
    multiply(pack_left(arena, left.data(), rows, 1, evenly(arena, depth, rows), bias.data()),
             {x.data, evenly(arena, depth, 1), evenly(arena, columns, depth)},
             {same.data, evenly(arena, columns, rows)});
    EXPECT_EQ(y.matrix(), same.matrix());
    multiply_transposed(arena, weight_of(left.transpose()), x, y);
    EXPECT_LT((y.matrix() - left * right).cwiseAbs().maxCoeff(), 1e-4);
  }
}

TEST(Product, AColumnIsTheSameBitsWhateverItsCompany) {
  const Matrix left = random_input(40, 50), right = random_input(50, 30, 2);
  Matrix together(40, 30), alone(40, 1);
  Arena arena;
  const PackedLeft packed = pack_left(arena, left.data(), 40, 1, evenly(arena, 50, 40));
  const Offsets rows = evenly(arena, 50, 1), columns = evenly(arena, 30, 50);
  multiply(packed, {right.data(), rows, columns}, {together.data(), evenly(arena, 30, 40)});
  for (Index n = 0; n < 30; ++n) {
    multiply(packed, {right.col(n).data(), rows, columns.first(1)},
             {alone.data(), columns.first(1)});
    EXPECT_EQ(alone.col(0), together.col(n));
  }
}

}  // namespace
}  // namespace ser::nn
