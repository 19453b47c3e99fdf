#include "train/checkpoint.h"

#include <fmt/format.h>

#include <cstring>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "ser/core/hash.h"
#include "ser/core/safetensors.h"

namespace ser {
namespace {

constexpr std::string_view kFormat = "ser-checkpoint-2";
constexpr std::chrono::seconds kInterval{10};

static_assert(std::is_same_v<nn::Real, float>);

/// The vectors of a state with their names in the file.
template <typename State, typename F>
void for_each_vector(State& state, const F& f) {
  f("parameters", state.parameters);
  f("state", state.state);
  f("average_parameters", state.average_parameters);
  f("average_state", state.average_state);
  f("best_parameters", state.best_parameters);
  f("best_state", state.best_state);
  for (std::size_t i = 0; i < state.moments.size(); ++i)
    f("moment" + std::to_string(i), state.moments[i]);
}

/// Its numbers with their names.
template <typename State, typename F>
void for_each_number(State& state, const F& f) {
  f("epoch", state.epoch);
  f("batch", state.batch);
  f("step", state.step);
  f("loss", state.loss);
  f("clips", state.clips);
  f("best_loss", state.best_loss);
  f("best_epoch", state.best_epoch);
  f("optimizer_steps", state.optimizer_steps);
}

Json numbers(const TrainingState& state) {
  Json json = Json::object();
  for_each_number(state, [&](const char* name, const auto& number) { json[name] = number; });
  return json;
}

TrainingState state_of(const Json& json) {
  try {
    TrainingState state;
    for_each_number(state, [&](const char* name, auto& number) { json.at(name).get_to(number); });
    return state;
  } catch (const Json::exception&) {
    fail("expected the numbers of a training state");
  }
}

TrainingState read_state(const SafetensorsFile& file, std::size_t member) {
  const std::string prefix = fmt::format("{}.", member);
  TrainingState state = state_of(parse_json(file.metadata(prefix + "numbers"), "checkpoint"));
  for_each_vector(state, [&](const std::string& name, nn::Vector& values) {
    const auto& tensor = file.tensor(prefix + name, DType::kF32, 1);
    values.resize(tensor.shape[0]);
    if (!tensor.bytes.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  });
  return state;
}

}  // namespace

std::string run_fingerprint(const TrainingData& data, const Recipe& recipe, const RunOptions& run) {
  std::uint64_t hash = fnv1a(to_json(recipe));
  const auto add = [&](std::string_view bytes) { hash = fnv1a(bytes, hash); };
  add(fmt::format("{} {} {}", run.seed, run.stream, fingerprint(data.table.set)));
  for (const std::vector<int>* clips : {&data.train, &data.validation}) {
    add(fmt::format("{}", clips->size()));
    for (const int i : *clips) {
      const Utterance& clip = data.table.clips[i];
      add(fmt::format("{}|{}|{}|{}|{}", clip.path, clip.augmentation, clip.emotion, clip.gender,
                      clip.intensity));
      for (const auto& [emotion, votes] : clip.votes) add(fmt::format("{} {}", emotion, votes));
      data.table.for_each_part(i, [&](const auto& features) {
        add({reinterpret_cast<const char*>(features.data()),
             static_cast<std::size_t>(features.size()) * sizeof(float)});
      });
    }
  }
  return fmt::format("{:016x}", hash);
}

Checkpoint::Checkpoint(std::filesystem::path path, std::string run, std::size_t members)
    : path_(std::move(path)),
      run_(std::move(run)),
      states_(members),
      saved_(members, Clock::now()) {}

void Checkpoint::read() {
  const SafetensorsFile file(path_);
  with_context(path_.string(), [&] {
    if (file.metadata("format") != kFormat) fail("expected a checkpoint of ser-train");
    if (file.metadata("run") != run_)
      fail(
          "this checkpoint is of a run with another recipe, seed or data "
          "({}, this one is {})",
          file.metadata("run"), run_);
    for (std::size_t m = 0; m < states_.size(); ++m)
      if (file.metadata().contains(fmt::format("{}.numbers", m))) states_[m] = read_state(file, m);
  });
}

bool Checkpoint::due(std::size_t member) {
  const std::lock_guard lock(mutex_);
  return Clock::now() - saved_[member] >= kInterval;
}

void Checkpoint::save(std::size_t member, const MemberTraining& training) {
  const std::lock_guard lock(mutex_);
  states_[member] = training.snapshot();
  saved_[member] = Clock::now();
  write();
}

void Checkpoint::write() const {
  std::map<std::string, std::string> metadata = {{"format", std::string(kFormat)}, {"run", run_}};
  std::vector<TensorSource> tensors;
  for (std::size_t m = 0; m < states_.size(); ++m) {
    if (!states_[m]) continue;
    metadata[fmt::format("{}.numbers", m)] = dump_text(numbers(*states_[m]));
    for_each_vector(*states_[m], [&](const std::string& name, const nn::Vector& values) {
      tensors.push_back({fmt::format("{}.{}", m, name),
                         DType::kF32,
                         {values.size()},
                         [&values](AtomicFile& file) {
                           file.write(std::as_bytes(std::span(values.data(), values.size())));
                         }});
    });
  }
  write_safetensors(path_, metadata, tensors);
}

}  // namespace ser
