#include "ser/corpus/enrollment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/synthetic_table.h"

namespace ser {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Enrollment, TakesTheMeanOfASpeakersFramesAway) {
  FeatureTable table = synthetic_table(3, 2, 7);
  const FeatureTable before = table;
  make_relative_to_speakers(table);
  EXPECT_TRUE(table.relative_to_speakers);
  for (const char* speaker : {"1", "2", "3"}) {
    Eigen::VectorXf sum = Eigen::VectorXf::Zero(table.values.rows()), shift;
    for (std::size_t i = 0; i < table.size(); ++i) {
      if (table.clips[i].speaker != speaker) continue;
      sum += table.clip(i).rowwise().sum();
      const Eigen::MatrixXf difference = before.clip(i) - table.clip(i);
      if (shift.size() == 0) shift = difference.col(0);
      EXPECT_TRUE(difference.isApprox(shift.replicate(1, difference.cols()), 1e-4f));
    }
    ASSERT_GT(shift.size(), 0) << "no such speaker: " << speaker;
    EXPECT_LT(sum.cwiseAbs().maxCoeff(), 1e-3f);
  }
}

TEST(Enrollment, CopiesAreComparedAmongThemselves) {
  FeatureTable table = synthetic_table(1, 4);
  for (std::size_t i = 0; i < table.size(); i += 2) table.clips[i].augmentation = "speed:0.9";
  make_relative_to_speakers(table);
  Eigen::VectorXf copies = Eigen::VectorXf::Zero(table.values.rows());
  for (std::size_t i = 0; i < table.size(); i += 2) copies += table.clip(i).col(0);
  EXPECT_LT(copies.cwiseAbs().maxCoeff(), 1e-4f);
}

TEST(Enrollment, ClipsWithoutASpeakerAreRefused) {
  FeatureTable table = synthetic_table(2, 2);
  table.clips[1].speaker.clear();
  EXPECT_ERROR(make_relative_to_speakers(table),
               AllOf(HasSubstr(table.clips[1].path), HasSubstr("expected a clip with a speaker")));
}

}  // namespace
}  // namespace ser
