#include "ser/train/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ser/core/atomic_file.h"
#include "ser/core/error.h"
#include "support/errors.h"
#include "support/paths.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

using testing::HasSubstr;

TEST(Recipe, EveryPresetLoadsAndSurvivesJson) {
  for (const std::string& name : recipe_preset_names()) {
    const Recipe recipe = load_recipe(name);
    Recipe copy;
    from_json(to_json(recipe), copy);
    EXPECT_EQ(to_json(copy), to_json(recipe)) << name;
    EXPECT_FALSE(recipe.description.empty()) << name;
  }
}

TEST(Recipe, EveryCommittedFileLoads) {
  const std::filesystem::path folder = source_folder() / "models/recipes";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") {
      EXPECT_NO_THROW(load_recipe(entry.path().string())) << entry.path();
    }
  }
}

TEST(Recipe, MisspeltNameIsAnsweredWithTheNearest) {
  EXPECT_ERROR(load_recipe("mpl"), HasSubstr("did you mean 'mlp'"));
}

TEST(Recipe, ErrorsNameFileAndOption) {
  const TempFolder folder;
  const std::string path = (folder.path() / "r.json").string();
  write_file(path, R"({"training": {"epoch": 3}})");
  EXPECT_ERROR(load_recipe(path),
               AllOf(HasSubstr(path), HasSubstr("unknown option 'training.epoch'"),
                     HasSubstr("did you mean 'epochs'")));
  write_file(path, R"({"training": {"mixup": -1}})");
  EXPECT_ERROR(load_recipe(path), HasSubstr("training.mixup"));
  write_file(path, R"({"members": 0})");
  EXPECT_ERROR(load_recipe(path), HasSubstr("option 'members': expected an integer in [1, 64]"));
  write_file(path, R"({"gender_only": true, "emotion_only": true})");
  EXPECT_ERROR(load_recipe(path), HasSubstr("gender_only and emotion_only: expected one of them"));
}

}  // namespace
}  // namespace ser
