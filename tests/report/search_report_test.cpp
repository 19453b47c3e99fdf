#include "ser/report/report.h"

#include <gmock/gmock.h>

#include <limits>

namespace ser::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

SearchResult some_result() {
  SearchResult result;
  result.space = parse_search_space(
      R"({"rungs": 2, "fields": {"training.epochs": [1, 2], "training.learning_rate": {"uniform": [0, 1]}}})");
  result.trials = {{{"1", "0.1"}, {0.5}},
                   {{"2", "0.2"}, {0.7, 0.75}},
                   {{"2", "0.9"}, {std::numeric_limits<double>::quiet_NaN()}}};
  result.epochs = {10, 30};
  result.best = 1;
  result.flattered_uar = 0.75;
  return result;
}

TEST(SearchReport, ShowsWhatMatteredAndTheBestTrials) {
  EXPECT_THAT(search_html(some_result()),
              AllOf(HasSubstr("75.0 %"), HasSubstr("What mattered"), HasSubstr("failed"),
                    HasSubstr("training.learning_rate"), HasSubstr("30 epochs"),
                    HasSubstr("no outer folds"), Not(HasSubstr("nan"))));
}

TEST(SearchReport, PutsTheNestedScoreBesideTheFlatteredOne) {
  SearchResult result = some_result();
  const std::vector<std::string> labels = {"happy", "sad"};
  result.nested = make_result({labels, "speakers:2", "", "00", 1},
                              {{0, {"x:01"}, {{"a.wav", "x:01", "happy", "", {0.9, 0.1}, {}}}},
                               {1, {"x:02"}, {{"b.wav", "x:02", "sad", "", {0.8, 0.2}, {}}}}});
  result.outer = {{0, 1, 0.7, 1}, {1, 0, 0.6, 0}};
  EXPECT_THAT(search_html(result),
              AllOf(HasSubstr("Nested"), HasSubstr("50.0 %"), HasSubstr("Outer folds")));
}

}  // namespace
}  // namespace ser::report
