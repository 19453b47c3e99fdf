#include <gtest/gtest.h>

#include <array>

#include "ser/corpus/corpus.h"
#include "ser/corpus/speaker.h"
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

TEST_F(Manifest, AbsolutePathsTellNothingOfTheMachine) {
  const std::string here = folder_.path().string();
  const auto clips = read("path\n" + here + "/x/b.wav\na.wav\n" + here + "/x/../c.wav\n");
  ASSERT_EQ(clips.size(), 3u);
  EXPECT_EQ(clips[0].path, "a.wav");
  EXPECT_EQ(clips[1].path, "c.wav");
  EXPECT_EQ(clips[2].path, "x/b.wav");
}

TEST_F(Manifest, RecordingsElsewhereAreRelativeToTheFolderThatHoldsThem) {
  folder_.add("lists/m.csv", "path\n/elsewhere/wav/anna/b.wav\n/elsewhere/wav/carl/a.wav\n");
  const Corpus corpus = scan_corpus(folder_ / "lists/m.csv");
  EXPECT_EQ(corpus.root, "/elsewhere/wav");
  ASSERT_EQ(corpus.utterances.size(), 2u);
  EXPECT_EQ(corpus.utterances[0].path, "anna/b.wav");
  EXPECT_EQ(corpus.utterances[1].path, "carl/a.wav");
}

TEST_F(Manifest, UnderstandsByteOrderMarkCrLfQuotesAndMissingLastNewline) {
  const auto clips =
      read("\xEF\xBB\xBFPath, Emotion\r\n\"a, \"\"b\"\".wav\",happy\r\n\r\nc.wav,\"sad\"");
  ASSERT_EQ(clips.size(), 2u);
  EXPECT_EQ(clips[0].path, "a, \"b\".wav");
  EXPECT_EQ(clips[1].emotion, "sad");
}

TEST_F(Manifest, SpellingsOfASpeakerAreOne) {
  for (const Utterance& clip : read("path,speaker,corpus\na,1,x\nb,01,x\nc,1.0,x\n"))
    EXPECT_EQ(speaker_name(clip), "x:01");
}

TEST_F(Manifest, AColonPartsCorpusAndSpeakerAlone) {
  const auto clips = read("path,speaker,corpus\na,1,msp:en\nb,1,msp:de\n");
  EXPECT_EQ(speaker_name(clips[0]), "msp_en:01");
  EXPECT_EQ(clip_of_speaker(speaker_name(clips[1])).corpus, "msp_de");
}

TEST_F(Manifest, CapitalsMakeNoOtherCorpus) {
  const auto clips = read("path,corpus,speaker\na.wav,RAVDESS,1\nb.wav,Mine,1\nc.wav,x,#N/A\n");
  EXPECT_EQ(clips[0].corpus, "ravdess");
  EXPECT_EQ(clips[1].corpus, "Mine") << "one that is not known";
  EXPECT_EQ(clips[2].speaker, "");
}

TEST_F(Manifest, SpeakersWithoutACorpusAreOfItsFolder) {
  folder_.add("study/m.csv", "path,speaker\na.wav,anna\nb.wav,\n");
  const auto clips = scan_corpus(folder_ / "study/m.csv").utterances;
  EXPECT_EQ(clips[0].corpus, "study");
  EXPECT_EQ(clips[1].corpus, "");
}

TEST_F(Manifest, UnknownIsNoClass) {
  const auto clips =
      read("path,emotion,gender\na,nan,unknown\nb,None,n/a\nc,xxx,other\nd,,nan\ne,ANG,Female\n");
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(clips[i].emotion + clips[i].gender, "");
  EXPECT_EQ(clips[4].emotion, "angry");
  for (const Utterance& clip : read("path,speaker,corpus\na,nan,\nb,None,nan\nc,n/a,-\nd,,\n"))
    EXPECT_EQ(clip.speaker + clip.corpus, "");
}

std::string utf16(std::string_view ascii, bool big_endian) {
  std::string bytes = big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : ascii) bytes += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
  return bytes;
}

/// What spreadsheets and pandas put around the cells of a table.
struct Oddities {
  bool says_separator = false;
  bool index_column = false;
  bool empty_last_rows = false;
  bool spare_cells = false;
};

/// The paths and emotions of two clips, as a table.
std::string table_of_two(char separator, const std::string& line_end, const Oddities& odd) {
  using Row = std::array<std::string, 3>;
  std::vector<Row> rows = {{"", "path", "emotion"}, {"0", "a.wav", "happy"}};
  rows.push_back({"1", "\"b, c;\td.wav\"", "sad"});
  if (odd.empty_last_rows) rows.insert(rows.end(), 2, Row{});
  std::string text;
  if (odd.says_separator) text += std::string("sep=") + separator + line_end;
  for (const Row& row : rows) {
    if (odd.index_column) text += row[0] + separator;
    text += row[1] + separator + row[2];
    if (odd.spare_cells) text += std::string(2, separator);
    text += line_end;
  }
  return text;
}

TEST_F(Manifest, ReadsWhatSpreadsheetsAndPandasWrite) {
  const std::vector<Oddities> odd = {{},
                                     {.says_separator = true},
                                     {.index_column = true},
                                     {.empty_last_rows = true},
                                     {.spare_cells = true},
                                     {true, true, true, true}};
  for (const char separator : {',', ';', '\t'})
    for (const char* line_end : {"\n", "\r\n", "\r"})
      for (const Oddities& what : odd) {
        const std::string text = table_of_two(separator, line_end, what);
        for (const std::string& encoded :
             {text, "\xEF\xBB\xBF" + text, utf16(text, false), utf16(text, true)}) {
          const auto clips = read(encoded);
          ASSERT_EQ(clips.size(), 2u) << text;
          EXPECT_EQ(clips[0].path + clips[0].emotion, "a.wavhappy") << text;
          EXPECT_EQ(clips[1].path + clips[1].emotion, "b, c;\td.wavsad") << text;
        }
      }
}

TEST_F(Manifest, CellsBeyondTheHeaderMayBeEmptyAlone) {
  EXPECT_EQ(read("Unnamed: 0,Path,Emotion\n0,a.wav,happy,,,\n").at(0).emotion, "happy");
  EXPECT_ERROR(read("path,emotion\na.wav,happy,,x\n"),
               HasSubstr("line 2: expected 2 cells, found 4"));
}

TEST_F(Manifest, ALineThatNamesNoSeparatorIsNoHeader) {
  EXPECT_ERROR(read("sep=\r\npath;emotion\r\na.wav;happy\r\n"),
               HasSubstr("expected a header with a column 'path', and emotion, speaker, gender as "
                         "far as known, found sep="));
}

TEST_F(Manifest, KeepsLettersOfUtf16) {
  EXPECT_EQ(read(std::string("\xFE\xFF\0p\0a\0t\0h\0\n\0\xE9\xD8\x3D\xDE\0", 18))[0].path,
            "\xC3\xA9\xF0\x9F\x98\x80");
}

TEST_F(Manifest, TheLastLineOfAnOldMacMayEndAsElsewhere) {
  EXPECT_EQ(read("path,emotion\ra.wav,happy\rb.wav,sad\r\n").size(), 2u);
}

TEST_F(Manifest, ColumnsBesideThoseItKnowsMayBeCalledAlike) {
  const auto clips = read("path,label,emotion_id,speaker,speakers,channels\na.wav,sad,3,1,2,1\n");
  EXPECT_EQ(clips.at(0).emotion + clips[0].speaker, "sad01");
  EXPECT_ERROR(read("path,emotion_id\na.wav,3\n"), HasSubstr("did you mean 'emotion'"));
}

TEST_F(Manifest, NamesTheColumnsOfOtherLanguagesAndThoseItWants) {
  EXPECT_ERROR(read("Dateiname;Gef\xC3\xBChl;Sprecher\na.wav;froh;1\n"),
               HasSubstr("'path', and emotion, speaker, gender as far as known, found dateiname, "
                         "gef\xC3\xBChl, sprecher; of a corpus"));
  const Corpus corpus =
      scan_corpus(folder_.add("m.csv", "path;Gef\xC3\xBChl;Sprecher\na.wav;froh;1\n"));
  EXPECT_EQ(describe_left_out(corpus),
            "columns that mean nothing here (gef\xC3\xBChl, sprecher; the one with the classes is "
            "to be called emotion)");
}

TEST_F(Manifest, NamesColumnsThatMeanNothingToIt) {
  const Corpus corpus =
      scan_corpus(folder_.add("m.csv", "path,emotion,duration,transcript\na.wav,happy,1.5,x\n"));
  EXPECT_EQ(describe_left_out(corpus), "columns that mean nothing here (duration, transcript)");
}

TEST_F(Manifest, SaysHowToSaveWhatItCannotRead) {
  for (const std::string& text : {std::string("PK\x03\x04 sheet"), std::string("path\n\xE9.wav\n"),
                                  std::string("p\0a\0t\0h\0", 8)})
    EXPECT_ERROR(read(text), AllOf(HasSubstr("m.csv"), HasSubstr("save it as 'CSV UTF-8'")));
}

TEST_F(Manifest, ReadsVotes) {
  const auto clips = read("path,votes_Angry,votes_hap,votes_neu\na,3,2.5,\nb,0,0,0\n");
  EXPECT_EQ(clips[0].votes, (std::map<std::string, double>{{"angry", 3}, {"happy", 2.5}}));
  EXPECT_TRUE(clips[1].votes.empty());
  EXPECT_ERROR(read("path,votes_angry\na,-1\n"),
               HasSubstr("line 2: votes_angry: expected a number of listeners, found '-1'"));
  EXPECT_ERROR(read("path,votes_angry\na,1e300\n"), HasSubstr("found '1e300'"));
  EXPECT_ERROR(read("path,votes_angry\na,many\n"), HasSubstr("votes_angry: expected a number"));
  EXPECT_ERROR(read("path,votes_\na,1\n"), HasSubstr("found no emotion"));
}

TEST_F(Manifest, VotesOfAnotherFileJoinByNameOrStem) {
  std::vector<Utterance> clips(3);
  clips[0].path = "x/1001_DFA_ANG_XX.wav";
  clips[1].path = "y/1001_DFA_DIS_XX.opus";
  clips[2].path = "z.wav";
  const JoinedVotes joined =
      join_votes(clips, folder_.add("votes.csv",
                                    "clip,neutral,angry,fearful\n1001_DFA_ANG_XX,1,6,0\n"
                                    "1001_DFA_DIS_XX.opus,,2,1\nnobody,1,1,1\n"));
  EXPECT_EQ(joined.clips, 2u);
  EXPECT_EQ(joined.unknown, std::vector<std::string>{"nobody"});
  EXPECT_EQ(clips[0].votes, (std::map<std::string, double>{{"neutral", 1}, {"angry", 6}}));
  EXPECT_EQ(clips[1].votes, (std::map<std::string, double>{{"angry", 2}, {"fearful", 1}}));
  EXPECT_TRUE(clips[2].votes.empty());
  EXPECT_ERROR(join_votes(clips, folder_.add("v.csv", "file,angry\nx,1\n")),
               HasSubstr("expected a column 'clip' or 'path', found file, angry"));
  EXPECT_ERROR(join_votes(clips, folder_.add("v.csv", "clip,angry\nx\n")),
               HasSubstr("line 2: expected 2 cells, found 1"));
  EXPECT_ERROR(join_votes(clips, folder_.add("v.csv", "")), HasSubstr("found an empty file"));
}

TEST_F(Manifest, VotesAreOfOneClipAndForEmotions) {
  std::vector<Utterance> clips(3);
  clips[0].path = "x/a.wav";
  clips[1].path = "y/a.wav";
  clips[2].path = "b.wav";
  clips[2].emotion = "puzzled";
  const auto join = [&](const std::string& text) {
    return join_votes(clips, folder_.add("v.csv", text));
  };
  EXPECT_ERROR(join("clip,angry\na,1\n"), HasSubstr("line 2: 'a' fits x/a.wav and y/a.wav"));
  EXPECT_EQ(join("clip,angry\nx/a.wav,1\nb,2\n").clips, 2u);
  EXPECT_ERROR(join("clip,angry\nb,1\nb.wav,2\n"),
               HasSubstr("line 3: expected each clip once, found 'b.wav' in line 2, too"));
  EXPECT_ERROR(join("clip,angry,total\nb,1,1\n"), HasSubstr("column 'total': expected an emotion"));
  EXPECT_EQ(join("clip,puzzled,bored,votes_total\nb,1,2,3\n").clips, 2u);
  EXPECT_EQ(clips[2].votes["total"], 3);
}

TEST_F(Manifest, PathsMayBeThoseOfWindows) {
  std::filesystem::create_directory(folder_ / "wavs");
  folder_.add("wavs/a b.wav");
  folder_.add("c\\d.wav");
  const auto clips = read("path\nwavs\\a b.wav\nc\\d.wav\n");
  EXPECT_EQ(clips.at(0).path, "c\\d.wav");
  EXPECT_EQ(clips.at(1).path, "wavs/a b.wav");
}

TEST_F(Manifest, ColumnsMayHaveTheNamesThatSheetsGiveThem) {
  const auto clip = read("Filename;Speaker ID;Sex;Label\na.wav;anna;f;angry\n").at(0);
  EXPECT_EQ(clip.path, "a.wav");
  EXPECT_EQ(clip.speaker, "anna");
  EXPECT_EQ(clip.gender, "female");
  EXPECT_EQ(clip.emotion, "angry");
  const auto named = read("label,filename,path,emotion,file\n5,b.wav,a.wav,happy,c.wav\n").at(0);
  EXPECT_EQ(named.path, "a.wav");
  EXPECT_EQ(named.emotion, "happy");
  EXPECT_EQ(read("file,filename\na.wav,b.wav\n").at(0).path, "a.wav");
  EXPECT_ERROR(read("file_id\temotion\traw_text\tspeaker_id\nEB0_anger_1.wav\tanger\tx\tEB0\n"),
               HasSubstr("found file_id, emotion, raw_text, speaker; of a corpus that is known, "
                         "give the folder instead"));
}

TEST_F(Manifest, RefusesWhatItCannotUnderstand) {
  EXPECT_ERROR(read(""), HasSubstr("found an empty file"));
  EXPECT_ERROR(read("path,emotion\n"), HasSubstr("found only the header"));
  EXPECT_ERROR(read("path,emotoin\na.wav,happy\n"),
               AllOf(HasSubstr("m.csv"), HasSubstr("unknown column 'emotoin'"),
                     HasSubstr("did you mean 'emotion'")));
  EXPECT_ERROR(read("emotion\nhappy\n"), HasSubstr("expected a header with a column 'path'"));
  EXPECT_ERROR(read("path,path\na,b\n"), HasSubstr("'path' is there twice"));
  EXPECT_ERROR(read("path,emotion\na.wav,happy\nb.wav\n"),
               HasSubstr("line 3: expected 2 cells, found 1"));
  EXPECT_ERROR(read("path,gender\na.wav,x\n"),
               HasSubstr("line 2: gender: expected male, female or nothing, found 'x'"));
  EXPECT_ERROR(read("path,emotion\n,happy\n"), HasSubstr("line 2: expected a path"));
  EXPECT_ERROR(read("path,emotion\n" + std::string(5000, 'x') + ",happy\n"),
               HasSubstr("line 2: expected a path of at most 4096 bytes, found one of 5000"));
  EXPECT_ERROR(read("path,emotion\na.wav,happy\nb.wav,sad\na.wav,sad\n"),
               HasSubstr("line 4: 'a.wav' is on line 2 already"));
  EXPECT_ERROR(read("path\na.wav\n./x/../a.wav\n"),
               HasSubstr("line 3: 'a.wav' is on line 2 already"));
  EXPECT_ERROR(read("path,emotion\na.wav," + std::string(1000, 'x') + "\n"),
               HasSubstr("line 2: expected the name of an emotion, found 1000 bytes"));
  EXPECT_ERROR(read("path,emotion\n\"a.wav,happy\n"),
               HasSubstr("line 2: the quote is never closed"));
  EXPECT_ERROR(read("path,emotion\n\"a\"b.wav,happy\n"),
               HasSubstr("line 2: expected a comma after the closing quote"));
}

}  // namespace
}  // namespace ser
