#include "ser/report/picture.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "report/page/colors.h"
#include "report/page/html.h"
#include "report/run_program.h"
#include "support/errors.h"
#include "support/temp_folder.h"
#include "support/xml.h"

namespace ser::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Lightness of CIE L*a*b*, from "#rrggbb".
double lightness(const std::string& colour) {
  const auto linear = [&](std::size_t at) {
    const double v = std::stoi(colour.substr(at, 2), nullptr, 16) / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  const double y = 0.2126 * linear(1) + 0.7152 * linear(3) + 0.0722 * linear(5);
  return y > 0.008856 ? 116 * std::cbrt(y) - 16 : 903.3 * y;
}

TEST(ColourMap, RisesEvenlyInLightness) {
  const std::vector<std::string> colours = colour_map(33);
  const double mean_step = (lightness(colours[32]) - lightness(colours[0])) / 32;
  EXPECT_GT(mean_step, 2.3);
  for (std::size_t i = 1; i < colours.size(); ++i)
    EXPECT_NEAR(lightness(colours[i]) - lightness(colours[i - 1]), mean_step, 0.35 * mean_step);
}

TEST(PlainText, KeepsWhatCanBeShown) {
  EXPECT_EQ(plain_text("päth `x` 'y' \"z\" 音.wav"), "päth `x` 'y' \"z\" 音.wav");
}

TEST(PlainText, ReplacesWhatCannotBeShown) {
  EXPECT_EQ(plain_text("a\nb\tc\x7f \xff\xc3 \xc2\x80 \xef\xbf\xbf"), "a?b?c? ?? ? ?");
}

TEST(PlainText, LeavesOutTheMiddleOfLongText) {
  EXPECT_EQ(plain_text("abcdefghij", 5), "ab…ij");
  EXPECT_EQ(plain_text("ääääääääää", 10), "ääääääääää");
}

TEST(RunProgram, PassesMoreThanAPipeHolds) {
  const std::string text(3 << 20, 'x');
  const auto run = run_program({"cat"}, text);
  ASSERT_TRUE(run);
  EXPECT_EQ(run->exit_code, 0);
  EXPECT_TRUE(run->out == text);
}

TEST(RunProgram, OutlivesAProgramThatDoesNotRead) {
  const auto run =
      run_program({"sh", "-c", "exec <&-; echo why >&2; exit 3"}, std::string(3 << 20, 'x'));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->exit_code, 3);
  EXPECT_EQ(run->err, "why\n");
}

TEST(RunProgram, TellsTheSignalThatEndedIt) {
  EXPECT_EQ(run_program({"sh", "-c", "kill -9 $$"}, "")->exit_code, 128 + 9);
}

TEST(RunProgram, IsNothingWithoutTheProgram) {
  EXPECT_FALSE(run_program({"no-program-of-this-name"}, ""));
}

TEST(RunProgram, SaysWhyItCannotStart) {
  const TempFolder folder;
  const std::string file = folder.add("text", "no program").string();
  EXPECT_ERROR(run_program({file}, ""), HasSubstr(file + ": cannot be started"));
}

class Draw : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!run_program({"gnuplot", "--version"}, "")) GTEST_SKIP() << "gnuplot is not there";
    Panel& panel = picture_.panels.emplace_back();
    panel.title = "Levels";
    panel.x = {"Time (s)", 0, 4, {}};
    panel.y = {"Frequency (Hz)", 0, 3, {{1, "one"}, {2, "two"}}};
    panel.spans.push_back({0, 1, "#dddddd"});
    panel.heatmap.emplace();
    panel.heatmap->values.setRandom(3, 4);
    panel.heatmap->label = "Level (dB)";
    panel.bands.push_back({"band", "#336699", Eigen::VectorXf::LinSpaced(5, 0, 4),
                           Eigen::VectorXf::Zero(5), Eigen::VectorXf::Ones(5)});
    Eigen::VectorXf broken = Eigen::VectorXf::Ones(5);
    broken[2] = std::numeric_limits<float>::quiet_NaN();
    panel.lines.push_back({"line", "#ff0000", Eigen::VectorXf::LinSpaced(5, 0, 4), broken, true});
    panel.texts.push_back({2, 2, "word"});
  }

  Picture picture_{.title = "Title", .panels = {}};
};

TEST_F(Draw, WritesEverythingIntoTheSvg) {
  const std::string svg = draw(picture_, PictureFormat::kSvg);
  EXPECT_EQ(xml_fault(svg), "");
  for (const char* text : {"<title>Title</title>", "<text>Title</text>", "<text>Levels</text>",
                           "<text>Time (s)</text>", "<text>Frequency (Hz)</text>", ">one<", ">two<",
                           "<text>Level (dB)</text>", "<text>band</text>", "<text>line</text>",
                           "<text>word</text>", "<image "})
    EXPECT_THAT(svg, HasSubstr(text));
}

TEST_F(Draw, NamesNoVersion) {
  EXPECT_THAT(draw(picture_, PictureFormat::kSvg), Not(HasSubstr("GNUPLOT")));
}

TEST_F(Draw, GivesAPngOfTheSizeItSays) {
  picture_.panels_per_row = 2;
  picture_.panels.resize(3, picture_.panels[0]);
  const std::string png = draw(picture_, PictureFormat::kPng);
  ASSERT_THAT(png, StartsWith("\x89PNG\r\n\x1a\n"));
  const auto number = [&](std::size_t at) {
    int value = 0;
    for (std::size_t i = 0; i < 4; ++i)
      value = 256 * value + static_cast<unsigned char>(png[at + i]);
    return value;
  };
  const PictureSize size = size_of(picture_);
  EXPECT_EQ(number(16), size.width);
  EXPECT_EQ(number(20), size.height);
}

TEST_F(Draw, GivesTheSameBytesAgain) {
  for (const PictureFormat format : {PictureFormat::kSvg, PictureFormat::kPng})
    EXPECT_TRUE(draw(picture_, format) == draw(picture_, format));
}

TEST_F(Draw, TakesWordsForNothingButWords) {
  const TempFolder folder;
  const std::string touched = (folder / "touched").string();
  for (const std::string& text : std::vector<std::string>{
           "`touch " + touched + "`", "'; system('touch " + touched + "') #",
           "\"`touch " + touched + "`\"", "$(touch " + touched + ")",
           "a''.system(\"touch " + touched + "\").''", "''''' '",
           "\nset output '" + touched + "'\n", "@touch \\ {/Bold x_y^z} %d",
           std::string("&#x; &#65; &bogus; <b> </svg> ]]>"), std::string("\x01\xff é 音")}) {
    picture_.title = text;
    picture_.panels[0].title = text;
    picture_.panels[0].x.label = text;
    picture_.panels[0].y.ticks = {{1, text}};
    picture_.panels[0].lines[0].name = text;
    picture_.panels[0].texts[0].text = text;
    const std::string svg = draw(picture_, PictureFormat::kSvg);
    EXPECT_EQ(xml_fault(svg), "") << text;
    EXPECT_THAT(draw(picture_, PictureFormat::kPng), StartsWith("\x89PNG"));
    EXPECT_THAT(svg, HasSubstr("<title>" + escape(plain_text(text)) + "</title>"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(Draw, SaysWhatGnuplotSaid) {
  picture_.panels[0].x.high = std::numeric_limits<double>::quiet_NaN();
  EXPECT_ERROR(draw(picture_, PictureFormat::kSvg),
               AllOf(HasSubstr("gnuplot failed with exit code"), HasSubstr("nan")));
}

}  // namespace
}  // namespace ser::report
