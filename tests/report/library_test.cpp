#include <gtest/gtest.h>

#include <filesystem>

#include "ser/audio/audio_file.h"
#include "ser/corpus/extraction.h"
#include "ser/corpus/split.h"
#include "ser/eval/evaluate.h"
#include "ser/report/report.h"
#include "support/paths.h"
#include "support/temp_folder.h"
#include "support/values.h"

// What each command does, in a few lines of C++.

namespace {

void extract(const std::filesystem::path& corpus, const std::filesystem::path& features) {
  ser::ExtractionOptions options{ser::parse_feature_set("classic")};
  ser::FeatureTableWriter writer(features, options.set);
  ser::extract(ser::find_recordings({corpus.string()}), options, writer);
}

void train(const std::filesystem::path& features, const std::filesystem::path& file) {
  const ser::FeatureTable table = ser::read_feature_table(features);
  ser::Recipe recipe = ser::load_recipe("mlp");
  recipe.training.epochs = 3;
  const std::vector<int> clips = ser::whole_corpus(table.clips).train;
  const ser::TrainingData data = ser::training_data(table, clips, recipe, 1, ser::kWholeCorpus);
  ser::write_model(ser::train(data, recipe, {}), file);
}

ser::ResultFile score(const std::filesystem::path& features, const std::filesystem::path& file) {
  const ser::FeatureTable table = ser::read_feature_table(features);
  const ser::Model model = ser::read_model(file);
  return ser::score_model(model, {&table}, ser::whole_corpus(table.clips), 0);
}

ser::report::Report cross_validate(const std::filesystem::path& features) {
  const ser::FeatureTable table = ser::read_feature_table(features);
  ser::Recipe recipe = ser::load_recipe("mlp");
  recipe.training.epochs = 3;
  return ser::report::cross_validation_report(
      ser::cross_validate(table, ser::parse_split_scheme("speakers:2"), recipe, 1, 0), table);
}

std::string predict(const std::filesystem::path& file, const std::filesystem::path& clip) {
  const ser::Predictor predictor(ser::read_model(file));
  const ser::ClipPrediction answer = predictor.predict(ser::read_audio(clip));
  Eigen::Index best = 0;
  answer.emotions.maxCoeff(&best);
  return predictor.model().emotions[static_cast<std::size_t>(best)];
}

TEST(Library, DoesWhatTheCommandsDo) {
  const std::filesystem::path corpus = ser::source_folder() / "data/demo";
  const ser::TempFolder folder;
  const auto features = folder / "features.safetensors", model = folder / "model.json";
  extract(corpus, features);
  train(features, model);
  const std::size_t recordings = ser::find_recordings({corpus.string()}).size();
  const ser::ResultFile result = score(features, model);
  EXPECT_EQ(result.predictions.size(), recordings);
  EXPECT_EQ(predict(model, corpus / result.predictions[0].file).empty(), false);
  const ser::report::Report report = cross_validate(features);
  EXPECT_EQ(report.result->folds.size(), 2u);
  EXPECT_EQ(report.clips.size(), recordings);
  ser::report::write_report(folder / "report.html", report);
  EXPECT_TRUE(std::filesystem::exists(folder / "report.html"));
}

TEST(Library, ATableInMemoryIsTheOneOfTheFile) {
  const auto recordings = ser::find_recordings({(ser::source_folder() / "data/demo").string()});
  const ser::ExtractionOptions options{ser::parse_feature_set("mfcc,rms"),
                                       ser::parse_augmentations("gain:3")};
  const ser::TempFolder folder;
  ser::FeatureTableWriter writer(folder / "features.safetensors", options.set);
  const ser::ExtractionSummary summary = ser::extract(recordings, options, writer);
  const ser::FeatureTable file = ser::read_feature_table(folder / "features.safetensors");
  const ser::FeatureTable table = ser::extract(recordings, options);
  EXPECT_EQ(summary.clips, 2 * recordings.size());
  EXPECT_EQ(table.rows, file.rows);
  EXPECT_EQ(table.offsets, file.offsets);
  EXPECT_EQ(table.values, ser::values_of(file));
  EXPECT_EQ(table.clips[1].augmentation, file.clips[1].augmentation);
}

}  // namespace
