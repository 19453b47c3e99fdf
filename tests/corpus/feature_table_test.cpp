#include "ser/corpus/feature_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "ser/core/csv.h"
#include "ser/core/rng.h"
#include "ser/core/safetensors.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "support/values.h"

namespace ser {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Utterance clip(const std::string& path) {
  Utterance utterance;
  utterance.path = path;
  utterance.corpus = "ravdess";
  utterance.emotion = "happy";
  utterance.speaker = "07";
  utterance.content = "00ff00ff00ff00ff";
  utterance.votes = {{"angry", 3}, {"happy", 2.5}};
  return utterance;
}

/// Features of clip `i`: i + 1 frames.
Eigen::MatrixXf frames(int i) {
  Eigen::MatrixXf values(2, i + 1);
  for (int frame = 0; frame <= i; ++frame) values.col(frame) << 10.f * i + frame, 1.f / (1 + frame);
  return values;
}

class FeatureTableFile : public testing::Test {
 protected:
  /// A file, or shards, of five clips of 1 to 5 frames.
  fs::path write(std::uint64_t max_shard_bytes = kMostBytes) {
    FeatureTableWriter writer(path_, set_, max_shard_bytes);
    for (int i = 0; i < 5; ++i) writer.add(clip("clip \"é\" " + std::to_string(i)), frames(i));
    writer.finish();
    return path_;
  }

  void expect_sample(const FeatureTable& table) {
    EXPECT_EQ(fingerprint(table.set), fingerprint(set_));
    EXPECT_EQ(table.rows, row_names(set_));
    ASSERT_EQ(table.size(), 5u);
    for (int i = 0; i < 5; ++i) {
      const auto index = static_cast<std::size_t>(i);
      EXPECT_EQ(table.clip(index), frames(i));
      EXPECT_EQ(table.clips[index].path, "clip \"é\" " + std::to_string(i));
      EXPECT_EQ(table.clips[index].speaker, "07");
      EXPECT_EQ(table.clips[index].content, "00ff00ff00ff00ff");
      EXPECT_EQ(table.clips[index].votes, clip("").votes);
      EXPECT_EQ(table.clips[index].gender, "");
    }
  }

  /// A file of the parts given instead of good ones: two clips of one frame each.
  FeatureTable read_with(std::map<std::string, std::string> changed,
                         std::vector<std::int64_t> offsets = {0, 1, 2},
                         std::vector<float> values = {1, 2, 3, 4}) {
    std::map<std::string, std::string> metadata = {{"format", "ser-features-1"},
                                                   {"features", to_json(set_)},
                                                   {"fingerprint", fingerprint(set_)},
                                                   {"rows", R"(["rms","zcr"])"},
                                                   {"clips", R"([{"path":"a"},{"path":"b"}])"}};
    for (auto& [key, value] : changed) metadata[key] = value;
    const auto count = [](const auto& v) { return static_cast<std::int64_t>(v.size()); };
    write_safetensors(path_, metadata,
                      {{"offsets",
                        DType::kI64,
                        {count(offsets)},
                        [&](AtomicFile& file) { file.write(std::as_bytes(std::span(offsets))); }},
                       {"features", DType::kF32, {count(values) / 2, 2}, [&](AtomicFile& file) {
                          file.write(std::as_bytes(std::span(values)));
                        }}});
    return read_feature_table(path_);
  }

  TempFolder folder_;
  fs::path path_ = folder_ / "x.safetensors";
  FeatureSet set_ = parse_feature_set("rms,zcr");
};

TEST_F(FeatureTableFile, TheLongestNamesWork) {
  path_ = path_.parent_path() / std::string(255, 'n');
  EXPECT_EQ(read_feature_table(write()).size(), 5u);
}

TEST_F(FeatureTableFile, ADeviceTakesAllAndStays) {
  path_ = path_.parent_path() / "device";
  fs::create_symlink("/dev/null", path_);
  write(1);
  EXPECT_TRUE(fs::is_symlink(path_));
}

TEST_F(FeatureTableFile, AClipComesOnce) {
  const fs::path file = write();
  EXPECT_ERROR(read_feature_tables({file, file}),
               HasSubstr("expected each clip once, found clip \"é\" 0 twice"));
}

TEST_F(FeatureTableFile, SeveralFilesTellNamesakesAndRecordingsUnderTwoNames) {
  const auto file = [&](const std::string& name, const std::vector<Utterance>& clips) {
    FeatureTableWriter writer(folder_ / name, set_, kMostBytes);
    for (const Utterance& one : clips) writer.add(one, frames(0));
    writer.finish();
    return folder_ / name;
  };
  const auto spoken = [](std::string path, std::string speaker, std::string content) {
    Utterance one = clip(std::move(path));
    one.speaker = std::move(speaker);
    one.content = std::move(content);
    return one;
  };
  Utterance copy = spoken("a1.wav", "anna", "1");
  copy.augmentation = "noise:20";
  const fs::path a =
      file("a", {spoken("a1.wav", "anna", "1"), copy, spoken("a2.wav", "anna", "2")});
  const fs::path b = file("b", {spoken("b1.wav", "anna", "3"), spoken("b2.wav", "bert", "4")});
  const fs::path c = file("c", {spoken("c1.wav", "carl", "2"), spoken("c2.wav", "carl", "2")});
  EXPECT_THAT(read_feature_tables({a}).warnings, IsEmpty());
  EXPECT_THAT(read_feature_tables({b, c}).warnings, IsEmpty());
  EXPECT_THAT(read_feature_tables({a, b}).warnings,
              ElementsAre(HasSubstr("taken for one: ravdess:anna; where")));
  EXPECT_THAT(read_feature_tables({a, c}).warnings,
              ElementsAre(HasSubstr("2 recordings are in several files under other names")));
  Utterance other = spoken("b1.wav", "anna", "3");
  other.corpus = "mine";
  EXPECT_THAT(read_feature_tables({a, file("d", {other})}).warnings, IsEmpty())
      << "another corpus' anna";
}

TEST_F(FeatureTableFile, ReadsBackWhatWasWritten) { expect_sample(read_feature_table(write())); }

TEST_F(FeatureTableFile, SameContentIsTheSameBytes) {
  const std::string first = read_file(write(), kMostBytes);
  EXPECT_EQ(read_file(write(), kMostBytes), first);
}

TEST_F(FeatureTableFile, OffsetsComeFirstAndARowIsAFrame) {
  const SafetensorsFile file(write());
  EXPECT_THAT(file.tensor("features", DType::kF32, 2).shape, ElementsAre(15, 2));
  EXPECT_LT(file.tensor("offsets", DType::kI64, 1).bytes.data(),
            file.tensor("features", DType::kF32, 2).bytes.data());
}

TEST_F(FeatureTableFile, LargeCorporaBecomeShards) {
  write(7 * 2 * sizeof(float));  // clips of 1 + 2 + 3, 4 and 5 frames
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_TRUE(fs::exists(folder_ / "x-00001-of-00003.safetensors"));
  EXPECT_EQ(read_feature_table(folder_ / "x-00001-of-00003.safetensors").size(), 3u);
  expect_sample(read_feature_table(path_));
  expect_sample(read_feature_table(folder_ / "x.safetensors.index.json"));
}

TEST_F(FeatureTableFile, ANewFileReplacesAnOldIndexAndTheOtherWayRound) {
  write(8);
  write();
  EXPECT_FALSE(fs::exists(folder_ / "x.safetensors.index.json"));
  write(8);
  EXPECT_FALSE(fs::exists(path_));
  expect_sample(read_feature_table(path_));
}

TEST_F(FeatureTableFile, WithoutFinishTheOldFileStays) {
  write();
  { FeatureTableWriter(path_, set_).add(clip("z"), frames(0)); }
  expect_sample(read_feature_table(path_));
}

TEST_F(FeatureTableFile, WriterRefusesFeaturesThatDoNotFit) {
  FeatureTableWriter writer(path_, set_);
  EXPECT_ERROR(writer.add(clip("a"), Eigen::MatrixXf::Zero(3, 1)),
               HasSubstr("a: expected 2 features in at least one row, found 3 in 1"));
  EXPECT_ERROR(writer.add(clip("a"), Eigen::MatrixXf::Zero(2, 0)), HasSubstr("found 2 in 0"));
  Eigen::MatrixXf values = frames(2);
  values(1, 1) = std::nanf("");
  EXPECT_ERROR(writer.add(clip("a"), values), HasSubstr("feature zcr is not finite"));
  EXPECT_ERROR(writer.add(clip("\xff"), frames(0)), HasSubstr("UTF-8"));
  EXPECT_ERROR(writer.finish(), HasSubstr("expected clips to write, found none"));
}

TEST_F(FeatureTableFile, ReaderRefusesPartsThatDoNotFit) {
  EXPECT_EQ(read_with({}).size(), 2u);
  EXPECT_ERROR(read_with({{"format", "other"}}),
               AllOf(HasSubstr("x.safetensors"), HasSubstr("found 'other'")));
  EXPECT_ERROR(read_with({{"features", R"({"sample_rate":3})"}}),
               HasSubstr("unknown option 'sample_rate'"));
  EXPECT_ERROR(read_with({{"fingerprint", "0000"}}), HasSubstr("found 0000"));
  EXPECT_ERROR(read_with({{"rows", R"(["rms"])"}}), HasSubstr("expected 1 features a row"));
  EXPECT_ERROR(read_with({{"rows", R"({"a":"b"})"}}), HasSubstr("rows: expected a list"));
  EXPECT_ERROR(read_with({{"rows", "[1,2]"}}), HasSubstr("rows: expected a list"));
  EXPECT_ERROR(read_with({{"clips", "3"}}), HasSubstr("clips: expected a list"));
  EXPECT_ERROR(read_with({{"clips", R"([{"path":"a"},{"emotion":"b"}])"}}),
               HasSubstr("clip 1: expected a path"));
  EXPECT_ERROR(read_with({{"clips", R"([{"path":"a"},{"path":3}])"}}),
               HasSubstr("clip 1: 'path': expected text"));
  EXPECT_ERROR(read_with({{"clips", R"([{"path":"a","votes":3},{"path":"b"}])"}}),
               HasSubstr("clip 0: 'votes': expected an object"));
  EXPECT_ERROR(read_with({{"clips", R"([{"path":"a","votes":{"sad":-1}},{"path":"b"}])"}}),
               HasSubstr("expected numbers above 0, found -1 for 'sad'"));
  EXPECT_ERROR(read_with({{"clips", R"([{"path":"a"},{"path":"b","x":"y"}])"}}),
               HasSubstr("unknown key 'x'"));
  EXPECT_ERROR(read_with({{"clips", R"([{"path":"a"}])"}}),
               HasSubstr("expected 2 offsets for 1 clips, found 3"));
}

TEST_F(FeatureTableFile, ReaderRefusesHostileOffsetsAndValues) {
  constexpr std::int64_t kFar = std::int64_t{1} << 62;
  EXPECT_ERROR(read_with({}, {0, 2}), HasSubstr("expected 3 offsets for 2 clips, found 2"));
  EXPECT_ERROR(read_with({}, {0, 1, 3}), HasSubstr("expected offsets from 0 to 2 rows"));
  EXPECT_ERROR(read_with({}, {1, 1, 2}), HasSubstr("found 1 to 2"));
  EXPECT_ERROR(read_with({}, {0, 0, 2}), HasSubstr("clip 0: expected at least one row"));
  EXPECT_ERROR(read_with({}, {0, kFar, 2}), HasSubstr("clip 1: expected at least one row"));
  EXPECT_ERROR(read_with({}, {0, -kFar, 2}), HasSubstr("clip 0: expected at least one row"));
  EXPECT_ERROR(read_with({}, {0, 1, 2}, {1, 2, 3, std::nanf("")}), HasSubstr("NaN or infinity"));
  EXPECT_ERROR(read_with({}, {0, 1, 2}, {1, 2, 3, INFINITY}), HasSubstr("NaN or infinity"));
}

TEST_F(FeatureTableFile, PartsOfALongClipAreTheClip) {
  Eigen::MatrixXf whole(2, 10000);
  for (Eigen::Index i = 0; i < whole.size(); ++i) whole.data()[i] = static_cast<float>(i);
  FeatureTableWriter writer(path_, set_);
  writer.add(clip("a"), frames(2));
  writer.add(clip("b"), whole);
  writer.finish();
  const FeatureTable table = read_feature_table(path_);
  EXPECT_EQ(table.part(1, 9000, 1000), whole.rightCols(1000));
  Eigen::Index next = 0;
  table.for_each_part(1, [&](const auto& part) {
    EXPECT_EQ(part, whole.middleCols(next, part.cols()));
    next += part.cols();
  });
  EXPECT_EQ(next, 10000);
}

TEST_F(FeatureTableFile, ReaderRefusesHostileIndexes) {
  const auto read = [&](const std::string& text) {
    return read_feature_table(folder_.add("i.json", text));
  };
  const std::string start = R"({"format":"ser-features-index-1","shards":)";
  EXPECT_ERROR(read("{}"), HasSubstr("expected features, or an index of them"));
  EXPECT_ERROR(read(R"({"format": "ser-model", "heads": {}})"),
               HasSubstr("expected a feature file of ser-extract, found a model of ser-train"));
  EXPECT_ERROR(read(start + "[]}"), HasSubstr("expected shards, found none"));
  EXPECT_ERROR(read(start + R"(["a.safetensors","a.safetensors"]})"),
               HasSubstr("expected each shard once, found 'a.safetensors' twice"));
  EXPECT_ERROR(read(start + "3}"), HasSubstr("shards: expected a list"));
  EXPECT_ERROR(read(start + R"(["../x.safetensors"]})"), HasSubstr("found '../x.safetensors'"));
  EXPECT_ERROR(read(start + R"(["gone.safetensors"]})"), HasSubstr("opening failed"));
  EXPECT_ERROR(read_feature_table(folder_ / "gone.safetensors"), HasSubstr("opening failed"));
}

TEST_F(FeatureTableFile, ShardsOfOtherFeaturesAreRefused) {
  write(7 * 2 * sizeof(float));
  FeatureTableWriter writer(folder_ / "x-00002-of-00003.safetensors", parse_feature_set("zcr,rms"));
  writer.add(clip("a"), frames(0));
  writer.finish();
  EXPECT_ERROR(read_feature_table(path_),
               AllOf(HasSubstr("x-00002-of-00003.safetensors: expected the features of"),
                     HasSubstr("x-00001-of-00003.safetensors")));
}

TEST_F(FeatureTableFile, TruncatedFilesAreRefused) {
  const std::string good = read_file(write(), kMostBytes);
  for (std::size_t i = 0; i < 64; ++i)
    EXPECT_THROW(read_feature_table(folder_.add("t", good.substr(0, good.size() * i / 64))), Error);
}

TEST_F(FeatureTableFile, FlippedBitsAreRefusedOrHarmless) {
  const std::string good = read_file(write(), kMostBytes);
  Rng rng(1, 0);
  for (int i = 0; i < 500; ++i) {
    std::string damaged = good;
    damaged[rng.below(damaged.size())] ^= static_cast<char>(1 << rng.below(8));
    try {
      const FeatureTable table = read_feature_table(folder_.add("t", damaged));
      EXPECT_TRUE(values_of(table).allFinite());
      EXPECT_EQ(table.offsets.size(), table.size() + 1);
    } catch (const Error&) {
      continue;
    }
  }
}

TEST_F(FeatureTableFile, CsvHasALineARowAndEveryDigit) {
  const FeatureTable table = read_feature_table(write());
  FeatureCsvWriter writer(folder_ / "x.csv", table.set);
  for (std::size_t i = 0; i < table.size(); ++i) writer.add(table.clips[i], table.clip(i));
  writer.finish();
  const auto records = parse_csv(read_file(folder_ / "x.csv", kMostBytes));
  ASSERT_EQ(records.size(), 16u);
  EXPECT_THAT(records[0].cells, ElementsAre("path", "corpus", "emotion", "gender", "speaker",
                                            "intensity", "statement", "repetition", "channel",
                                            "augmentation", "frame", "rms", "zcr"));
  EXPECT_THAT(records[15].cells, ElementsAre("clip \"é\" 4", "ravdess", "happy", "", "07", "", "",
                                             "", "", "", "4", "44", "0.2"));
  EXPECT_EQ(std::stof(records[6].cells[12]), 1.f / 3);
}

TEST_F(FeatureTableFile, CsvWithoutFinishLeavesNothing) {
  { FeatureCsvWriter(folder_ / "x.csv", set_).add(clip("a"), frames(0)); }
  EXPECT_FALSE(fs::exists(folder_ / "x.csv"));
}

}  // namespace
}  // namespace ser
