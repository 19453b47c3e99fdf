#include "train/checkpoint.h"

#include <fmt/format.h>

#include <cstring>
#include <functional>
#include <map>
#include <span>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "corpus/internal/clip_hash.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr std::string_view kFormat = "ser-checkpoint-2";
constexpr std::chrono::seconds kInterval{10};

static_assert(std::is_same_v<nn::Real, float>);

/// The vectors of a state, or of a view of one, with their names in the file.
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
template <typename Numbers, typename F>
void for_each_number(Numbers& state, const F& f) {
  f("epoch", state.epoch);
  f("batch", state.batch);
  f("step", state.step);
  f("loss", state.loss);
  f("clips", state.clips);
  f("best_loss", state.best_loss);
  f("best_epoch", state.best_epoch);
  f("optimizer_steps", state.optimizer_steps);
}

Json to_json(const TrainingNumbers& numbers) {
  Json json = Json::object();
  for_each_number(numbers, [&](const char* name, const auto& number) { json[name] = number; });
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

std::string prefix_of(std::size_t member) { return fmt::format("{}.", member); }

bool knows(const SafetensorsFile& file, std::size_t member) {
  return file.metadata().contains(prefix_of(member) + "numbers");
}

TrainingState read_state(const SafetensorsFile& file, std::size_t member) {
  const std::string prefix = prefix_of(member);
  TrainingState state = state_of(parse_json(file.metadata(prefix + "numbers"), "checkpoint"));
  for_each_vector(state, [&](const std::string& name, nn::Vector& values) {
    const auto& tensor = file.tensor(prefix + name, DType::kF32, 1);
    values.resize(tensor.shape[0]);
    if (!tensor.bytes.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  });
  return state;
}

/// What goes into a file.
struct Content {
  std::map<std::string, std::string> metadata;
  std::vector<TensorSource> tensors;

  /// What it refers to must outlive the content.
  void add(std::size_t member, const StateView& state) {
    metadata[prefix_of(member) + "numbers"] = dump_text(to_json(state.numbers));
    for_each_vector(state, [&](const std::string& name, const nn::Vector& values) {
      add(prefix_of(member) + name, std::as_bytes(std::span(values.data(), values.size())), [] {});
    });
  }

  /// As it stands in another file, which must outlive the content.
  void add(std::size_t member, const SafetensorsFile& file) {
    metadata[prefix_of(member) + "numbers"] = file.metadata(prefix_of(member) + "numbers");
    const TrainingState names;
    for_each_vector(names, [&](const std::string& name, const nn::Vector&) {
      add(prefix_of(member) + name, file.tensor(prefix_of(member) + name, DType::kF32, 1).bytes,
          [&file] { file.let_go(); });
    });
  }

 private:
  void add(const std::string& name, std::span<const std::byte> bytes,
           const std::function<void()>& written) {
    tensors.push_back({name,
                       DType::kF32,
                       {static_cast<std::int64_t>(bytes.size() / sizeof(float))},
                       [bytes, written](AtomicFile& file) {
                         file.write(bytes);
                         written();
                       }});
  }
};

/// "seed is 3 there, 4 asked for", of the first setting that differs; nothing where none does.
std::string difference(const Json& there, const Json& asked, const std::string& name) {
  if (there == asked) return "";
  if (there.is_object() && asked.is_object()) {
    for (const auto& [key, value] : asked.items()) {
      const std::string path = name.empty() ? key : fmt::format("{}.{}", name, key);
      if (std::string found = difference(there.value(key, Json()), value, path); !found.empty())
        return found;
    }
  }
  if (there.is_structured() || asked.is_structured()) return name + " differs";
  return fmt::format("{} is {} there, {} asked for", name, dump_text(there), dump_text(asked));
}

/// What a file is of another run for.
std::string difference(const SafetensorsFile& file, const RunIdentity& asked) {
  if (!file.metadata().contains("settings"))  // as older versions wrote it
    return fmt::format("{} there, {} asked for", file.metadata("run"), asked.fingerprint);
  const std::string found = difference(parse_json(file.metadata("settings"), "settings"),
                                       parse_json(asked.settings, "settings"), "");
  return found.empty() ? "clips or features differ" : found;
}

}  // namespace

RunIdentity run_identity(const TrainingData& data, const Recipe& recipe, const RunOptions& run) {
  std::uint64_t hash = fnv1a(to_json(recipe));
  const auto add = [&](std::string_view bytes) { hash = fnv1a(bytes, hash); };
  add(fmt::format("{} {} {}", run.seed, run.stream, fingerprint(data.table.set)));
  for (const std::vector<int>* clips : {&data.train, &data.validation}) {
    add(fmt::format("{}", clips->size()));
    for (const int i : *clips) hash = hash_of_clip(data.table, i, hash);
  }
  const Json settings = {{"seed", run.seed}, {"recipe", parse_json(to_json(recipe), "recipe")}};
  return {fmt::format("{:016x}", hash), dump_text(settings)};
}

Checkpoint::Checkpoint(std::filesystem::path path, RunIdentity run, std::size_t members)
    : path_(std::move(path)), run_(std::move(run)), saved_(members, Clock::now()) {}

void Checkpoint::read() {
  const SafetensorsFile file(path_);
  with_context(path_.string(), [&] {
    if (file.metadata("format") != kFormat) fail("expected a checkpoint of ser-train");
    if (file.metadata("run") != run_.fingerprint)
      fail("this checkpoint is of a run with another recipe, seed or data: {}",
           difference(file, run_));
    for (std::size_t m = 0; m < saved_.size(); ++m)
      if (knows(file, m)) read_state(file, m);  // so that a damaged one is told now
  });
  is_there_ = true;
}

/// The file as this run left it; nothing if it never did, or if it is gone or another's meanwhile.
std::optional<SafetensorsFile> Checkpoint::kept() const {
  if (!is_there_) return std::nullopt;
  try {
    SafetensorsFile file(path_);
    if (file.metadata("run") == run_.fingerprint) return file;
  } catch (const Error&) {
  }
  return std::nullopt;
}

std::optional<TrainingState> Checkpoint::state(std::size_t member) {
  const std::lock_guard lock(mutex_);
  const std::optional<SafetensorsFile> file = kept();
  if (!file || !knows(*file, member)) return std::nullopt;
  return with_context(path_.string(), [&] { return read_state(*file, member); });
}

bool Checkpoint::due(std::size_t member) {
  const std::lock_guard lock(mutex_);
  return Clock::now() - saved_[member] >= kInterval;
}

void Checkpoint::save(std::size_t member, const MemberTraining& training) {
  const std::lock_guard lock(mutex_);
  const StateView state = training.state();
  saved_[member] = Clock::now();
  const std::optional<SafetensorsFile> before = kept();
  Content content{
      {{"format", std::string(kFormat)}, {"run", run_.fingerprint}, {"settings", run_.settings}},
      {}};
  for (std::size_t m = 0; m < saved_.size(); ++m) {
    if (m == member)
      content.add(m, state);
    else if (before && knows(*before, m))
      content.add(m, *before);
  }
  write_safetensors(path_, content.metadata, content.tensors);
  is_there_ = true;
}

}  // namespace ser
