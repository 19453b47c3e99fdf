#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <regex>

#include "apps/demo_features.h"
#include "support/page_text.h"

namespace ser {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

using Json = nlohmann::ordered_json;

constexpr const char* kRecipe = R"({
  "description": "A small network",
  "features": "classic",
  "network": {"layers": [{"type": "dense", "units": 16, "activation": "relu"}]},
  "training": {"epochs": 4, "learning_rate": 0.01, "early_stopping": {"enabled": true}}
})";

/// Where a program of that name is, or nothing.
std::filesystem::path program_in_path(const std::string& name) {
  std::istringstream folders(std::getenv("PATH") ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (std::filesystem::exists(std::filesystem::path(folder) / name))
      return std::filesystem::path(folder) / name;
  return {};
}

/// What the browser makes of a page: its elements, then what it wrote to its console.
struct Seen {
  std::string elements;
  std::vector<std::string> console;
};

class Reports : public DemoFeatures {
 protected:
  /// Runs headless Chromium on a page with further arguments.
  Outcome browse(const std::string& page, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(),
                     {"--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                      "--user-data-dir=" + file("browser")});
    arguments.push_back("file://" + page);
    return run_path(chromium_, arguments);
  }

  Seen look_at(const std::string& page) const {
    const Outcome done = browse(page, {"--dump-dom"});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    Seen seen{done.out, {}};
    for (const std::string& line : lines_of(done.err))
      if (line.find(":CONSOLE:") != std::string::npos) seen.console.push_back(line);
    return seen;
  }

  std::filesystem::path chromium_ = program_in_path("chromium");
  std::string recipe_ = folder_.add("recipe.json", kRecipe).string();
};

/// Every value of the <data> elements with this name, and the text a reader sees there.
std::vector<std::pair<double, std::string>> shown(const std::string& html,
                                                  const std::string& name) {
  const std::regex data("<data class=\"" + name + "\" value=\"([^\"]*)\">([^<]*)</data>");
  std::vector<std::pair<double, std::string>> values;
  for (std::sregex_iterator match(html.begin(), html.end(), data), end; match != end; ++match)
    values.emplace_back(std::stod((*match)[1]), (*match)[2]);
  return values;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

void expect_shown(const std::string& html, const std::string& name, double value) {
  const auto found = shown(html, name);
  ASSERT_FALSE(found.empty()) << name;
  EXPECT_EQ(found[0].first, value) << name;
  EXPECT_EQ(found[0].second, percent(value)) << name;
}

TEST_F(Reports, ShowTheNumbersOfTheResultFileInABrowser) {
  if (chromium_.empty()) GTEST_SKIP() << "chromium is not installed";
  succeed("ser-eval", {features_, "--cv", "speakers:2", "--train", recipe_, "-o", file("r.json"),
                       "--report", file("r.html"), "-q"});
  const Json result = Json::parse(text_of(file("r.json")));
  const Seen seen = look_at(file("r.html"));
  EXPECT_THAT(seen.console, SizeIs(0));

  expect_shown(seen.elements, "uar", result["uar"]);
  expect_shown(seen.elements, "accuracy", result["accuracy"]);
  expect_shown(seen.elements, "macro-f1", result["macro_f1"]);
  expect_shown(seen.elements, "gender-accuracy", result["gender_accuracy"]);
  EXPECT_EQ(shown(seen.elements, "n")[0].first, result["n"].get<double>());
  EXPECT_EQ(shown(seen.elements, "ece")[0].first, result["ece"].get<double>());
  const auto low = shown(seen.elements, "low"), high = shown(seen.elements, "high");
  EXPECT_EQ(low[0].first, result["ci95"]["uar"][0].get<double>());
  EXPECT_EQ(high[0].first, result["ci95"]["uar"][1].get<double>());
  EXPECT_EQ(low[1].first, result["ci95"]["accuracy"][0].get<double>());
  EXPECT_EQ(high[1].first, result["ci95"]["accuracy"][1].get<double>());

  const auto recalls = shown(seen.elements, "class-recall");
  ASSERT_EQ(recalls.size(), result["per_class"].size());
  std::size_t i = 0;
  for (const auto& [label, figures] : result["per_class"].items()) {
    EXPECT_EQ(recalls[i].first, figures["recall"].get<double>()) << label;
    EXPECT_EQ(shown(seen.elements, "class-precision")[i].first, figures["precision"].get<double>());
    EXPECT_EQ(shown(seen.elements, "class-f1")[i++].first, figures["f1"].get<double>());
  }
  const auto speakers = shown(seen.elements, "speaker-accuracy");
  ASSERT_EQ(speakers.size(), result["per_speaker"].size());
  for (i = 0; i < speakers.size(); ++i)
    EXPECT_EQ(speakers[i].first, result["per_speaker"][i]["accuracy"].get<double>());
  const auto folds = shown(seen.elements, "fold-uar");
  ASSERT_EQ(folds.size(), 2u);
  for (i = 0; i < folds.size(); ++i)
    EXPECT_EQ(folds[i].first, result["folds"][i]["uar"].get<double>());

  std::vector<int> cells;
  const std::regex cell("<td class=\"cell[^>]*>([0-9,]+)</td>");
  for (std::sregex_iterator match(seen.elements.begin(), seen.elements.end(), cell), end;
       match != end; ++match)
    cells.push_back(std::stoi((*match)[1]));
  std::vector<int> confusion;
  for (const auto& row : result["confusion"])
    for (const auto& count : row) confusion.push_back(count);
  EXPECT_EQ(cells, confusion);
}

TEST_F(Reports, ArePaintedInLightAndDarkAndPrinted) {
  if (chromium_.empty()) GTEST_SKIP() << "chromium is not installed";
  succeed("ser-train",
          {features_, "--recipe", recipe_, "-o", file("m.json"), "--report", file("t.html"), "-q"});
  const std::string light = "--screenshot=" + file("light.png");
  const std::string dark = "--screenshot=" + file("dark.png");
  EXPECT_EQ(browse(file("t.html"), {light}).exit_code, 0);
  EXPECT_EQ(browse(file("t.html"), {dark, "--blink-settings=preferredColorScheme=0"}).exit_code, 0);
  EXPECT_EQ(browse(file("t.html"), {"--print-to-pdf=" + file("t.pdf")}).exit_code, 0);
  EXPECT_GT(text_of(file("light.png")).size(), 10000u);
  EXPECT_GT(text_of(file("dark.png")).size(), 10000u);
  EXPECT_NE(text_of(file("light.png")), text_of(file("dark.png")));
  EXPECT_GT(text_of(file("t.pdf")).size(), 10000u);
}

TEST_F(Reports, TheBrowserWouldTellOfErrors) {
  if (chromium_.empty()) GTEST_SKIP() << "chromium is not installed";
  const std::string page = folder_.add("bad.html", "<script>missing()</script>").string();
  EXPECT_THAT(look_at(page).console, SizeIs(1));
}

TEST_F(Reports, OfEveryModeSayWhatWasScored) {
  succeed("ser-train", {features_, "--recipe", recipe_, "--cv", "speakers:2", "--fold", "0", "-o",
                        file("m.json"), "--report", file("train.html"), "-q"});
  expect_says(text_of(file("train.html")),
              {"A small network", "fold 0 of speakers:2 left out", "Learning curves", "classic"});

  succeed("ser-eval", {features_, "--model", file("m.json"), "--cv", "speakers:2", "--fold", "0",
                       "-o", file("r0.json"), "--report", file("model.html"), "-q"});
  expect_says(text_of(file("model.html")),
              {"none of the scored speakers is among its training speakers",
               "The model was trained before"});

  const std::vector<std::string> fold = {"--cv", "random:2", "--fold", "0"};
  std::vector<std::string> words = {features_, "--recipe", recipe_, "-o", file("leaky.json")};
  words.insert(words.end(), fold.begin(), fold.end());
  succeed("ser-train", words);
  words = {features_, "--model", file("leaky.json"), "--report", file("leaky.html")};
  words.insert(words.end(), fold.begin(), fold.end());
  succeed("ser-eval", words);
  const std::string leaky = text_of(file("leaky.html"));
  expect_says(leaky, {"The split does not keep speakers apart"});
  EXPECT_THAT(leaky, testing::Not(testing::HasSubstr("none of the scored speakers")));

  succeed("ser-eval", {"--merge", file("r0.json"), "--report", file("merged.html"), "-q"});
  expect_says(text_of(file("merged.html")),
              {"Folds 1 are missing", "Result files hold no learning curves"});
}

TEST_F(Reports, HaveTheSameBytesForAnyNumberOfThreads) {
  std::string first;
  for (const char* threads : {"1", "2", "7"}) {
    succeed("ser-eval", {features_, "--cv", "speakers:2", "--train", recipe_, "--threads", threads,
                         "--report", file("r.html"), "-q"});
    if (first.empty()) first = text_of(file("r.html"));
    EXPECT_TRUE(text_of(file("r.html")) == first) << threads << " threads";
  }
  expect_silent(first, {folder_.path().string()});
}

TEST_F(Reports, ThatCannotBeWrittenEndTheRunBeforeItBegins) {
  const std::string nowhere = file("nowhere/r.html");
  for (const Outcome& refused :
       {run("ser-train",
            {features_, "--recipe", recipe_, "-o", file("m.json"), "--report", nowhere}),
        run("ser-eval", {features_, "--train", recipe_, "--report", nowhere})}) {
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr(file("nowhere") + ": expected a folder to write to"));
  }
  EXPECT_FALSE(std::filesystem::exists(file("m.json")));
}

TEST_F(Reports, HaveNoPlaceInAComparison) {
  const Outcome refused = run("ser-eval", {"--compare", "a", "b", "--report", file("r.html")});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--report: it shows one result, with --compare"));
}

}  // namespace
}  // namespace ser
