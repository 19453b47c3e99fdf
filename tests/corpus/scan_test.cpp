#include "support/errors.h"
#include "support/paths.h"
#include "support/skip.h"
#include "support/temp_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "ser/corpus/audio_files.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/extraction.h"
#include "ser/corpus/speaker.h"

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

TEST(ScanCorpus, AutoReadsSeveralCorporaInOneFolder) {
  const TempFolder folder;
  folder.add("Crema/1062_WSI_FEA_XX.wav");
  folder.add("Crema/1062_WSI_HAP_XX.wav");
  folder.add("Ravdess/Actor_01/03-01-05-01-01-01-01.wav");
  folder.add("Tess/OAF_angry/OAF_back_angry.wav");
  folder.add("Tess/notes.wav");
  const Corpus corpus = scan_corpus(folder.path());
  EXPECT_EQ(corpus.name, "ravdess, crema-d, tess");
  ASSERT_EQ(corpus.utterances.size(), 4u);
  EXPECT_EQ(corpus.utterances[0].corpus, "crema-d");
  EXPECT_EQ(corpus.utterances[2].corpus, "ravdess");
  EXPECT_EQ(corpus.utterances[3].corpus, "tess");
  EXPECT_EQ(corpus.utterances[3].emotion, "angry");
  EXPECT_THAT(corpus.skipped, ElementsAre("Tess/notes.wav"));
}

TEST(ScanCorpus, AutoTakesSeveralFoldersForClassesOfTheUsersOwn) {
  const TempFolder folder;
  folder.add("stressed/1.wav");
  folder.add("relaxed/2.wav");
  EXPECT_EQ(scan_corpus(folder.path()).utterances[0].emotion, "relaxed");
}

TEST(ScanCorpus, AFolderOfNothingButNamesThatAreNotUtf8IsRefused) {
  const TempFolder folder;
  folder.add("\xff.wav");
  EXPECT_ERROR(scan_corpus(folder.path()), HasSubstr("with a name in UTF-8, found 1 with others"));
}

TEST(ScanCorpus, SpeakersStandAboveClassesThatAreDividedAgain) {
  const TempFolder folder;
  for (const char* speaker : {"0011", "0012"})
    for (const char* emotion : {"Angry", "Sad"})
      for (const char* part : {"train", "test", "evaluation"})
        folder.add(std::string(speaker) + "/" + emotion + "/" + part + "/1.wav");
  for (const Utterance& clip : scan_corpus(folder.path()).utterances)
    EXPECT_EQ(clip.speaker, clip.path.substr(0, 4)) << clip.path;
}

TEST(ScanCorpus, FoldersOfLevelsAndSessionsAreNoSpeakers) {
  for (const char* below : {"level_1/", "level_2/", "high/", ""})
    for (const char* above : {"session1/", "Session_2/", "male/", ""}) {
      const TempFolder folder;
      for (const char* speaker : {"anna", "ben"})
        for (const char* emotion : {"happy", "sad"})
          folder.add(std::string(speaker) + "/" + above + emotion + "/" + below + "1.wav");
      for (const Utterance& clip : scan_corpus(folder.path()).utterances)
        EXPECT_EQ(clip.speaker, clip.path.substr(0, clip.path.find('/'))) << clip.path;
    }
}

TEST(ScanCorpus, BoredomIsAnEmotionWhereverSpeakersStand) {
  const TempFolder folder;
  for (const char* speaker : {"anna", "ben"})
    for (const char* emotion : {"angry", "boredom"})
      folder.add(std::string(emotion) + "/" + speaker + "/1.wav");
  for (const Utterance& clip : scan_corpus(folder.path()).utterances) {
    EXPECT_EQ(clip.emotion, clip.path.starts_with("angry") ? "angry" : "bored");
    EXPECT_THAT(clip.path, HasSubstr(clip.speaker));
    EXPECT_FALSE(clip.speaker.empty());
  }
}

TEST(ScanCorpus, ClassesOfTheUsersOwnHaveSpeakersAboveThem) {
  const TempFolder folder;
  for (const char* speaker : {"anna", "ben"})
    for (const char* emotion : {"froh", "traurig", "angry"})
      folder.add(std::string(speaker) + "/" + emotion + "/1.wav");
  for (const Utterance& clip : scan_corpus(folder.path()).utterances)
    EXPECT_EQ(clip.speaker, clip.path.substr(0, clip.path.find('/'))) << clip.path;
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

TEST(ScanCorpus, AFolderMayItselfBeASpeaker) {
  const TempFolder folder;
  const std::filesystem::path file = folder.add("JK/a01.wav"),
                              before = std::filesystem::current_path();
  EXPECT_EQ(scan_corpus(folder / "JK").utterances[0].speaker, "JK");
  std::filesystem::current_path(folder / "JK");
  EXPECT_EQ(scan_corpus(".").utterances[0].speaker, "JK");
  EXPECT_EQ(scan_corpus("a01.wav").utterances[0].speaker, "JK");
  std::filesystem::current_path(before);
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

TEST(ScanCorpus, LinksToRecordingsThatAreNotThereAreTold) {
  const TempFolder folder;
  folder.add("happy/a.wav");
  for (const char* name : {"happy/c.wav", "happy/b.FLAC", "happy/notes"})
    std::filesystem::create_symlink("nowhere", folder / name);
  EXPECT_EQ(describe_left_out(scan_corpus(folder.path())),
            "2 links to recordings that are not there (happy/b.FLAC, happy/c.wav)");
  std::filesystem::remove(folder / "happy/a.wav");
  EXPECT_ERROR(scan_corpus(folder.path()), HasSubstr("found 2 links to recordings that are not"));
}

TEST(ScanCorpus, ALinkToAFolderAroundItIsLeftAndTold) {
  const TempFolder folder;
  folder.add("outer/inner/a.wav");
  folder.add("outer/b.wav");
  const std::filesystem::path inner = folder / "outer/inner";
  std::filesystem::create_directory_symlink("/", inner / "root");
  std::filesystem::create_directory_symlink("..", inner / "up");
  std::filesystem::create_directory_symlink(".", inner / "self");
  const FolderContents contents = list_folder(inner);
  EXPECT_EQ(contents.audio, std::vector<std::string>{"a.wav"});
  ASSERT_EQ(contents.unreadable.size(), 2u);
  EXPECT_EQ(contents.unreadable[0], "root: leads to a folder that holds this one");
}

TEST(ScanCorpus, FoldersOutsideAreReachedThroughLinks) {
  const TempFolder elsewhere, folder;
  elsewhere.add("a.wav");
  std::filesystem::create_directory_symlink(elsewhere.path(), folder / "happy");
  EXPECT_THAT(paths(scan_corpus(folder.path())), ElementsAre("happy/a.wav"));
}

TEST(ScanCorpus, TellsAudioByItsFirstBytesWhereTheNameDoesNot) {
  const TempFolder folder;
  folder.add("happy/take1", std::string("RIFF\0\0\0\0WAVEfmt ", 16));
  folder.add("happy/take2.dat", "fLaC");
  folder.add("happy/picture.webp", std::string("RIFF\0\0\0\0WEBPVP8 ", 16));
  folder.add("happy/notes", "text");
  EXPECT_THAT(paths(scan_corpus(folder.path())), ElementsAre("happy/take1", "happy/take2.dat"));
}

/// A folder below `root` whose path is longer than the system takes, so that nobody can read it.
void add_unreadable_folder(const TempFolder& root) {
  const TempFolder elsewhere;
  const auto deep = [](const std::filesystem::path& from) {
    std::filesystem::path path = from;
    for (int i = 0; i < 10; ++i) path /= std::string(250, 'x');
    std::filesystem::create_directories(path);
    return path;
  };
  deep(elsewhere / "half");
  std::filesystem::rename(elsewhere / "half", deep(root.path()) / "half");
}

TEST(ScanCorpus, AnUnreadableFolderCostsOneLine) {
  const TempFolder folder;
  folder.add("happy/a.wav");
  folder.add("happy/b.m4a");
  add_unreadable_folder(folder);
  const Corpus corpus = scan_corpus(folder.path());
  EXPECT_THAT(paths(corpus), ElementsAre("happy/a.wav"));
  EXPECT_THAT(describe_left_out(corpus),
              AllOf(HasSubstr("1 folder that cannot be read (xxx"), HasSubstr("too long"),
                    HasSubstr("1 .m4a file (`ffmpeg -i IN OUT.wav` converts one)")));
}

TEST(ScanCorpus, SaysWhatItLeavesOutInOneLine) {
  const TempFolder folder;
  for (int i = 1; i <= 9; ++i) folder.add("03-01-05-01-01-01-0" + std::to_string(i) + ".wav");
  for (const char* name : {"1.wav", "2.wav", "3.wav", "4.wav", "latin-\xe9.wav"}) folder.add(name);
  const Corpus corpus = scan_corpus(folder.path());
  EXPECT_EQ(corpus.utterances.size(), 9u);
  EXPECT_EQ(describe_left_out(corpus),
            "4 audio files not named as in corpus ravdess (1.wav, 2.wav and 2 more); 1 audio file "
            "with a name that is not UTF-8 (latin-\xe9.wav)");
}

TEST(ScanCorpus, FindsSpeakersAboveAndBelowEmotions) {
  for (const char* form : {"{0}/{1}/201.wav", "{1}/{0}/201.wav", "any text/{0}/{1}/201.wav"}) {
    const TempFolder folder;
    for (const char* speaker : {"wangzhe", "liuchanhg"})
      for (const char* emotion : {"angry", "fear", "neutral"})
        folder.add("CASIA/" + fmt::format(fmt::runtime(form), speaker, emotion));
    const Corpus corpus = scan_corpus(folder / "CASIA");
    ASSERT_EQ(corpus.utterances.size(), 6u) << form;
    EXPECT_EQ(emotion_labels(corpus.utterances).size(), 3u) << form;
    std::set<std::string> speakers;
    for (const Utterance& clip : corpus.utterances) speakers.insert(speaker_name(clip));
    EXPECT_THAT(speakers, ElementsAre("CASIA:liuchanhg", "CASIA:wangzhe")) << form;
  }
}

TEST(ScanCorpus, DivisionsAndSessionsAreNoSpeakers) {
  const TempFolder divided, single;
  for (const char* name :
       {"train/happy/1.wav", "train/sad/2.wav", "Test/happy/3.wav", "Test/sad/4.wav"})
    divided.add(name);
  for (const char* name : {"happy/monday/1.wav", "sad/tuesday/2.wav"}) single.add(name);
  for (const TempFolder* folder : {&divided, &single})
    for (const Utterance& clip : scan_corpus(folder->path()).utterances) {
      EXPECT_EQ(clip.speaker, "");
      EXPECT_EQ(clip.corpus, "folders");
    }
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
  std::vector<Recording> recordings;
  for (const char* name : {"a.wav", "b.wav", "c.wav", "d.wav", "missing.wav"})
    recordings.push_back({(folder / name).string(), {}});
  EXPECT_THAT(find_duplicates(recordings), ElementsAre(ElementsAre(0, 2)));
}

TEST(FindDuplicates, TellsManyFilesOfOneSizeAndEnd) {
  const TempFolder folder;
  const std::string padding(20000, '\0');
  std::vector<Recording> recordings;
  for (int i = 1000; i < 1400; ++i)
    recordings.push_back(
        {folder.add(std::to_string(i) + ".wav", std::to_string(1000 + (i - 1000) % 399) + padding)
             .string(),
         {}});
  EXPECT_THAT(find_duplicates(recordings), ElementsAre(ElementsAre(0, 399)));
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
  std::vector<Recording> recordings;
  for (const Utterance& clip : corpus.utterances)
    recordings.push_back({(root / clip.path).string(), clip});
  const auto groups = find_duplicates(recordings);
  ASSERT_EQ(groups.size(), 1u);
  ASSERT_EQ(groups[0].size(), 2u);
  std::set<std::string> speakers;
  for (const int i : groups[0])
    speakers.insert(corpus.utterances[static_cast<std::size_t>(i)].speaker);
  EXPECT_EQ(speakers.size(), 1u);
}

}  // namespace
}  // namespace ser
