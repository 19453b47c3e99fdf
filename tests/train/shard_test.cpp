#include "train/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <set>

#include "model/internal/batch.h"
#include "support/synthetic_table.h"

namespace ser {
namespace {

/// Two corpora: "a" with all four emotions and intensities, "b" with happy and sad, women alone and
/// no intensity.
FeatureTable unlike_corpora() {
  FeatureTable table = synthetic_table(4, 2);
  for (Utterance& clip : table.clips) {
    clip.corpus = clip.speaker <= "2" ? "a" : "b";
    if (clip.corpus == "a") continue;
    clip.emotion = clip.emotion == "neutral" || clip.emotion == "happy" ? "happy" : "sad";
    clip.gender = "female";
    clip.intensity.clear();
  }
  return table;
}

/// Shards of a table, one clip each, so that a clip can only be mixed with itself or with `other`.
class Shards {
 public:
  explicit Shards(FeatureTable table, const Recipe& recipe = {})
      : table_(std::move(table)),
        recipe_(recipe),
        all_(all_of(table_)),
        tasks_(make_tasks(table_, all_, recipe_.training.tasks)),
        data_(make_dataset(table_, all_, tasks_, recipe_.training)),
        voices_(data_, recipe_.listening),
        source_{data_,   scaler_,
                voices_, tasks_,
                recipe_, input_shape(table_.values.rows(), table_.set.pool == Pooling::kNone)} {}

  Shard training(const std::vector<int>& ids, std::uint64_t stream = 1) {
    return make_training_shard(source_, ids, Rng(1, stream), arena_);
  }
  Shard plain(const std::vector<int>& ids) { return make_plain_shard(source_, ids, arena_); }

  const Dataset& data() const { return data_; }
  const Tasks& tasks() const { return tasks_; }
  /// The first clip that has all of what is asked for.
  int clip(const std::string& corpus, const std::string& emotion) const {
    for (int i = 0; i < static_cast<int>(data_.size()); ++i)
      if (data_.utterance(i).corpus == corpus && data_.utterance(i).emotion == emotion) return i;
    return -1;
  }

 private:
  static std::vector<int> all_of(const FeatureTable& table) {
    std::vector<int> all(table.size());
    std::iota(all.begin(), all.end(), 0);
    return all;
  }

  FeatureTable table_;
  Recipe recipe_;
  std::vector<int> all_;
  Tasks tasks_;
  Dataset data_;
  Scaler scaler_;
  Voices voices_;
  ShardSource source_;
  nn::Arena arena_;
};

Recipe recipe_of(std::string_view json) {
  Recipe recipe;
  from_json(json, recipe);
  return recipe;
}

nn::Vector column(const nn::Tensor& tensor, nn::Index n = 0) { return tensor.matrix().col(n); }

nn::Vector vector(std::initializer_list<nn::Real> values) {
  nn::Vector v(static_cast<nn::Index>(values.size()));
  std::copy(values.begin(), values.end(), v.data());
  return v;
}

constexpr const char* kAllTasks = R"({"training": {"tasks": {"gender": 0.5, "intensity": 0.25}}})";

TEST(Shard, ClipsAreHeldAgainstTheClassesOfTheirCorpus) {
  Shards shards(unlike_corpora(), recipe_of(kAllTasks));
  ASSERT_EQ(shards.tasks().outputs(), 4 + 2 + 2);  // neutral happy sad angry, male female, two
  const Shard shard = shards.plain({shards.clip("a", "angry"), shards.clip("b", "sad")});
  EXPECT_EQ(column(shard.targets, 0).head(4), vector({0, 0, 0, 1}));
  EXPECT_EQ(column(shard.allowed, 0), vector({1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(column(shard.weights, 0), vector({1, 0.5, 0.25}));
  EXPECT_EQ(column(shard.targets, 1), vector({0, 0, 1, 0, 0, 1, 0, 0}));
  EXPECT_EQ(column(shard.allowed, 1), vector({0, 1, 1, 0, 0, 1, 0, 0}));
  EXPECT_EQ(column(shard.weights, 1), vector({1, 0.5, 0}));
}

TEST(Shard, SmoothingStaysWithinTheClassesOfTheCorpus) {
  Shards shards(unlike_corpora(), recipe_of(R"({"training": {"label_smoothing": 0.2}})"));
  const Shard shard = shards.training({shards.clip("a", "angry"), shards.clip("b", "sad")});
  EXPECT_TRUE(column(shard.targets, 0).head(4).isApprox(vector({0.05f, 0.05f, 0.05f, 0.85f})));
  EXPECT_TRUE(column(shard.targets, 1).head(4).isApprox(vector({0, 0.1f, 0.9f, 0})));
  EXPECT_TRUE(column(shard.targets, 1).tail(2).isApprox(vector({0, 1})));
}

TEST(Shard, CopiesAtAnotherSpeedTeachNoGender) {
  FeatureTable table = unlike_corpora();
  for (std::size_t i = 0; i < 3; ++i)
    table.clips[i].augmentation = std::array{"noise:20", "speed:0.9", "noise:20+speed:1.1"}[i];
  const Shard shard = Shards(std::move(table), recipe_of(kAllTasks)).plain({0, 1, 2, 3});
  EXPECT_EQ(column(shard.weights, 0), vector({1, 0.5, 0.25}));
  EXPECT_EQ(column(shard.weights, 1), vector({1, 0, 0.25}));
  EXPECT_EQ(column(shard.weights, 2), vector({1, 0, 0.25}));
  EXPECT_EQ(column(shard.weights, 3), vector({1, 0.5, 0.25}));
}

TEST(Shard, ListenersVotesAreAShareOfTheTarget) {
  FeatureTable table = unlike_corpora();
  for (Utterance& clip : table.clips)
    if (clip.corpus == "b") clip.votes = {{"happy", 3}, {"sad", 1}, {"angry", 6}, {"bored", 2}};
  Shards shards(std::move(table), recipe_of(R"({"training": {"listeners": 0.4}})"));
  const Shard shard = shards.plain({shards.clip("b", "sad"), shards.clip("a", "sad")});
  // Of the votes, those for classes of the corpus count: three to one.
  EXPECT_TRUE(column(shard.targets, 0).head(4).isApprox(vector({0, 0.3f, 0.7f, 0})));
  EXPECT_EQ(column(shard.targets, 1).head(4), vector({0, 0, 1, 0}));
}

TEST(Shard, MixedClipsKeepDistributionsInEveryHead) {
  Shards shards(unlike_corpora(), recipe_of(R"({"training": {"tasks": {"gender": 0.5,
      "intensity": 0.25}, "label_smoothing": 0.1, "augmentation": {"mixup": 1}}})"));
  std::vector<int> all(shards.data().size());
  std::iota(all.begin(), all.end(), 0);
  const Shard shard = shards.training(all);
  int weighed = 0;
  for (nn::Index n = 0; n < shard.input.clips; ++n)
    for (std::size_t h = 0; h < shards.tasks().heads.size(); ++h) {
      const auto [begin, size] = shards.tasks().heads[h];
      const nn::Vector targets = column(shard.targets, n).segment(begin, size);
      const nn::Vector allowed = column(shard.allowed, n).segment(begin, size);
      EXPECT_TRUE((allowed.array() > 0 || targets.array() == 0).all());
      if (shard.weights.matrix()(static_cast<nn::Index>(h), n) == 0) continue;
      EXPECT_NEAR(targets.sum(), 1, 1e-5);
      ++weighed;
    }
  EXPECT_GT(weighed, 2 * static_cast<int>(all.size()));
}

TEST(Shard, AMissingLabelLeavesThatOfThePartner) {
  Shards shards(unlike_corpora(), recipe_of(R"({"training": {"tasks": {"gender": 0.5,
      "intensity": 0.25}, "augmentation": {"mixup": 1}}})"));
  const int of_a = shards.clip("a", "angry"), of_b = shards.clip("b", "sad");
  bool mixed = false;
  for (std::uint64_t stream = 0; stream < 20; ++stream) {
    const Shard shard = shards.training({of_a, of_b}, stream);
    const nn::Real share = column(shard.targets, 0)[2];  // sad, of the partner
    if (share == 0) continue;
    mixed = true;
    EXPECT_NEAR(column(shard.targets, 0)[3], 1 - share, 1e-6);
    EXPECT_NEAR(column(shard.weights, 0)[2], 0.25 * (1 - share), 1e-6);
    EXPECT_NEAR(column(shard.targets, 0).tail(2).sum(), 1, 1e-6);
    const auto a = shards.data().features(of_a), b = shards.data().features(of_b);
    EXPECT_TRUE(column(shard.input, 0).isApprox((1 - share) * a + share * b, 1e-4f));
  }
  EXPECT_TRUE(mixed);
}

TEST(Shard, BalanceLetsEveryEmotionOfACorpusCountAlike) {
  FeatureTable table = unlike_corpora();
  for (std::size_t i = 0; i < table.size(); ++i)
    if (table.clips[i].corpus == "a" && table.clips[i].emotion == "sad" && i % 2 == 0)
      table.clips[i].emotion = "angry";
  Shards shards(std::move(table), recipe_of(R"({"training": {"balance_classes": true}})"));
  std::map<std::string, double> sums;
  double of_corpus = 0, clips = 0;
  for (int i = 0; i < static_cast<int>(shards.data().size()); ++i) {
    const Utterance& clip = shards.data().utterance(i);
    if (clip.corpus != "a") continue;
    sums[clip.emotion] += static_cast<double>(shards.data().weights(0, i));
    of_corpus += static_cast<double>(shards.data().weights(0, i));
    ++clips;
  }
  EXPECT_EQ(sums.size(), 4u);
  for (const auto& [emotion, sum] : sums) EXPECT_NEAR(sum, clips / 4, 1e-4) << emotion;
  EXPECT_NEAR(of_corpus, clips, 1e-4);
}

TEST(Shard, FramesAreMixedOverTheirLengthAndPaddedWithZeros) {
  Shards shards(synthetic_table(2, 2, 12),
                recipe_of(R"({"training": {"augmentation": {"mixup": 0.5}}})"));
  const std::vector<int> ids = {0, 1, 2, 3};
  const Shard shard = shards.training(ids);
  for (nn::Index n = 0; n < 4; ++n) {
    EXPECT_EQ(shard.input.length(n),
              shards.data().features(ids[static_cast<std::size_t>(n)]).cols());
    EXPECT_TRUE(
        shard.input.clip(n).rightCols(shard.input.frames - shard.input.length(n)).isZero(0));
  }
}

/// Where `part` stands in `clip`, or -1.
nn::Index place_of(const Eigen::MatrixXf& part, const Eigen::MatrixXf& clip) {
  for (nn::Index begin = 0; begin + part.cols() <= clip.cols(); ++begin)
    if (part == clip.middleCols(begin, part.cols())) return begin;
  return -1;
}

TEST(Shard, AnEpochTakesAPartOfALongClip) {
  Shards shards(synthetic_table(2, 2, 60), recipe_of(R"({"training": {"crop_frames": 25}})"));
  Shards whole(synthetic_table(2, 2, 60));
  const Eigen::MatrixXf clip = shards.data().features(3);
  std::set<nn::Index> places;
  for (std::uint64_t stream = 0; stream < 20; ++stream) {
    const Shard shard = shards.training({3}, stream);
    ASSERT_EQ(shard.input.length(0), 25);
    places.insert(place_of(shard.input.matrix(), clip));
    EXPECT_EQ(whole.training({3}, stream).input.matrix(), clip);
  }
  EXPECT_GT(places.size(), 10u);
  EXPECT_FALSE(places.contains(-1));
  EXPECT_EQ(place_of(shards.plain({3}).input.matrix(), clip), (clip.cols() - 25) / 2);
}

TEST(Shard, OfARecordingOfMoreThanAMinuteAnEpochTakesAPieceAsItIsAnswered) {
  const auto length = [](const char* recipe) {
    Shards shards(synthetic_table(2, 1, 6001), recipe_of(recipe));
    return shards.training({0}).input.length(0);
  };
  EXPECT_EQ(length("{}"), 300);
  EXPECT_EQ(length(R"({"training": {"crop_frames": 25}})"), 25);
  EXPECT_GT(length(R"({"training": {"crop_frames": 0}})"), 6000);
  EXPECT_EQ(Shards(synthetic_table(2, 1, 4000)).training({0}).input.length(0), 1000);
}

TEST(Shard, ClipsUpToThatLengthAreDrawnAsIfThereWereNone) {
  const auto inputs = [](int crop_frames) {
    Recipe recipe = recipe_of(R"({"training": {"augmentation": {"mixup": 0.5, "time_masks": 2}}})");
    recipe.training.crop_frames = crop_frames;
    Shards shards(synthetic_table(2, 2, 20), recipe);
    return Eigen::MatrixXf(shards.training({0, 1, 2, 3}).input.matrix());
  };
  EXPECT_EQ(inputs(0), inputs(27));
}

TEST(Shard, LongClipsAreCutIntoSmallerShards) {
  using testing::ElementsAre;
  using testing::Pair;
  const std::vector<nn::Index> usual(40, 500), of_ten_seconds(32, 1000), endless(9, 1 << 20);
  EXPECT_THAT(cut_shards(usual, 16), ElementsAre(Pair(0, 16), Pair(16, 32), Pair(32, 40)));
  EXPECT_THAT(cut_shards(of_ten_seconds, 16),
              ElementsAre(Pair(0, 8), Pair(8, 16), Pair(16, 24), Pair(24, 32)));
  EXPECT_THAT(cut_shards(endless, 16), ElementsAre(Pair(0, 4), Pair(4, 9)));
}

class ShardHearing : public testing::TestWithParam<int> {};

TEST_P(ShardHearing, TakesTheShrunkMeanOfOtherClipsOfTheVoice) {
  const int frames = GetParam();
  FeatureTable table = synthetic_table(2, 2, frames);
  for (std::size_t i = 1; i < table.size(); i += 2) {  // every other one a copy of that before
    table.clips[i] = table.clips[i - 1];
    table.clips[i].augmentation = "speed:0.9";
  }
  Shards shards(std::move(table), recipe_of(R"({"listening": {"enabled": true, "draw": "all"}})"));
  const int id = 3;
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(shards.data().features(id).rows());
  double heard_frames = 0, heard = 0;
  for (int i = 0; i < static_cast<int>(shards.data().size()); ++i) {
    const Utterance &clip = shards.data().utterance(i), &own = shards.data().utterance(id);
    if (i == id || clip.speaker != own.speaker || clip.augmentation != own.augmentation) continue;
    sum += shards.data().features(i).cast<double>().rowwise().sum();
    heard_frames += static_cast<double>(shards.data().features(i).cols());
    ++heard;
  }
  ASSERT_EQ(heard, 3);
  const Eigen::VectorXf offset = (sum / heard_frames * heard / (heard + 4)).cast<float>();
  const Shard shard = shards.training({id});
  const Eigen::MatrixXf expected = shards.data().features(id).colwise() - offset;
  EXPECT_TRUE(shard.input.clip(0).isApprox(expected, 1e-4f));
  EXPECT_TRUE(shards.plain({id}).input.clip(0).isApprox(shards.data().features(id)));
}

INSTANTIATE_TEST_SUITE_P(ClipsAndFrames, ShardHearing, testing::Values(0, 12));

TEST(ShardHearing, DrawsAsManyAsTheRecipeSaysAndNoClipTwice) {
  Recipe recipe = recipe_of(R"({"listening": {"enabled": true, "draw": "0,1,4,100"}})");
  Shards shards(synthetic_table(2, 2), recipe);
  const Voices voices(shards.data(), recipe.listening);
  std::map<double, int> counts;
  for (std::uint64_t i = 0; i < 400; ++i) ++counts[voices.draw(0, Rng(1, i)).clips];
  EXPECT_THAT(counts, testing::ElementsAre(testing::Key(0), testing::Key(1), testing::Key(4),
                                           testing::Key(7)));  // all the others
  for (const auto& [clips, times] : counts) EXPECT_NEAR(times, 100, 40) << clips;
}

TEST(ShardHearing, AllOfAVoiceOfManyClipsIsTheSumOfTheOthers) {
  for (const int frames : {0, 12}) {
    const Recipe all = recipe_of(R"({"listening": {"enabled": true, "draw": "all"}})");
    Shards shards(synthetic_table(2, 10, frames), all);
    const Dataset& data = shards.data();
    for (const int id : {0, 7, static_cast<int>(data.size()) - 1}) {
      Eigen::VectorXd sum = Eigen::VectorXd::Zero(data.features(id).rows());
      double clips = 0, heard_frames = 0;
      for (int i = 0; i < static_cast<int>(data.size()); ++i) {
        if (i == id || data.utterance(i).speaker != data.utterance(id).speaker) continue;
        sum += data.features(i).cast<double>().rowwise().sum();
        heard_frames += static_cast<double>(data.frames(i));
        ++clips;
      }
      ASSERT_GT(clips, 32);
      const HeardFeatures heard = Voices(data, all.listening).draw(id, Rng(1, 0));
      EXPECT_EQ(heard.clips, clips);
      EXPECT_EQ(heard.frames, heard_frames);
      EXPECT_TRUE(heard.sum.isApprox(sum, 1e-6));
    }
  }
}

TEST(ShardHearing, OfNobodyKnownHearsNothing) {
  FeatureTable table = synthetic_table(2, 2);
  for (Utterance& clip : table.clips) clip.speaker.clear();
  Recipe recipe = recipe_of(R"({"listening": {"enabled": true, "draw": "all"}})");
  Shards shards(std::move(table), recipe);
  EXPECT_EQ(Voices(shards.data(), recipe.listening).draw(0, Rng(1, 0)).clips, 0);
}

}  // namespace
}  // namespace ser
