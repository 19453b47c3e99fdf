#include "ser/eval/corpus_matrix.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <mutex>
#include <set>

#include "ser/eval/evaluate.h"
#include "support/errors.h"
#include "support/synthetic_table.h"
#include "support/temp_folder.h"
#include "support/thread_team.h"

namespace ser {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Recipe quick_recipe() {
  Recipe recipe;
  from_json(R"({"network": {"layers": [{"type": "dense", "units": 8, "activation": "relu"}]},
                "training": {"epochs": 6, "learning_rate": 0.01}})",
            recipe);
  return recipe;
}

/// Two speakers of each corpus; `only` gives a corpus classes that no other has.
FeatureTable corpora(const std::vector<std::string>& names, const std::string& only = "") {
  FeatureTable table = synthetic_table(2 * static_cast<int>(names.size()), 2);
  for (Utterance& clip : table.clips) {
    clip.corpus = names[(std::stoul(clip.speaker) - 1) / 2];
    if (clip.corpus == only) clip.emotion += " of " + only;
  }
  return table;
}

ResultFile scored(const FeatureTable& table, Team& team = alone()) {
  const Recipe recipe = quick_recipe();
  ResultFile result =
      cross_validate(table, parse_split_scheme("corpora"), recipe, 3, 1, {}, {0}, team).result;
  result.matrix = corpus_matrix(table, result, recipe, 3, 1, {}, 0, team);
  return result;
}

std::vector<std::string> directions(const ResultFile& result) {
  std::vector<std::string> said;
  for (const MatrixCell& cell : result.matrix) {
    std::string text;
    for (const std::string& corpus : cell.trained_on) text += corpus + " ";
    said.push_back(text + "> " + cell.tested.corpus);
  }
  return said;
}

TEST(CorpusMatrix, EachCorpusMeetsEachOtherAndAllOthersMeetEach) {
  const ResultFile result = scored(corpora({"red", "blue", "gold"}));
  EXPECT_THAT(directions(result),
              ElementsAre("blue > gold", "blue > red", "gold > blue", "gold > red", "red > blue",
                          "red > gold", "gold red > blue", "blue red > gold", "blue gold > red"));
  for (const MatrixCell& cell : result.matrix) EXPECT_EQ(cell.tested.scores.n, 16);
  EXPECT_EQ(result.matrix[8].tested.scores.uar, by_corpus(result)[2].scores.uar);
}

TEST(CorpusMatrix, OfTwoCorporaAllOthersAreOne) {
  const ResultFile result = scored(corpora({"red", "blue"}));
  EXPECT_THAT(directions(result), ElementsAre("blue > red", "red > blue"));
  EXPECT_EQ(result.matrix[0].tested.scores.uar, by_corpus(result)[1].scores.uar);
  EXPECT_EQ(result.matrix[1].tested.scores.uar, by_corpus(result)[0].scores.uar);
}

TEST(CorpusMatrix, TrainsOnceACorpusAndNeverOnTheTested) {
  const FeatureTable table = corpora({"red", "blue", "gold"});
  std::multiset<std::string> trained;
  std::mutex mutex;
  corpus_matrix(table, {}, quick_recipe(), 3, 2,
                [&](const std::string& corpus, const EpochReport& epoch) {
                  const std::lock_guard lock(mutex);
                  if (epoch.epoch == 1) trained.insert(corpus);
                  EXPECT_EQ(epoch.clips, 16u);
                });
  EXPECT_THAT(trained, UnorderedElementsAre("blue", "gold", "red"));
}

TEST(CorpusMatrix, CorporaWithoutCommonClassesAreNotScored) {
  const FeatureTable table = corpora({"red", "blue", "gold"}, "gold");
  EXPECT_THAT(corpus_matrix(table, {}, quick_recipe(), 3, 1), testing::SizeIs(2));
  const MatrixTable shown = matrix_table([&] {
    ResultFile result;
    result.matrix = corpus_matrix(table, {}, quick_recipe(), 3, 1);
    return result;
  }());
  EXPECT_THAT(shown.tested_on, ElementsAre("blue", "red"));
  EXPECT_EQ(shown.rows.size(), 2u);
}

TEST(CorpusMatrix, ATableHasARowForEachTrainingSide) {
  const ResultFile result = scored(corpora({"red", "blue", "gold"}));
  const MatrixTable table = matrix_table(result);
  EXPECT_THAT(table.tested_on, ElementsAre("blue", "gold", "red"));
  ASSERT_EQ(table.rows.size(), 4u);
  EXPECT_EQ(table.rows[1].trained_on, "gold");
  EXPECT_EQ(table.rows[1].cells[0], &result.matrix[2].tested);
  EXPECT_EQ(table.rows[1].cells[1], nullptr);
  EXPECT_EQ(table.rows[3].trained_on, "all others");
  EXPECT_EQ(table.rows[3].cells[2], &result.matrix[8].tested);
  EXPECT_THAT(matrix_table({}).rows, IsEmpty());
}

TEST(CorpusMatrix, ProcessesChangeNothing) {
  const FeatureTable table = corpora({"red", "blue", "gold"});
  const std::string expected = result_json(scored(table));
  run_as_team(2, [&](Team& team) { EXPECT_EQ(result_json(scored(table, team)), expected); });
}

TEST(CorpusMatrix, GoesOnFromTheCorporaThatAreKept) {
  const FeatureTable table = corpora({"red", "blue", "gold"});
  const ResultFile whole = scored(table);
  const TempFolder folder;
  const Recipe recipe = quick_recipe();
  const KeepFolds keep{folder / "kept"}, resume{folder / "kept", true};
  corpus_matrix(table, whole, recipe, 3, 1, {}, 0, alone(), keep);
  std::filesystem::remove(folder / "kept/trained-on-1.json");
  std::set<std::string> trained;
  ResultFile again = whole;
  again.matrix = corpus_matrix(
      table, whole, recipe, 3, 1,
      [&](const std::string& corpus, const EpochReport&) { trained.insert(corpus); }, 0, alone(),
      resume);
  EXPECT_THAT(trained, ElementsAre("gold"));
  EXPECT_EQ(result_json(again), result_json(whole));
  EXPECT_ERROR(corpus_matrix(table, whole, recipe, 4, 1, {}, 0, alone(), resume),
               HasSubstr("trained-on-0.json: expected a fold of the same recipe"));
  std::string changed = read_file(folder / "kept/trained-on-1.json", 1 << 20);
  const std::size_t clip = changed.find("blue");
  ASSERT_NE(clip, changed.npos);
  changed[clip] = 'g';
  write_file(folder / "kept/trained-on-1.json", changed);
  EXPECT_ERROR(corpus_matrix(table, whole, recipe, 3, 1, {}, 0, alone(), resume),
               HasSubstr("trained-on-1.json: expected a fold as it was kept"));
}

}  // namespace
}  // namespace ser
