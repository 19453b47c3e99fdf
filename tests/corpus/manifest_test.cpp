#include <gtest/gtest.h>

#include "ser/corpus/corpus.h"
#include "support/errors.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Manifest : public testing::Test {
 protected:
  std::vector<Utterance> read(std::string_view text) {
    return scan_corpus(folder_.add("m.csv", text)).utterances;
  }
  TempFolder folder_;
};

TEST_F(Manifest, ReadsEveryColumn) {
  const auto clips = read(
      "path,emotion,gender,speaker,intensity,statement,repetition,channel,corpus\n"
      "x/b.wav,Fear,F,anna,strong,s1,2,song,mine\n"
      "x/a.wav,,,,,,,,\n");
  ASSERT_EQ(clips.size(), 2u);
  EXPECT_EQ(clips[0].path, "x/a.wav");
  EXPECT_EQ(clips[0].emotion + clips[0].gender + clips[0].speaker + clips[0].corpus, "");
  EXPECT_EQ(clips[1].emotion, "fearful");
  EXPECT_EQ(clips[1].gender, "female");
  EXPECT_EQ(clips[1].speaker, "anna");
  EXPECT_EQ(clips[1].intensity, "strong");
  EXPECT_EQ(clips[1].statement, "s1");
  EXPECT_EQ(clips[1].repetition, "2");
  EXPECT_EQ(clips[1].channel, "song");
  EXPECT_EQ(clips[1].corpus, "mine");
}

TEST_F(Manifest, PathsAreRelativeToItsFolder) {
  read("path,emotion\na.wav,happy\n");
  EXPECT_EQ(scan_corpus(folder_ / "m.csv").root, folder_.path());
}

TEST_F(Manifest, UnderstandsByteOrderMarkCrLfQuotesAndMissingLastNewline) {
  const auto clips =
      read("\xEF\xBB\xBFPath, Emotion\r\n\"a, \"\"b\"\".wav\",happy\r\n\r\nc.wav,\"sad\"");
  ASSERT_EQ(clips.size(), 2u);
  EXPECT_EQ(clips[0].path, "a, \"b\".wav");
  EXPECT_EQ(clips[1].emotion, "sad");
}

TEST_F(Manifest, RefusesWhatItCannotUnderstand) {
  EXPECT_ERROR(read(""), HasSubstr("found an empty file"));
  EXPECT_ERROR(read("path,emotion\n"), HasSubstr("found only the header"));
  EXPECT_ERROR(read("path,emotoin\na.wav,happy\n"),
               AllOf(HasSubstr("m.csv"), HasSubstr("unknown column 'emotoin'"),
                     HasSubstr("did you mean 'emotion'")));
  EXPECT_ERROR(read("emotion\nhappy\n"), HasSubstr("expected a column 'path'"));
  EXPECT_ERROR(read("path,path\na,b\n"), HasSubstr("'path' is there twice"));
  EXPECT_ERROR(read("path,emotion\na.wav,happy\nb.wav\n"),
               HasSubstr("line 3: expected 2 cells, found 1"));
  EXPECT_ERROR(read("path,gender\na.wav,x\n"),
               HasSubstr("line 2: gender: expected male or female, found 'x'"));
  EXPECT_ERROR(read("path,emotion\n,happy\n"), HasSubstr("line 2: expected a path"));
  EXPECT_ERROR(read("path,emotion\na.wav,happy\nb.wav,sad\na.wav,sad\n"),
               HasSubstr("line 4: 'a.wav' is on line 2 already"));
  EXPECT_ERROR(read("path,emotion\n\"a.wav,happy\n"),
               HasSubstr("line 2: the quote is never closed"));
  EXPECT_ERROR(read("path,emotion\n\"a\"b.wav,happy\n"),
               HasSubstr("line 2: expected a comma after the closing quote"));
}

}  // namespace
}  // namespace ser
