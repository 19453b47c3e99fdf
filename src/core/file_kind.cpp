#include "ser/core/file_kind.h"

#include <fmt/format.h>

#include <array>
#include <fstream>

#include "core/internal/fail.h"

namespace ser {
namespace {

using Head = std::string_view;

bool has(Head head, std::string_view text) { return head.find(text) != Head::npos; }

/// A JSON object with a text near its beginning, as its format or a key.
bool is_json_of(Head head, std::string_view text) {
  return head.starts_with('{') && has(head, fmt::format("\"{}\"", text));
}

/// The size of a JSON header, of less than 4 GiB, then the header.
bool is_safetensors(Head head) {
  return head.size() > 8 && head.substr(4, 5) == Head("\0\0\0\0{", 5);
}

bool is_checkpoint(Head head) {
  return is_safetensors(head) && (has(head, "\"ser-checkpoint") || has(head, ".numbers\":"));
}

/// "0.5<tab>2.5<tab>angry".
bool is_labels(Head head) {
  const std::size_t start = head.find_first_not_of("0123456789.");
  return start > 0 && start != Head::npos && head[start] == '\t';
}

struct KindRow {
  FileKind kind;
  std::string_view name, maker;
  bool (*begins)(Head head);
};
constexpr std::string_view kOfExtract = " of ser-extract", kOfTrain = " of ser-train",
                           kOfEval = " of ser-eval", kOfPredict = " of ser-predict";
constexpr std::array<KindRow, 17> kKinds = {{
    // in the order of FileKind; what begins like several is the first of them
    {FileKind::kFeatures, "a feature file", kOfExtract,
     [](Head h) { return is_safetensors(h) && !is_checkpoint(h); }},
    {FileKind::kFeatureIndex, "an index of features", kOfExtract,
     [](Head h) { return is_json_of(h, "ser-features-index-1"); }},
    {FileKind::kTable, "a table of features (CSV)", kOfExtract,
     [](Head h) {
       return h.starts_with("path,corpus,emotion,gender,speaker,intensity,statement,");
     }},
    {FileKind::kCheckpoint, "a checkpoint", kOfTrain, is_checkpoint},
    {FileKind::kModel, "a model", kOfTrain, [](Head h) { return is_json_of(h, "ser-model"); }},
    {FileKind::kVoice, "a kept voice", kOfPredict,
     [](Head h) { return is_json_of(h, "ser-voice"); }},
    {FileKind::kSearch, "the file of a search", kOfTrain,
     [](Head h) { return is_json_of(h, "ser-search-1"); }},
    {FileKind::kResult, "a result file", kOfEval,
     [](Head h) { return is_json_of(h, "accuracy") && is_json_of(h, "uar"); }},
    {FileKind::kSpace, "the space of a search", "", [](Head h) { return is_json_of(h, "fields"); }},
    {FileKind::kRecipe, "a recipe", "",
     [](Head h) {
       return (is_json_of(h, "description") || is_json_of(h, "network")) && !has(h, "\"format\"");
     }},
    {FileKind::kPage, "a page (HTML)", "", [](Head h) { return h.starts_with("<!DOCTYPE html"); }},
    {FileKind::kPicture, "a picture (SVG or PNG)", "",
     [](Head h) { return (h.starts_with('<') && has(h, "<svg")) || h.starts_with("\x89PNG"); }},
    {FileKind::kOnnx, "an ONNX file", kOfTrain,
     [](Head h) { return h.size() > 2 && h[0] == 8 && h[2] == 0x12; }},  // its first fields
    {FileKind::kRecording, "a WAV file", "",
     [](Head h) { return h.starts_with("RIFF") && h.substr(0, 12).ends_with("WAVE"); }},
    {FileKind::kSound, "a recording", "",
     [](Head h) { return h.starts_with("fLaC") || h.starts_with("OggS") || h.starts_with("ID3"); }},
    {FileKind::kLabels, "a file of labels", kOfPredict, is_labels},
    {FileKind::kSubtitles, "a file of subtitles", kOfPredict,
     [](Head h) { return has(h, " --> "); }},
}};

const KindRow& row_of(FileKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

std::string full_name(const KindRow& row) { return fmt::format("{}{}", row.name, row.maker); }

}  // namespace

std::string_view name_of(FileKind kind) { return row_of(kind).name; }

bool begins_like(FileKind kind, std::string_view head) { return row_of(kind).begins(head); }

std::string head_of(const std::filesystem::path& file) {
  std::string head(512, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(head.data(), head.size());
  head.resize(stream.gcount());
  return head;
}

std::optional<std::string> known_kind(std::string_view head) {
  for (const KindRow& row : kKinds)
    if (row.begins(head)) return full_name(row);
  return std::nullopt;
}

void expect_kind(const std::filesystem::path& file, FileKind wanted) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(file, none)) return;  // a pipe is read once
  const std::string head = head_of(file);
  if (begins_like(wanted, head)) return;
  if (const auto found = known_kind(head))
    fail("{}: expected {}, found {}", file.string(), full_name(row_of(wanted)), *found);
}

}  // namespace ser
