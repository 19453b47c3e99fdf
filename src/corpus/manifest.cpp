#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "corpus/clip_table.h"
#include "ser/core/atomic_file.h"
#include "ser/core/csv.h"
#include "ser/core/error.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxBytes = 256u << 20;

using Column = ClipField;

/// All but `augmentation`: a manifest lists recordings, not changed copies.
constexpr auto kColumns = kLabelFields.first<kLabelFields.size() - 1>();
static_assert(kLabelFields.back().name == "augmentation");

const Column& find_column(std::string_view name) {
  for (const Column& column : kColumns)
    if (column.name == name) return column;
  std::vector<std::string_view> names;
  for (const Column& column : kColumns) names.push_back(column.name);
  throw Error(fmt::format("unknown column '{}': expected {}{}", name, fmt::join(names, ", "),
                          did_you_mean(name, std::span<const std::string_view>(names))));
}

std::vector<Column> read_header(const CsvRecord& header) {
  std::vector<Column> columns;
  for (const std::string& cell : header.cells) {
    const Column& column = find_column(to_lower(trim(cell)));
    for (const Column& earlier : columns)
      if (earlier.name == column.name)
        throw Error(fmt::format("column '{}' is there twice", column.name));
    columns.push_back(column);
  }
  if (std::none_of(columns.begin(), columns.end(),
                   [](const Column& c) { return c.name == "path"; }))
    throw Error("expected a column 'path', found none");
  return columns;
}

std::string parse_gender(const std::string& text) {
  const std::string lower = to_lower(text);
  if (lower.empty() || lower == "male" || lower == "female") return lower;
  if (lower == "m") return "male";
  if (lower == "f") return "female";
  throw Error(fmt::format("gender: expected male or female, found '{}'", text));
}

Utterance read_row(const CsvRecord& record, const std::vector<Column>& columns) {
  if (record.cells.size() != columns.size())
    throw Error(fmt::format("expected {} cells, found {}", columns.size(), record.cells.size()));
  Utterance clip;
  for (std::size_t i = 0; i < columns.size(); ++i)
    clip.*columns[i].field = std::string(trim(record.cells[i]));
  if (clip.path.empty()) throw Error("expected a path, found an empty cell");
  for (const Column& column : columns)
    if (!is_utf8(clip.*column.field)) throw Error(fmt::format("{}: not UTF-8", column.name));
  clip.gender = parse_gender(clip.gender);
  clip.emotion = canonical_emotion(clip.emotion);
  return clip;
}

}  // namespace

Corpus read_manifest(const std::filesystem::path& path) {
  return with_context(path.string(), [&] {
    Corpus corpus{"manifest",
                  path.has_parent_path() ? path.parent_path() : std::filesystem::path("."),
                  {},
                  {}};
    const std::vector<CsvRecord> records = parse_csv(read_file(path, kMaxBytes));
    if (records.empty()) throw Error("expected a header 'path,emotion,...', found an empty file");
    const std::vector<Column> columns = read_header(records.front());
    std::map<std::string, std::size_t> lines;
    for (const CsvRecord& record : std::span(records).subspan(1)) {
      with_context(fmt::format("line {}", record.line), [&] {
        Utterance clip = read_row(record, columns);
        const auto [earlier, is_new] = lines.emplace(clip.path, record.line);
        if (!is_new)
          throw Error(fmt::format("'{}' is on line {} already", clip.path, earlier->second));
        corpus.utterances.push_back(std::move(clip));
      });
    }
    if (corpus.utterances.empty()) throw Error("expected a line a clip, found only the header");
    std::sort(corpus.utterances.begin(), corpus.utterances.end(),
              [](const Utterance& a, const Utterance& b) { return a.path < b.path; });
    return corpus;
  });
}

}  // namespace ser
