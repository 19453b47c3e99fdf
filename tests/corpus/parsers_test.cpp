#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "ser/corpus/corpus.h"
#include "support/paths.h"
#include "support/skip.h"

namespace ser {
namespace {

std::optional<Utterance> parse(std::string_view corpus, const std::string& path) {
  for (const CorpusParser& parser : corpus_parsers())
    if (parser.name == corpus) return parser.parse(path);
  ADD_FAILURE() << "no parser " << corpus;
  return std::nullopt;
}

TEST(CorpusParsers, EachReadsItsOwnExampleOnly) {
  for (const CorpusParser& owner : corpus_parsers())
    for (const CorpusParser& parser : corpus_parsers()) {
      if (owner.name == "folders" || parser.name == "folders") continue;
      EXPECT_EQ(parser.parse(std::filesystem::path(owner.example)).has_value(),
                parser.name == owner.name)
          << parser.name << " on " << owner.example;
    }
}

TEST(CorpusParsers, ReadsAllFieldsOfRavdess) {
  const auto clip = parse("ravdess", "Actor_12/03-02-06-01-02-01-12.flac");
  ASSERT_TRUE(clip);
  EXPECT_EQ(clip->channel, "song");
  EXPECT_EQ(clip->emotion, "fearful");
  EXPECT_EQ(clip->intensity, "normal");
  EXPECT_EQ(clip->statement, "02");
  EXPECT_EQ(clip->repetition, "01");
  EXPECT_EQ(clip->speaker, "12");
  EXPECT_EQ(clip->gender, "female");
}

TEST(CorpusParsers, OddActorsOfRavdessAreMale) {
  EXPECT_EQ(parse("ravdess", "03-01-01-01-01-01-23.wav")->gender, "male");
  EXPECT_EQ(parse("ravdess", "03-01-01-01-01-01-24.wav")->gender, "female");
}

TEST(CorpusParsers, RavdessNumbersOutOfRangeAreNotRavdess) {
  for (const char* name :
       {"04-01-01-01-01-01-01.wav", "03-03-01-01-01-01-01.wav", "03-01-09-01-01-01-01.wav",
        "03-01-00-01-01-01-01.wav", "03-01-01-03-01-01-01.wav", "03-01-01-01-03-01-01.wav",
        "03-01-01-01-01-03-01.wav", "03-01-01-01-01-01-25.wav", "03-01-01-01-01-01.wav",
        "03-01-01-01-01-01-01-01.wav", "03-01-01-01-01-01-1.wav", "03-01-01-01-01-01-0x.wav"})
    EXPECT_FALSE(parse("ravdess", name)) << name;
}

TEST(CorpusParsers, ReadsCremaD) {
  const auto clip = parse("crema-d", "1062_WSI_FEA_HI.wav");
  ASSERT_TRUE(clip);
  EXPECT_EQ(clip->emotion, "fearful");
  EXPECT_EQ(clip->intensity, "high");
  EXPECT_EQ(clip->statement, "WSI");
  EXPECT_EQ(clip->speaker, "1062");
  EXPECT_EQ(clip->gender, "male");
  EXPECT_EQ(parse("crema-d", "1040_ITH_SAD_X.wav")->intensity, "");
  EXPECT_FALSE(parse("crema-d", "1092_WSI_FEA_HI.wav"));
}

TEST(CorpusParsers, CremaDHas43Women) {
  int women = 0;
  for (int actor = 1001; actor <= 1091; ++actor)
    women += parse("crema-d", std::to_string(actor) + "_IEO_ANG_XX.wav")->gender == "female";
  EXPECT_EQ(women, 43);
}

TEST(CorpusParsers, CremaDWomenAreThoseOfTheCorpus) {
  const std::set<int> women = {1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013,
                               1018, 1020, 1021, 1024, 1025, 1028, 1029, 1030, 1037, 1043,
                               1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060,
                               1061, 1063, 1072, 1073, 1074, 1075, 1076, 1078, 1079};
  for (int actor = 1001; actor <= 1079; ++actor)
    EXPECT_EQ(parse("crema-d", std::to_string(actor) + "_IEO_ANG_XX.wav")->gender == "female",
              women.contains(actor))
        << actor;
}

TEST(CorpusParsers, ReadsNemo) {
  const auto clip = parse("nemo", "samples/EB0_sadness_61.wav");
  ASSERT_TRUE(clip);
  EXPECT_EQ(clip->emotion, "sad");
  EXPECT_EQ(clip->statement, "61");
  EXPECT_EQ(clip->speaker, "EB0");
  EXPECT_EQ(clip->gender, "female");
  for (const char* name : {"EB0_sadness_.wav", "XX0_sadness_1.wav", "EB0_rude_1.wav"})
    EXPECT_FALSE(parse("nemo", name)) << name;
}

TEST(CorpusParsers, ReadsEmovo) {
  const std::map<std::string, std::string> emotions = {
      {"dis", "disgust"}, {"gio", "happy"},     {"neu", "neutral"}, {"pau", "fearful"},
      {"rab", "angry"},   {"sor", "surprised"}, {"tri", "sad"}};
  for (const auto& [code, emotion] : emotions) {
    const auto clip = parse("emovo", "m2/" + code + "-m2-l4.wav");
    ASSERT_TRUE(clip) << code;
    EXPECT_EQ(clip->emotion, emotion);
    EXPECT_EQ(clip->speaker, "m2");
    EXPECT_EQ(clip->gender, "male");
    EXPECT_EQ(clip->statement, "l4");
  }
  EXPECT_EQ(parse("emovo", "dis-f1-b1.wav")->gender, "female");
  EXPECT_FALSE(parse("emovo", "dis-f4-b1.wav"));
}

TEST(CorpusParsers, ReadsUrdu) {
  const auto clip = parse("urdu", "Angry/SF11_F01_H7.wav");
  ASSERT_TRUE(clip);
  EXPECT_EQ(clip->emotion, "happy");
  EXPECT_EQ(clip->speaker, "SF11");
  EXPECT_EQ(clip->gender, "female");
  EXPECT_EQ(parse("urdu", "SM1_F01_A12.wav")->emotion, "angry");
  for (const char* name :
       {"SX1_F01_A12.wav", "SM_F01_A12.wav", "SM1_G01_A12.wav", "SM1_F01_Z1.wav"})
    EXPECT_FALSE(parse("urdu", name)) << name;
}

TEST(CorpusParsers, ReadsTess) {
  const auto clip = parse("tess", "OAF_Pleasant_surprise/OAF_back_ps.wav");
  ASSERT_TRUE(clip);
  EXPECT_EQ(clip->emotion, "surprised");
  EXPECT_EQ(clip->statement, "back");
  EXPECT_EQ(clip->speaker, "OAF");
  EXPECT_EQ(clip->gender, "female");
  EXPECT_EQ(parse("tess", "OA_bite_neutral.wav")->speaker, "OAF");
  EXPECT_EQ(parse("tess", "yaf_youth_pleasant_surprised.wav")->emotion, "surprised");
  EXPECT_EQ(parse("tess", "YAF_youth_Fear.wav")->emotion, "fearful");
}

TEST(CorpusParsers, ReadsBothFormsOfSavee) {
  for (const char* name : {"KL_su07.wav", "AudioData/KL/su07.wav"}) {
    const auto clip = parse("savee", name);
    ASSERT_TRUE(clip) << name;
    EXPECT_EQ(clip->emotion, "surprised");
    EXPECT_EQ(clip->statement, "07");
    EXPECT_EQ(clip->speaker, "KL");
    EXPECT_EQ(clip->gender, "male");
  }
  EXPECT_EQ(parse("savee", "DC_sa01.wav")->emotion, "sad");
  EXPECT_EQ(parse("savee", "DC_a01.wav")->emotion, "angry");
  EXPECT_EQ(parse("savee", "dc_A01.WAV")->speaker, "DC");
  EXPECT_FALSE(parse("savee", "a01.wav"));
}

TEST(CorpusParsers, ReadsEmoDb) {
  const std::map<char, std::string> emotions = {{'W', "angry"},   {'L', "bored"}, {'E', "disgust"},
                                                {'A', "fearful"}, {'F', "happy"}, {'T', "sad"},
                                                {'N', "neutral"}};
  for (const auto& [letter, emotion] : emotions) {
    const auto clip = parse("emodb", std::string("16b10") + letter + "b.wav");
    ASSERT_TRUE(clip) << letter;
    EXPECT_EQ(clip->emotion, emotion);
    EXPECT_EQ(clip->speaker, "16");
    EXPECT_EQ(clip->gender, "female");
    EXPECT_EQ(clip->statement, "b10");
    EXPECT_EQ(clip->repetition, "b");
  }
  EXPECT_FALSE(parse("emodb", "04a01Fa.wav"));
}

TEST(CorpusParsers, FolderNamesMeanEmotionsWhateverTheirCase) {
  EXPECT_EQ(parse("folders", "Fear/x.wav")->emotion, "fearful");
  EXPECT_EQ(parse("folders", "SURPRISE/x.wav")->emotion, "surprised");
  EXPECT_EQ(parse("folders", "pleasant_surprised/x.wav")->emotion, "surprised");
  EXPECT_EQ(parse("folders", "Stress/x.wav")->emotion, "stress");
  EXPECT_EQ(parse("folders", "happy/anna/x.wav")->emotion, "happy");
  EXPECT_FALSE(parse("folders", "x.wav"));
}

class PublishedFiles : public testing::TestWithParam<std::array<const char*, 3>> {};

TEST_P(PublishedFiles, AreAllRead) {
  const auto [kind, folder, count] = GetParam();
  const auto root = test_data() / "audio/corpora" / folder;
  SER_SKIP_WITHOUT(root);
  for (const char* asked : {"auto", kind}) {
    const Corpus corpus = scan_corpus(root, asked);
    EXPECT_EQ(corpus.name, kind);
    EXPECT_EQ(corpus.utterances.size(), std::stoul(count));
    EXPECT_TRUE(corpus.skipped.empty());
    for (const Utterance& clip : corpus.utterances) {
      EXPECT_FALSE(clip.emotion.empty() || clip.gender.empty() || clip.speaker.empty());
      EXPECT_EQ(clip.corpus, kind);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Corpora, PublishedFiles,
                         testing::Values(std::array{"crema-d", "CREMA-D", "10"},
                                         std::array{"tess", "TESS", "31"},
                                         std::array{"emodb", "EMO-DB", "12"}));

}  // namespace
}  // namespace ser
