#include "ser/core/file_kind.h"

#include <gmock/gmock.h>

#include "support/errors.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::Optional;

const std::string kFeatures = "\x80\2\0\0\0\0\0\0{\"__metadata__\":{\"clips\":\"[]\""s;
const std::string kCheckpoint = "\x80\2\0\0\0\0\0\0{\"__metadata__\":{\"0.numbers\":\"{}\""s;
constexpr const char* kModel =
    "{\n \"format\": \"ser-model\", \"training\": {\"recipe\": {\"network\": {";

TEST(FileKind, IsToldByTheFirstBytes) {
  const std::pair<std::string, const char*> heads[] = {
      {kFeatures, "a feature file of ser-extract"},
      {"{\"format\": \"ser-features-index-1\",", "an index of features of ser-extract"},
      {"path,corpus,emotion,gender,speaker,intensity,statement,repetition",
       "a table of features (CSV) of ser-extract"},
      {kCheckpoint, "a checkpoint of ser-train"},
      {kModel, "a model of ser-train"},
      {"{\"format\":\"ser-voice\"", "a kept voice of ser-predict"},
      {"{\"format\": \"ser-search-1\"", "the file of a search of ser-train"},
      {"{\"n\": 8, \"accuracy\": 1, \"uar\": 1", "a result file of ser-eval"},
      {"{\"rungs\": 2, \"fields\": {", "the space of a search"},
      {"{\"description\": \"One\"", "a recipe"},
      {"{\"features\": \"classic\", \"network\": {", "a recipe"},
      {"<!DOCTYPE html>", "a page (HTML)"},
      {"\x89PNG", "a picture (SVG or PNG)"},
      {"RIFF....WAVE", "a WAV file"},
      {"fLaC", "a recording"},
      {"0.5\t2.5\tangry", "a file of labels of ser-predict"},
      {"1\n00:00:00,000 --> 00:00:01,000", "a file of subtitles of ser-predict"}};
  for (const auto& [head, name] : heads) EXPECT_THAT(known_kind(head), Optional(std::string(name)));
  for (const char* other :
       {"", "{}", "{\"features\": []}", "some words", "path,corpus,emotion,gender\n",
        "RIFF....AVI LIST", "<?xml version=\"1.0\"?><work/>"})
    EXPECT_EQ(known_kind(other), std::nullopt);
}

TEST(ExpectKind, NamesBothKinds) {
  const TempFolder folder;
  const auto model = folder.add("m.json", kModel), features = folder.add("f", kFeatures);
  EXPECT_ERROR(expect_kind(features, FileKind::kModel),
               HasSubstr("f: expected a model of ser-train, found a feature file of ser-extract"));
  EXPECT_ERROR(expect_kind(model, FileKind::kRecipe),
               HasSubstr("m.json: expected a recipe, found a model of ser-train"));
}

TEST(ExpectKind, LeavesTheRestToTheReader) {
  const TempFolder folder;
  expect_kind(folder.add("m.json", kModel), FileKind::kModel);
  expect_kind(folder.add("unknown", "some words"), FileKind::kModel);
  expect_kind(folder / "not there", FileKind::kModel);
  expect_kind(folder.path(), FileKind::kModel);
}

}  // namespace
}  // namespace ser
