#include "ser/corpus/shard.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <unistd.h>

#include "ser/audio/audio_file.h"
#include "ser/core/atomic_file.h"
#include "ser/core/rng.h"
#include "ser/corpus/extraction.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "support/values.h"
#include "support/wav.h"

namespace ser {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kRecordings = 7;

/// Seven recordings of different lengths in two classes, and extractions of them.
class Shards : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < kRecordings; ++i) {
      Rng rng(5, static_cast<std::uint64_t>(i));
      Waveform wave{Eigen::VectorXf(1600 + 400 * i), 8000};
      for (float& sample : wave.samples) sample = static_cast<float>(0.1 * rng.normal());
      const fs::path file = corpus_ / ((i % 2 ? "sad/" : "happy/") + std::to_string(i) + ".wav");
      fs::create_directories(file.parent_path());
      write_wav(file, wave, SampleFormat::kInt16);
    }
    recordings_ = find_recordings({corpus_.path().string()});
    ASSERT_EQ(recordings_.size(), static_cast<std::size_t>(kRecordings));
  }

  static ExtractionOptions options() {
    return {parse_feature_set("rms,zcr"), parse_augmentations("gain:-6")};
  }
  fs::path path(int number) const {
    return folder_ / ("part-0" + std::to_string(number) + ".safetensors");
  }
  fs::path extract_shard(int number, int of, const ExtractionOptions& with = options(),
                         std::uint64_t max_bytes = kMostBytes) const {
    ShardInfo info{number, of};
    info.command = "ser-extract 'my corpus'";
    const RecordingShard shard = take_shard(recordings_, with, info);
    FeatureTableWriter writer(path(number), with.set, max_bytes, shard.info);
    extract(shard.recordings, with, writer);
    return path(number);
  }
  std::vector<fs::path> extract_all(int of) const {
    std::vector<fs::path> shards;
    for (int number = of; number >= 1; --number) shards.push_back(extract_shard(number, of));
    return shards;
  }
  void expect_whole(const FeatureTable& table) const {
    const FeatureTable whole = extract(recordings_, options());
    EXPECT_EQ(table.offsets, whole.offsets);
    EXPECT_EQ(values_of(table), whole.values);
    ASSERT_EQ(table.size(), whole.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
      EXPECT_EQ(table.clips[i].path, whole.clips[i].path);
      EXPECT_EQ(table.clips[i].augmentation, whole.clips[i].augmentation);
    }
  }

  TempFolder corpus_, folder_;
  fs::path all_ = folder_ / "all.safetensors";
  std::vector<Recording> recordings_;
};

TEST(Shard, IsANumberOfSeveral) {
  const ShardInfo shard = parse_shard("2/8");
  EXPECT_EQ(shard.number, 2);
  EXPECT_EQ(shard.of, 8);
  EXPECT_EQ(shard.position(3), 25);
  for (const char* text : {"", "2", "0/8", "9/8", "1/2/3", "1/0"})
    EXPECT_ERROR(parse_shard(text), HasSubstr("expected I/N"));
}

TEST_F(Shards, AreReadAsTheExtractionThatWasNotDivided) {
  const MergedShards merged = merge_shards(extract_all(3), all_);
  EXPECT_EQ(merged.shards, 3);
  EXPECT_EQ(merged.clips, 2u * kRecordings);
  EXPECT_EQ(merged.skipped, 0);
  expect_whole(read_feature_table(all_));
  expect_whole(read_feature_table(folder_ / "all.safetensors.index.json"));
}

TEST_F(Shards, AreCompleteFeatureFiles) {
  const FeatureTable table = read_feature_table(extract_shard(2, 3));
  ASSERT_EQ(table.size(), 4u);
  EXPECT_EQ(table.clips[0].path, recordings_[1].utterance.path);
  EXPECT_EQ(table.clips[2].path, recordings_[4].utterance.path);
}

TEST_F(Shards, MayBeSeveralFilesThemselves) {
  const std::vector<fs::path> shards = {extract_shard(1, 2), extract_shard(2, 2, options(), 64)};
  EXPECT_FALSE(fs::exists(shards[1]));
  EXPECT_EQ(read_feature_table(shards[1]).size(), 6u);
  merge_shards(shards, all_);
  expect_whole(read_feature_table(all_));
}

TEST_F(Shards, SayHowManyRecordingsWereSkipped) {
  fs::resize_file(recordings_[3].file, 20);
  ExtractionOptions skipping = options();
  skipping.on_error = OnError::kSkip;
  const MergedShards merged =
      merge_shards({extract_shard(1, 2, skipping), extract_shard(2, 2, skipping)}, all_);
  EXPECT_EQ(merged.skipped, 1);
  EXPECT_EQ(merged.clips, 2u * (kRecordings - 1));
  const FeatureTable table = read_feature_table(all_);
  EXPECT_EQ(table.clips[5].path, recordings_[2].utterance.path);
  EXPECT_EQ(table.clips[6].path, recordings_[4].utterance.path);
}

TEST_F(Shards, MayBeEmptyButNotAllOfThem) {
  ExtractionOptions skipping = options();
  skipping.on_error = OnError::kSkip;
  skipping.may_be_empty = true;
  for (const int i : {1, 4}) fs::resize_file(recordings_[i].file, 20);
  std::vector<fs::path> shards;
  for (const int number : {1, 2, 3}) shards.push_back(extract_shard(number, 3, skipping));
  EXPECT_EQ(read_feature_table(shards[1]).size(), 0u);
  EXPECT_EQ(merge_shards(shards, all_).skipped, 2);
  EXPECT_EQ(read_feature_table(all_).size(), 2u * (kRecordings - 2));
  for (const Recording& recording : recordings_) fs::resize_file(recording.file, 20);
  for (const int number : {1, 3}) extract_shard(number, 3, skipping);
  EXPECT_ERROR(merge_shards(shards, all_),
               HasSubstr("expected recordings, found none that could be read: all 7 were skipped"));
}

TEST_F(Shards, MissingOnesAreNamedWithTheirCommand) {
  const std::vector<fs::path> shards = {extract_shard(1, 4), extract_shard(4, 4)};
  const std::string command = "  ser-extract 'my corpus' --shard ";
  EXPECT_ERROR(merge_shards(shards, all_),
               AllOf(HasSubstr("shard 2/4 is missing\nshard 3/4 is missing\n"),
                     HasSubstr(command + "2/4 -o " + path(2).string() + "\n"),
                     HasSubstr(command + "3/4 -o " + path(3).string())));
  EXPECT_FALSE(fs::exists(folder_ / "all.safetensors.index.json"));
}

TEST_F(Shards, DamagedOnesAreNamedWithTheirCommand) {
  const std::vector<fs::path> shards = extract_all(3);
  fs::resize_file(path(2), fs::file_size(path(2)) - 4);
  EXPECT_ERROR(merge_shards(shards, all_),
               AllOf(HasSubstr(path(2).string() + ": "), HasSubstr("shard 2/3 is missing"),
                     HasSubstr("--shard 2/3 -o " + path(2).string())));
}

TEST_F(Shards, ThoseThatDoNotBelongAreNamedWithTheirCommand) {
  const std::vector<fs::path> shards = extract_all(3);
  const auto expect_refused = [&](const std::string& why) {
    EXPECT_ERROR(
        merge_shards(shards, all_),
        AllOf(HasSubstr(path(1).string() + ": " + why), Not(HasSubstr("missing")),
              HasSubstr("--shard 1/3 -o " + path(1).string()), Not(HasSubstr("--shard 2/3"))));
  };
  ExtractionOptions other = options();
  other.set = parse_feature_set("rms");
  extract_shard(1, 3, other);
  expect_refused("expected the features");
  other = options();
  other.seed = 2;
  extract_shard(1, 3, other);
  expect_refused("expected the copies 'gain:-6, seed 1', found 'gain:-6, seed 2'");
  extract_shard(1, 4);
  expect_refused("expected one of 3 shards, found 4");
  recordings_[6].utterance.emotion = "angry";
  extract_shard(1, 3);
  expect_refused("expected a shard of the same recordings and labels");
  recordings_.pop_back();
  extract_shard(1, 3);
  expect_refused("expected a shard of 7 recordings, found of 6");
}

TEST_F(Shards, OnesThatAreNoShardsOrThereTwiceAreNamed) {
  std::vector<fs::path> shards = extract_all(2);
  const fs::path copy = folder_ / "copy.safetensors", whole = folder_ / "whole.safetensors";
  fs::copy_file(path(2), copy);
  FeatureTableWriter writer(whole, options().set);
  extract(recordings_, options(), writer);
  shards.insert(shards.end(), {copy, whole});
  EXPECT_ERROR(merge_shards(shards, all_),
               AllOf(HasSubstr("and " + copy.string() + ": both are shard 2/2"),
                     HasSubstr(whole.string() + ": expected a shard, found features extracted "
                                                "without --shard")));
}

TEST_F(Shards, StandBesideTheirIndex) {
  const TempFolder elsewhere;
  EXPECT_ERROR(merge_shards(extract_all(2), elsewhere / "all.safetensors"),
               HasSubstr("expected shards in the folder of the index"));
}

TEST_F(Shards, ReplacedByAnotherAfterMergingAreRefused) {
  merge_shards(extract_all(3), all_);
  recordings_[6].utterance.emotion = "angry";
  extract_shard(2, 3);
  EXPECT_ERROR(read_feature_table(all_), HasSubstr("part-02.safetensors: expected a shard of the"));
  fs::copy_file(path(1), path(2), fs::copy_options::overwrite_existing);
  EXPECT_ERROR(read_feature_table(all_), HasSubstr("shard 2/3 is missing"));
}

TEST_F(Shards, AreAtMostAsManyAsRecordings) {
  EXPECT_ERROR(extract_shard(1, 8),
               HasSubstr("expected at most as many shards as recordings, 7, found 8"));
}

class Resume : public Shards {
 protected:
  ExtractionOptions with_journal() const {
    ExtractionOptions with = options();
    with.journal = journal_;
    return with;
  }
  ExtractionSummary extract_to_file(const ExtractionOptions& with) const {
    FeatureTableWriter writer(all_, with.set);
    return extract(recordings_, with, writer);
  }
  /// Extraction that ends before recording `count` is done.
  void end_after(int count) const {
    ExtractionOptions with = with_journal();
    with.observer = [left = count](const std::string&) mutable {
      if (--left < 0) throw Error("ended");
    };
    EXPECT_ERROR(extract_to_file(with), HasSubstr("ended"));
    EXPECT_FALSE(fs::exists(all_));
  }
  std::string whole() const {
    extract_to_file(options());
    std::string bytes = read_file(all_, kMostBytes);
    fs::remove(all_);
    return bytes;
  }

  fs::path journal_ = folder_ / "journal";
};

TEST_F(Resume, GoesOnToTheSameBytes) {
  const std::string bytes = whole();
  end_after(3);
  EXPECT_EQ(extract_to_file(with_journal()).kept, 4u);
  EXPECT_EQ(read_file(all_, kMostBytes), bytes);
  EXPECT_FALSE(fs::exists(journal_));
}

TEST_F(Resume, DropsWhatWasHalfWritten) {
  const std::string bytes = whole();
  end_after(3);
  const std::string journal = read_file(journal_, kMostBytes);
  for (const std::size_t cut : {std::size_t{1}, std::size_t{30}, std::size_t{500}}) {
    folder_.add("journal", journal.substr(0, journal.size() - cut));
    EXPECT_LT(extract_to_file(with_journal()).kept, 4u);
    EXPECT_EQ(read_file(all_, kMostBytes), bytes);
  }
}

TEST_F(Resume, DropsWhatIsDamaged) {
  const std::string bytes = whole();
  end_after(3);
  std::string journal = read_file(journal_, kMostBytes);
  journal[journal.size() - 100] ^= 1;
  folder_.add("journal", journal);
  EXPECT_EQ(extract_to_file(with_journal()).kept, 3u);
  EXPECT_EQ(read_file(all_, kMostBytes), bytes);
}

TEST_F(Resume, TriesAgainWhatWasSkipped) {
  const std::string bytes = whole();
  const std::string good = read_file(recordings_[1].file, kMostBytes);
  fs::resize_file(recordings_[1].file, 20);
  ExtractionOptions with = with_journal();
  with.on_error = OnError::kSkip;
  const auto end_after_three = [&] {
    with.observer = [left = 3](const std::string&) mutable {
      if (--left < 0) throw Error("ended");
    };
    EXPECT_ERROR(extract_to_file(with), HasSubstr("ended"));
  };
  end_after_three();
  std::vector<std::string> failures;
  with.observer = [&](const std::string& failure) {
    if (!failure.empty()) failures.push_back(failure);
  };
  const ExtractionSummary summary = extract_to_file(with);
  EXPECT_EQ(summary.kept, 3u);
  EXPECT_EQ(summary.skipped, 1u);
  EXPECT_EQ(summary.clips, 2u * (kRecordings - 1));
  EXPECT_THAT(failures, testing::ElementsAre(HasSubstr(recordings_[1].file)));

  end_after_three();
  folder_.add(fs::path(recordings_[1].file).lexically_relative(folder_.path()).string(), good);
  with.observer = {};
  EXPECT_EQ(extract_to_file(with).skipped, 0u);
  EXPECT_EQ(read_file(all_, kMostBytes), bytes);
}

TEST_F(Resume, MakesAgainWhatHasChanged) {
  end_after(3);
  fs::copy_file(recordings_[5].file, recordings_[1].file, fs::copy_options::overwrite_existing);
  fs::last_write_time(recordings_[1].file,
                      fs::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(extract_to_file(with_journal()).kept, 3u);
  const std::string resumed = read_file(all_, kMostBytes);
  EXPECT_TRUE(resumed == whole());
}

TEST_F(Resume, RefusesMoreThanThereIs) {
  end_after(4);
  const std::string journal = read_file(journal_, kMostBytes);
  const std::string entries = journal.substr(journal.find('\n') + 1);
  folder_.add("journal", journal + entries);
  EXPECT_ERROR(extract_to_file(with_journal()), HasSubstr("are kept there, of"));
}

TEST_F(Resume, RefusesAJournalThatAnotherProcessWrites) {
  const int other = ::open(journal_.c_str(), O_RDWR | O_CREAT, 0666);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  EXPECT_ERROR(extract_to_file(with_journal()), HasSubstr("another extraction is writing it"));
  ::close(other);
  EXPECT_EQ(extract_to_file(with_journal()).kept, 0u);
}

TEST_F(Resume, RefusesTheJournalOfAnotherExtraction) {
  end_after(3);
  ExtractionOptions other = with_journal();
  other.seed = 2;
  EXPECT_ERROR(extract_to_file(other), HasSubstr("is of another extraction"));
  recordings_.pop_back();
  EXPECT_ERROR(extract_to_file(with_journal()), HasSubstr("is of another extraction"));
}

}  // namespace
}  // namespace ser
