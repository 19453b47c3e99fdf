#include "support/errors.h"
#include "support/skip.h"
#include "support/temp_folder.h"
#include "support/paths.h"

#include <gtest/gtest.h>

#include <set>

#include "ser/corpus/corpus.h"

namespace ser {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> paths(const Corpus& corpus) {
  std::vector<std::string> result;
  for (const Utterance& clip : corpus.utterances) result.push_back(clip.path);
  return result;
}

TEST(ScanCorpus, SortsByRelativePathAndIgnoresHiddenFiles) {
  const TempFolder folder;
  for (const char* name : {"happy/b.wav", "happy/a.FLAC", "angry/z.ogg", "happy/._a.wav",
                           ".cache/c.wav", "happy/notes.txt"})
    folder.add(name);
  const Corpus corpus = scan_corpus(folder.path());
  EXPECT_EQ(corpus.name, "folders");
  EXPECT_EQ(corpus.root, folder.path());
  EXPECT_THAT(paths(corpus), ElementsAre("angry/z.ogg", "happy/a.FLAC", "happy/b.wav"));
  EXPECT_EQ(corpus.utterances[0].emotion, "angry");
}

TEST(ScanCorpus, AutoTakesTheParserOfHalfTheNames) {
  const TempFolder folder;
  folder.add("happy/03-01-05-01-01-01-01.wav");
  folder.add("sad/03-01-05-01-01-01-02.wav");
  folder.add("sad/other.wav");
  const Corpus corpus = scan_corpus(folder.path());
  EXPECT_EQ(corpus.name, "ravdess");
  EXPECT_EQ(corpus.utterances[0].emotion, "angry");
  EXPECT_THAT(corpus.skipped, ElementsAre("sad/other.wav"));
}

TEST(ScanCorpus, AutoTakesSeveralFoldersForClassesOfTheUsersOwn) {
  const TempFolder folder;
  folder.add("stressed/1.wav");
  folder.add("relaxed/2.wav");
  EXPECT_EQ(scan_corpus(folder.path()).utterances[0].emotion, "relaxed");
}

TEST(ScanCorpus, ClipsNobodyKnowsHaveNoLabel) {
  const TempFolder folder;
  folder.add("monday/1.wav");
  folder.add("2.wav");
  const Corpus corpus = scan_corpus(folder.path());
  EXPECT_EQ(corpus.name, "unlabelled");
  EXPECT_THAT(paths(corpus), ElementsAre("2.wav", "monday/1.wav"));
  EXPECT_EQ(corpus.utterances[1].emotion, "");
}

TEST(ScanCorpus, ReadsOneFile) {
  const TempFolder folder;
  const Corpus named = scan_corpus(folder.add("03-01-05-01-01-01-01.wav"));
  EXPECT_EQ(named.name, "ravdess");
  EXPECT_EQ(named.root, folder.path());
  EXPECT_THAT(paths(named), ElementsAre("03-01-05-01-01-01-01.wav"));
  EXPECT_EQ(scan_corpus(folder.add("JK/a01.wav")).utterances[0].speaker, "JK");
  EXPECT_EQ(scan_corpus(folder.add("happy/voice.dat")).utterances[0].emotion, "");
  EXPECT_EQ(scan_corpus(folder / "happy/voice.dat", "folders").utterances[0].emotion, "happy");
}

TEST(ScanCorpus, LinksInALoopEnd) {
  const TempFolder folder;
  folder.add("happy/a.wav");
  folder.add("z_real/b.wav");
  std::filesystem::create_directory_symlink(folder.path(), folder / "happy/up");
  std::filesystem::create_directory_symlink(folder / "z_real", folder / "a_link");
  std::filesystem::create_symlink(folder / "nowhere", folder / "happy/gone.wav");
  EXPECT_THAT(paths(scan_corpus(folder.path())), ElementsAre("happy/a.wav", "z_real/b.wav"));
}

TEST(ScanCorpus, FoldersOutsideAreReachedThroughLinks) {
  const TempFolder elsewhere, folder;
  elsewhere.add("a.wav");
  std::filesystem::create_directory_symlink(elsewhere.path(), folder / "happy");
  EXPECT_THAT(paths(scan_corpus(folder.path())), ElementsAre("happy/a.wav"));
}

TEST(ScanCorpus, SaysWhatWasFoundInsteadOfAudio) {
  const TempFolder folder;
  EXPECT_ERROR(scan_corpus(folder.path()),
               HasSubstr("expected a folder with audio files, found nothing"));
  for (const char* name : {"a.txt", "b.txt", "c.TXT", "d.pdf"}) folder.add(name);
  EXPECT_ERROR(scan_corpus(folder.path()),
               AllOf(HasSubstr(folder.path().string()),
                     HasSubstr("found 3 .txt files, 1 .pdf file, no audio")));
  EXPECT_ERROR(scan_corpus(folder / "missing"), HasSubstr("found nothing"));
}

TEST(ScanCorpus, SaysWhatNamesItExpected) {
  const TempFolder folder;
  const auto file = folder.add("a.wav");
  folder.add("b.wav");
  EXPECT_ERROR(scan_corpus(folder.path(), "ravdess"),
               AllOf(HasSubstr("03-01-05-01-02-01-12.wav"), HasSubstr("found 2 audio files"),
                     HasSubstr("such as a.wav")));
  EXPECT_ERROR(scan_corpus(file, "emodb"), HasSubstr("found 1 audio file named otherwise"));
  EXPECT_ERROR(scan_corpus(folder.path(), "manifest"), HasSubstr("found a folder"));
  EXPECT_ERROR(scan_corpus(folder.path(), "ravdes"), HasSubstr("did you mean 'ravdess'"));
}

TEST(FindDuplicates, ComparesBytes) {
  const TempFolder folder;
  folder.add("a.wav", "same");
  folder.add("b.wav", "sane");
  folder.add("c.wav", "same");
  folder.add("d.wav", "longer");
  std::vector<Utterance> clips(6);
  for (std::size_t i = 0; i < 5; ++i) clips[i].path = std::string(1, "abcde"[i]) + ".wav";
  clips[5].path = "b.wav";
  clips[5].augmentation = "speed:0.9";
  EXPECT_THAT(find_duplicates(folder.path(), clips), ElementsAre(ElementsAre(0, 2)));
}

TEST(Ravdess, IsReadWhole) {
  const auto root = test_data() / "ravdess";
  SER_SKIP_WITHOUT(root);
  const Corpus corpus = scan_corpus(root);
  EXPECT_EQ(corpus.name, "ravdess");
  EXPECT_EQ(corpus.utterances.size(), 1200u);
  EXPECT_EQ(corpus.utterances[0].path, "Actor_01/03-01-01-01-01-01-01.flac");
  EXPECT_THAT(
      emotion_labels(corpus.utterances),
      ElementsAre("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"));
}

TEST(Ravdess, HasOnePairOfTheSameBytes) {
  const auto root = test_data() / "ravdess";
  SER_SKIP_WITHOUT(root);
  const Corpus corpus = scan_corpus(root);
  const auto groups = find_duplicates(root, corpus.utterances);
  ASSERT_EQ(groups.size(), 1u);
  ASSERT_EQ(groups[0].size(), 2u);
  std::set<std::string> speakers;
  for (const int i : groups[0])
    speakers.insert(corpus.utterances[static_cast<std::size_t>(i)].speaker);
  EXPECT_EQ(speakers.size(), 1u);
}

}  // namespace
}  // namespace ser
