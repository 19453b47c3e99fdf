#include <gmock/gmock.h>

#include <cstring>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/demo_features.h"

namespace ser {
namespace {

using ::testing::AnyOf;
using Json = nlohmann::ordered_json;

constexpr std::size_t kBytes = std::size_t{8} << 20;

/// `part` as often as it takes to fill a file.
std::string filled(const std::string& begin, const std::string& part, const std::string& end) {
  std::string text = begin + part;
  while (text.size() + part.size() + end.size() < kBytes) text += "," + part;
  return text + end;
}

/// An object of `count` keys that are all different.
std::string object_of(int count, const std::string& value) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += (i > 0 ? ",\"" : "{\"") + std::to_string(i) + "\":" + value;
  return text + "}";
}

std::string nested_objects() {
  std::string text;
  while (text.size() < kBytes) text += R"({"a":)";
  return text;
}

std::string layers_in_layers() {
  std::string inner = R"({"type":"dense","units":1})";
  for (int i = 1; i < 256; ++i) inner += R"(,{"type":"dense","units":1})";
  const std::string outer = R"({"type":"residual","body":[)" + inner + "]}";
  return filled(R"({"layers":[)", outer, "]}");
}

/// JSON that takes long, or much memory, where a reader is careless, by name.
const std::map<std::string, std::function<std::string()>>& hostile_values() {
  static const std::map<std::string, std::function<std::string()>> values = {
      {"open_lists", [] { return std::string(kBytes, '['); }},
      {"nested_objects", nested_objects},
      {"empty_lists", [] { return filled("[", "[]", "]"); }},
      {"numbers", [] { return filled("[", "1", "]"); }},
      {"texts", [] { return filled("[", "\"\"", "]"); }},
      {"a_long_text", [] { return "\"" + std::string(kBytes - 100, 'x') + "\""; }},
      {"many_keys", [] { return object_of(200000, R"({"shape":[1],"data":""})"); }},
      {"full_objects", [] { return filled("[", object_of(1000, "1"), "]"); }},
      {"layers", [] { return filled(R"({"layers":[)", R"({"type":"dense"})", "]}"); }},
      {"layers_in_layers", layers_in_layers}};
  return values;
}

std::vector<std::string> hostile_names() {
  std::vector<std::string> names;
  for (const auto& [name, value] : hostile_values()) names.push_back(name);
  return names;
}

/// Runs a command that must come to an end soon, one way or the other. The time is what a build
/// for users takes on an idle machine; sanitizers and company take theirs.
void expect_soon(const std::string& program, const std::vector<std::string>& words) {
  RunOptions options;
  options.watch_memory = true;
  const Outcome outcome = run(program, words, options);
  EXPECT_THAT(outcome.exit_code, AnyOf(0, 1, 2)) << outcome.err.substr(0, 300);
#ifndef __SANITIZE_ADDRESS__
#ifndef __SANITIZE_THREAD__
  EXPECT_LT(outcome.cpu_s, 2) << outcome.err.substr(0, 300);
  EXPECT_LT(outcome.peak_kb, 500 * 1024) << outcome.err.substr(0, 300);
#endif
#endif
}

class Hostile : public DemoFeatures {
 protected:
  std::string add(const std::string& text) const { return folder_.add("hostile", text).string(); }
  std::string recipe() const {
    return folder_
        .add("r.json", R"({"network": {"layers": [{"type": "dense", "units": 4}]},
                           "training": {"epochs": 1}})")
        .string();
  }
  /// A small model as JSON.
  Json model() const {
    succeed("ser-train", {features_, "--recipe", recipe(), "-o", file("model"), "-q"});
    return Json::parse(text_of(file("model")));
  }
  std::string results() const {
    succeed("ser-eval",
            {features_, "--train", recipe(), "--cv", "speakers:2", "-o", file("results"), "-q"});
    return text_of(file("results"));
  }
};

/// One value a test, so that several run side by side.
class HostileValue : public Hostile, public ::testing::WithParamInterface<std::string> {
 protected:
  /// `json` with the value under `key`.
  std::string with_value(Json json, const char* key) const {
    json[key] = "@";
    std::string text = json.dump();
    return text.replace(text.find("\"@\""), 3, value_);
  }

  const std::string value_ = hostile_values().at(GetParam())();
};

INSTANTIATE_TEST_SUITE_P(Values, HostileValue, ::testing::ValuesIn(hostile_names()),
                         [](const auto& test) { return test.param; });

TEST_P(HostileValue, AsAModelEndsSoon) {
  const Json model = this->model();
  const std::string bare = add(value_);
  expect_soon("ser-predict", {"--model", bare, demo_clip(1)});
  expect_soon("ser-eval", {features_, "--model", bare});
  for (const char* key : {"weights", "network", "features", "training", "heads", "scaler"})
    expect_soon("ser-predict", {"--model", add(with_value(model, key)), demo_clip(1)});
}

TEST_P(HostileValue, AsARecipeOrAResultEndsSoon) {
  const Json result = Json::parse(results());
  const std::string bare = add(value_);
  expect_soon("ser-train", {features_, "--recipe", bare, "-o", file("m")});
  expect_soon("ser-eval", {"--compare", bare, bare});
  for (const char* key : {"predictions", "labels", "folds", "recipe"})
    expect_soon("ser-eval", {"--merge", add(with_value(result, key))});
}

TEST_P(HostileValue, InAFeatureFileEndsSoon) {
  const std::string file_text = text_of(features_);
  std::uint64_t size = 0;
  std::memcpy(&size, file_text.data(), 8);
  const std::string data = file_text.substr(8 + size);
  const auto write = [&](const std::string& header) {
    const std::uint64_t bytes = header.size();
    std::string text(8, '\0');
    std::memcpy(text.data(), &bytes, 8);
    return add(text + header + data);
  };
  expect_soon("ser-train", {write(value_), "-o", file("m")});
  const Json header = Json::parse(file_text.substr(8, size));
  for (const char* key : {"features", "rows", "clips"}) {
    Json changed = header;
    changed["__metadata__"][key] = value_;
    expect_soon("ser-train", {write(changed.dump()), "-o", file("m")});
  }
}

TEST_F(Hostile, NumbersAtTheirEndsAreRefusedAtOnce) {
  const std::string text = model().dump();
  const auto changed = [&](const std::string& features) {
    Json json = Json::parse(text);
    json["features"]["features"] = Json::parse(features);
    return json.dump();
  };
  for (const char* features :
       {R"([{"type": "mel", "mel": {"num_bands": 2000000000}}])",
        R"([{"type": "mfcc", "num_coefficients": 2000000000}])",
        R"([{"type": "rms", "hop_samples": 2000000000}])",
        R"([{"type": "rms", "frame_samples": 1000000, "hop_samples": 1}])",
        R"([{"type": "f0", "frame_samples": 32768, "hop_samples": 1}])",
        R"([{"type": "mel", "mel": {"stft": {"fft_size": 65536, "hop_samples": 1}}}])"})
    expect_soon("ser-predict", {"--model", add(changed(features)), demo_clip(1)});
}

}  // namespace
}  // namespace ser
