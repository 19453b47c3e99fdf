#include "ser/report/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/page_text.h"

namespace ser::report {
namespace {

using Json = nlohmann::ordered_json;

/// Clips of two emotions by a man and a woman, one of them unreadable.
Survey some_survey() {
  Survey survey;
  for (int i = 0; i < 8; ++i) {
    SurveyedClip clip;
    clip.clip.path = std::to_string(i) + ".wav";
    clip.clip.corpus = "ravdess";
    clip.clip.emotion = i % 2 ? "happy" : "sad";
    clip.clip.gender = i < 4 ? "male" : "female";
    clip.clip.speaker = i < 4 ? "01" : "02";
    clip.measures = {1 + 0.1 * i, 16000, 1, -20.0 - i, 0.25, 100.0 + 10 * i};
    survey.clips.push_back(clip);
  }
  survey.clips[7].error = "expected sound, found <nothing>";
  survey.duplicates = {{0, 2}};
  return survey;
}

TEST(SurveyReport, ShowsCountsDistributionsAndFaults) {
  const std::string html = survey_html(some_survey());
  expect_says(html,
              {"8 recordings of ravdess", "1 file could not be read", "Duration, s",
               "Level of the active parts, dBFS", "Fundamental frequency, Hz", "happy, female",
               "sad, male", "expected sound, found &lt;nothing&gt;", "0.wav<br>2.wav"});
  expect_silent(html, {"<nothing>", "http:", "src="});
}

TEST(SurveyReport, CarriesTheFiguresOfTheSummary) {
  const Survey survey = some_survey();
  const std::string html = survey_html(survey);
  const std::string before = "id=\"figures\">";
  const std::size_t begin = html.find(before) + before.size();
  const Json figures = Json::parse(html.substr(begin, html.find("</script>", begin) - begin));
  Json whole = Json::parse(survey_json(survey));
  EXPECT_EQ(whole["clips"].size(), 7u);
  whole.erase("clips");
  EXPECT_EQ(figures, whole);
  EXPECT_EQ(figures["by_emotion_and_gender"].size(), 4u);
}

TEST(SurveyReport, UnlabelledOrUnreadableRecordingsStillMakeAPage) {
  Survey survey;
  survey.clips.resize(2);
  survey.clips[0].measures = {1, 8000, 1};
  expect_says(survey_html(survey), {"2 recordings", "not known", "unknown"});
  for (SurveyedClip& clip : survey.clips) clip.error = "expected sound";
  expect_says(survey_html(survey), {"2 files could not be read"});
}

}  // namespace
}  // namespace ser::report
