#include <fmt/format.h>

#include <cstring>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "core/internal/numbers.h"
#include "model/internal/batch.h"
#include "model/model_json.h"
#include "ser/core/atomic_file.h"
#include "ser/core/base64.h"
#include "ser/core/file_kind.h"
#include "ser/model/model.h"

namespace ser {
namespace {

constexpr std::string_view kModelFormat = "ser-model";
constexpr int kVersion = 1;
constexpr std::size_t kMaxNames = 1000'000;  // of speakers, of recordings
constexpr std::size_t kMaxMembers = 256;
constexpr float kMostOfByte = 127;

using RowMajor = Eigen::Matrix<nn::Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

using Blobs = std::vector<std::vector<std::byte>>;

template <typename Numbers>
std::string base64_of(const Numbers& numbers) {
  return base64_encode(std::as_bytes(std::span(numbers.data(), numbers.size())));
}

Json write_vector(const Eigen::VectorXf& v) {
  return {{"shape", {v.size()}}, {"dtype", "f32"}, {"data", base64_of(v)}};
}

/// Adds each row as whole numbers from -127 to 127 times its scale.
void write_bytes(const RowMajor& values, Json& json) {
  const Eigen::VectorXf scale =
      values.rowwise().lpNorm<Eigen::Infinity>().cast<float>() / kMostOfByte;
  const Eigen::ArrayXf divisor = (scale.array() > 0).select(scale, 1.0f);
  const Eigen::Array<std::int8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> bytes =
      (values.cast<float>().array().colwise() / divisor)
          .round()
          .max(-kMostOfByte)
          .min(kMostOfByte)
          .cast<std::int8_t>();
  json["dtype"] = "i8";
  json["scale"] = write_vector(scale);
  json["data"] = base64_of(bytes);
}

/// Weights in C order, as the rest of the world reads a shape of [rows, columns].
Json write_tensor(const nn::Vector& flat, const nn::Parameter& p, WeightFormat format) {
  const RowMajor values = nn::ConstAlignedMap(flat.data() + p.offset, p.rows, p.cols);
  Json json = {{"shape", {p.rows, p.cols}}};
  // One number a row needs a scale each, which says it all.
  if (format == WeightFormat::kI8 && p.cols > 1) {
    write_bytes(values, json);
  } else if (format == WeightFormat::kF16) {
    json["dtype"] = "f16";
    json["data"] = base64_of(Eigen::Matrix<Eigen::half, Eigen::Dynamic, 1>(
        values.reshaped<Eigen::RowMajor>().cast<Eigen::half>()));
  } else {
    json["dtype"] = "f32";
    json["data"] = base64_of(Eigen::VectorXf(values.reshaped<Eigen::RowMajor>().cast<float>()));
  }
  return json;
}

/// The bytes that the document left out under "data".
const std::vector<std::byte>& bytes_at(const Json& json, const Blobs& blobs) {
  const Json& index = value_at(json, "data");
  if (!index.is_number_unsigned() || index.get<std::size_t>() >= blobs.size())
    fail("'data': expected base64 text");
  return blobs[index.get<std::size_t>()];
}

template <typename Number>
nn::Vector numbers(const std::vector<std::byte>& bytes) {
  Eigen::Matrix<Number, Eigen::Dynamic, 1> result(
      static_cast<Eigen::Index>(bytes.size() / sizeof(Number)));
  if (!bytes.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
  return result.template cast<nn::Real>();
}

Eigen::VectorXf read_vector(const Json& json, const Blobs& blobs) {
  const std::vector<std::byte>& bytes = bytes_at(json, blobs);
  if (value_at(json, "dtype") != "f32" || value_at(json, "shape") != Json({bytes.size() / 4}) ||
      bytes.size() % 4 != 0)
    fail("expected f32 numbers of 'shape' [{}]", bytes.size() / 4);
  return numbers<float>(bytes).cast<float>();
}

/// What the rows of a tensor are multiplied by.
nn::Vector read_scale(const Json& json, const Blobs& blobs, nn::Index rows) {
  const Eigen::VectorXf scale = read_vector(value_at(json, "scale"), blobs);
  if (scale.size() != rows || !scale.allFinite() || scale.minCoeff() < 0)
    fail("'scale': expected {} finite numbers from 0", rows);
  return scale.cast<nn::Real>();
}

/// Reads one tensor into its place in `flat`.
void read_tensor(const Json& json, const Blobs& blobs, const nn::Parameter& p, nn::Vector& flat) {
  const Json& dtype = value_at(json, "dtype");
  const std::size_t size = dtype == "f32" ? 4 : dtype == "f16" ? 2 : dtype == "i8" ? 1 : 0;
  if (size == 0) fail("'dtype': expected f32, f16 or i8");
  if (value_at(json, "shape") != Json({p.rows, p.cols}))
    fail("'shape': expected [{}, {}], found {}", p.rows, p.cols,
         dump_text(value_at(json, "shape")).substr(0, 60));
  const std::vector<std::byte>& bytes = bytes_at(json, blobs);
  const std::size_t expected = static_cast<std::size_t>(p.size()) * size;
  if (bytes.size() != expected) fail("'data': expected {} bytes, found {}", expected, bytes.size());

  const nn::Vector values = size == 4   ? numbers<float>(bytes)
                            : size == 2 ? numbers<Eigen::half>(bytes)
                                        : numbers<std::int8_t>(bytes);
  nn::AlignedMap tensor(flat.data() + p.offset, p.rows, p.cols);
  tensor = Eigen::Map<const RowMajor>(values.data(), p.rows, p.cols);
  if (size == 1) tensor.array().colwise() *= read_scale(json, blobs, p.rows).array();
  if (!all_finite(tensor)) fail("'data': expected finite numbers");
}

Json write_scaler(const Scaler& scaler) {
  Json json = options_to_json(scaler.options());
  json["mean"] = write_vector(scaler.mean());
  json["scale"] = write_vector(scaler.scale());
  return json;
}

Json write_member(const Member& member, WeightFormat format) {
  const nn::Network& network = member.network;
  Json network_json = {{"frames", network.input().frames}, {"rows", network.input().rows()}};
  network_json.update(options_to_json(network.options()));
  Json weights = Json::object();
  for (const nn::Parameter& p : network.named_parameters())
    weights[p.name] = write_tensor(network.parameters(), p, format);
  for (const nn::Parameter& p : network.named_state())
    weights[p.name] = write_tensor(network.state(), p, WeightFormat::kF32);
  return {{"features", options_to_json(member.set)},
          {"fingerprint", fingerprint(member.set)},
          {"scaler", write_scaler(member.scaler)},
          {"network", std::move(network_json)},
          {"calibration", {{"temperature", member.temperature}}},
          {"weight", member.weight},
          {"gender_only", member.gender_only},
          {"emotion_only", member.emotion_only},
          {"listening", options_to_json(member.listening)},
          {"weights", std::move(weights)}};
}

Scaler read_scaler(Json json, const Blobs& blobs) {
  const Eigen::VectorXf mean = read_vector(value_at(json, "mean"), blobs);
  const Eigen::VectorXf scale = read_vector(value_at(json, "scale"), blobs);
  json.erase("mean");
  json.erase("scale");
  ScalerOptions options;
  options_from_json(json, options);
  return Scaler(options, mean, scale);
}

nn::Network read_network(Json json, const Json& weights, int outputs, const Blobs& blobs) {
  const double rows = number_at(json, "rows"), frames = number_at(json, "frames");
  if (!(rows >= 1 && rows <= 1e6) || (frames != 0 && frames != 1))
    fail("expected 1 to 1000000 'rows' and 0 or 1 'frames'");
  json.erase("rows");
  json.erase("frames");
  nn::NetworkOptions options;
  options_from_json(json, options);
  std::size_t stored = 0;
  for (const auto& blob : blobs) stored += blob.size();
  nn::Network network(options, {1, static_cast<int>(rows), static_cast<int>(frames)}, outputs,
                      static_cast<nn::Index>(stored));
  const auto read_all = [&](const std::vector<nn::Parameter>& parameters, nn::Vector& flat) {
    for (const nn::Parameter& p : parameters)
      with_context(fmt::format("weight '{}'", p.name),
                   [&] { read_tensor(value_at(weights, p.name), blobs, p, flat); });
  };
  const auto parameters = network.named_parameters();
  const auto state = network.named_state();
  if (weights.size() != parameters.size() + state.size())
    fail("weights: expected {} tensors, found {}", parameters.size() + state.size(),
         weights.size());
  read_all(parameters, network.parameters());
  read_all(state, network.state());
  for (const nn::Parameter& p : state)
    if (p.name.ends_with(".variance") && network.state().segment(p.offset, p.size()).minCoeff() < 0)
      fail("weight '{}': expected variances from 0", p.name);
  return network;
}

Member read_member(const Json& json, int outputs, const Blobs& blobs) {
  FeatureSet set;
  with_context("features", [&] { options_from_json(value_at(json, "features"), set); });
  Scaler scaler =
      with_context("scaler", [&] { return read_scaler(value_at(json, "scaler"), blobs); });
  nn::Network network = with_context("network", [&] {
    return read_network(value_at(json, "network"), value_at(json, "weights"), outputs, blobs);
  });
  const double temperature = number_at(value_at(json, "calibration"), "temperature");
  const double weight = number_at(json, "weight");
  if (!(temperature > 1e-3 && temperature < 1e3)) fail("'temperature': out of range");
  if (!(weight > 0 && weight < 1e6)) fail("'weight': expected a number above 0");
  if (json.contains("enrolled") && json["enrolled"] == true)
    fail(
        "a model of version 0.1.0 that reads features relative to the speaker's: train it again, "
        "with "
        "\"listening\" in its recipe: ser-train FEATURES --model mlp -o FILE");
  ListeningOptions listening;
  with_context("listening", [&] {
    if (json.contains("listening")) options_from_json(json["listening"], listening);
    listening.validate();
  });
  const auto rows = static_cast<nn::Index>(row_names(set).size());
  if (rows != network.input().rows() ||
      (set.pool == Pooling::kNone) != (network.input().frames == 0))
    fail(
        "the features give {} rows, the network takes {}; a model of another "
        "version of ser is trained again: ser-train FEATURES -o FILE",
        rows, nn::to_string(network.input()));
  if (scaler.options().kind == ScalerOptions::Kind::kRows && scaler.mean().size() != rows)
    fail("scaler: expected {} rows, found {}", rows, scaler.mean().size());
  const auto is_set = [&](const char* key) {  // older models do not say
    const Json value = json.value(key, Json(false));
    if (!value.is_boolean()) fail("'{}': expected true or false", key);
    return value.get<bool>();
  };
  return {std::move(set), std::move(scaler), std::move(network),    temperature,
          weight,         listening,         is_set("gender_only"), is_set("emotion_only")};
}

Json write_training(const TrainingInfo& info) {
  return {{"seed", info.seed},         {"recipe", parse_json(info.recipe, "recipe")},
          {"split", info.split},       {"fold", info.fold},
          {"speakers", info.speakers}, {"recordings", info.recordings}};
}

/// left_out: recordings that are not in the document.
TrainingInfo read_training(const Json& json, std::vector<std::string> left_out) {
  const Json& seed = value_at(json, "seed");
  const Json& split = value_at(json, "split");
  const double fold = number_at(json, "fold");
  if (!seed.is_number_unsigned() || !split.is_string() || !(fold >= -1 && fold < 1e6))
    fail("expected a 'seed', a 'split' and a 'fold'");
  if (left_out.size() > kMaxNames)
    fail("'recordings': expected at most {}, found {}", kMaxNames, left_out.size());
  if (!left_out.empty() && !json.contains("recordings"))
    fail("expected 'recordings' in 'training' alone");
  if (left_out.empty() && json.contains("recordings"))
    left_out = names_at(json, "recordings", kMaxNames);
  return {
      seed.get<std::uint64_t>(), object_text_at(json, "recipe"),        split.get<std::string>(),
      static_cast<int>(fold),    names_at(json, "speakers", kMaxNames), std::move(left_out)};
}

void check_header(const Json& json) {
  if (!json.is_object() || !json.contains("format") || json["format"] != kModelFormat)
    fail("expected a model file (\"format\": \"ser-model\")");
  if (value_at(json, "version") != kVersion)
    fail("expected version {}, found {}", kVersion,
         dump_text(value_at(json, "version")).substr(0, 20));
}

Model model_from_document(ModelDocument document) {
  const Json& json = document.json;
  check_header(json);
  Model model;
  model.emotions = names_at(value_at(json, "heads"), "emotion", kMaxClasses);
  model.genders = names_at(value_at(json, "heads"), "gender", kMaxClasses);
  model.uncertain_below = number_at(value_at(json, "calibration"), "uncertain_below");
  if (!(model.uncertain_below >= 0 && model.uncertain_below <= 1))
    fail("'uncertain_below': expected a number from 0 to 1, found {}", model.uncertain_below);
  if (model.emotions.size() < 2) fail("heads: expected at least two emotions");
  model.training = with_context("training", [&] {
    return read_training(value_at(json, "training"), std::move(document.recordings));
  });
  const int outputs = static_cast<int>(model.emotions.size() + model.genders.size());
  if (!json.contains("members")) {
    model.members.push_back(read_member(json, outputs, document.blobs));
    return model;
  }
  const Json& members = json["members"];
  if (!members.is_array() || members.empty() || members.size() > kMaxMembers)
    fail("'members': expected a list of 1 to {}", kMaxMembers);
  model.members.reserve(members.size());
  for (std::size_t i = 0; i < members.size(); ++i)
    model.members.push_back(with_context(fmt::format("member {}", i), [&] {
      return read_member(members[i], outputs, document.blobs);
    }));
  return model;
}

}  // namespace

void write_model(const Model& model, const std::filesystem::path& path, WeightFormat format) {
  Json json = {{"format", kModelFormat},
               {"version", kVersion},
               {"heads", {{"emotion", model.emotions}, {"gender", model.genders}}},
               {"training", write_training(model.training)}};
  if (model.members.size() == 1) {
    json.update(write_member(model.members[0], format));
  } else {
    json["members"] = Json::array();
    for (const Member& member : model.members)
      json["members"].push_back(write_member(member, format));
  }
  json["calibration"]["uncertain_below"] = model.uncertain_below;
  write_file(path, dump_text(json, 1) + "\n");
}

Model read_model(const std::filesystem::path& path) {
  expect_kind(path, FileKind::kModel);
  const MappedFile file(path);
  return with_context(path.string(),
                      [&] { return model_from_document(parse_model_document(file.bytes())); });
}

}  // namespace ser
