#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <span>

#include "core/internal/fail.h"
#include "corpus/clip_table.h"
#include "corpus/columns.h"
#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"
#include "ser/corpus/audio_files.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/speaker.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

/// All but `augmentation`: a manifest lists recordings, not changed copies.
constexpr auto kColumns = kLabelFields.first<kLabelFields.size() - 1>();
static_assert(kLabelFields.back().name == "augmentation");
constexpr std::size_t kColumnsThatMatter = 5;  ///< path, corpus, emotion, gender, speaker

/// What the cells of a column are: a field of the clip, votes for an emotion, or nothing of ours.
struct Column {
  std::string name;
  std::string Utterance::*field = nullptr;
  std::string voted;

  bool is_used() const { return field || !voted.empty(); }
};

/// What sheets call a column of ours, understood where none has our name for it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kOtherNames = {
    {{"file", "path"},
     {"filename", "path"},
     {"file_name", "path"},
     {"filepath", "path"},
     {"file_path", "path"},
     {"emotions", "emotion"},
     {"label", "emotion"},
     {"speaker_id", "speaker"},
     {"speaker id", "speaker"},
     {"actor", "speaker"},
     {"subject", "speaker"},
     {"sex", "gender"}}};

std::string_view our_name(std::string_view name) {
  const auto* const other =
      std::ranges::find(kOtherNames, name, &std::pair<std::string_view, std::string_view>::first);
  return other == kOtherNames.end() ? name : other->second;
}

/// The columns' names, one a cell: ours for the first column that is called otherwise.
std::vector<std::string> names_of(const std::vector<std::string>& cells) {
  std::vector<std::string> names;
  for (const std::string& cell : cells) names.push_back(to_lower(trim(cell)));
  std::set<std::string, std::less<>> taken(names.begin(), names.end());
  for (std::string& name : names)
    if (!taken.contains(our_name(name))) taken.insert(name = our_name(name));
  return names;
}

Column read_column(const std::string& name) {
  Column column{name, nullptr, ""};
  if (our_name(name) != name) return column;
  if (is_index_column(column.name)) return column;
  for (const ClipField& known : kColumns)
    if (known.name == column.name) column.field = known.field;
  if (is_votes_column(column.name)) column.voted = voted_emotion(column.name);
  return column;
}

/// The columns that matter and are not there.
std::vector<std::string_view> missing_columns(const std::vector<std::string>& names) {
  std::vector<std::string_view> missing;
  for (const ClipField& known : kColumns.first<kColumnsThatMatter>())
    if (std::ranges::find(names, known.name) == names.end()) missing.push_back(known.name);
  return missing;
}

/// Throws Error for a name that is nearly one of those missing.
void check_spelling(const std::string& name, const std::vector<std::string_view>& missing) {
  const std::string nearest = did_you_mean(name, std::span(missing));
  if (nearest.empty()) return;
  std::vector<std::string_view> all;
  for (const ClipField& known : kColumns) all.push_back(known.name);
  fail("unknown column '{}': expected {}, votes_EMOTION{}", name, fmt::join(all, ", "), nearest);
}

bool has_column(const std::vector<Column>& columns, std::string Utterance::*field) {
  return std::ranges::find(columns, field, &Column::field) != columns.end();
}

std::vector<Column> read_header(const CsvRecord& header) {
  std::vector<Column> columns;
  const std::vector<std::string> names = names_of(header.cells);
  const std::vector<std::string_view> missing = missing_columns(names);
  std::set<std::string> used;
  for (const std::string& name : names) {
    const Column& column = columns.emplace_back(read_column(name));
    if (!column.is_used())
      check_spelling(name, missing);
    else if (!used.insert(name).second)
      fail("column '{}' is there twice", name);
  }
  if (!has_column(columns, &Utterance::path))
    fail(
        "expected a header with a column 'path', and emotion, speaker, gender as far as known, "
        "found {}; of a corpus that is known, give the folder instead",
        some_of(names, 8));
  return columns;
}

/// The columns that are not read, and how the one is called that should have been among them.
std::string describe_unused(const std::vector<Column>& columns) {
  std::vector<std::string> unused;
  for (const Column& column : columns)
    if (!column.is_used() && !is_index_column(column.name)) unused.push_back(column.name);
  if (unused.empty()) return "";
  const bool has_classes = std::ranges::any_of(columns, [](const Column& column) {
    return column.field == &Utterance::emotion || !column.voted.empty();
  });
  return fmt::format("columns that mean nothing here ({}{})", some_of(unused, 8),
                     has_classes ? "" : "; the one with the classes is to be called emotion");
}

/// Throws Error unless the record has a cell a column; empty cells behind them do no harm.
void check_width(const CsvRecord& record, std::size_t width) {
  const auto& cells = record.cells;
  const bool spare =
      std::any_of(cells.begin() + static_cast<std::ptrdiff_t>(std::min(width, cells.size())),
                  cells.end(), [](const std::string& c) { return !c.empty(); });
  if (cells.size() < width || spare) fail("expected {} cells, found {}", width, cells.size());
}

/// A path as Windows writes it, unless a file is called so.
std::string with_slashes(std::string path, const fs::path& folder) {
  std::error_code error;
  if (path.find('\\') != std::string::npos && !fs::exists(folder / path, error))
    std::ranges::replace(path, '\\', '/');
  return path;
}

Utterance read_row(const CsvRecord& record, const std::vector<Column>& columns,
                   const fs::path& folder) {
  check_width(record, columns.size());
  Utterance clip;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string_view cell = trim(record.cells[i]);
    if (columns[i].field) clip.*columns[i].field = std::string(cell);
    if (!columns[i].voted.empty()) add_votes(clip, columns[i].voted, cell, columns[i].name);
  }
  constexpr std::size_t kLongestPath = 4096;  // that the system takes
  if (clip.path.empty()) fail("expected a path, found an empty cell");
  if (clip.path.size() > kLongestPath)
    fail("expected a path of at most {} bytes, found one of {}", kLongestPath, clip.path.size());
  clip.path = fs::path(with_slashes(clip.path, folder)).lexically_normal().string();
  clip.gender = canonical_gender(clip.gender);
  clip.emotion = canonical_emotion(clip.emotion);
  clip.speaker = says_nothing(clip.speaker) ? "" : canonical_speaker(clip.speaker);
  if (says_nothing(clip.corpus)) clip.corpus.clear();
  const std::string lower = to_lower(clip.corpus);
  if (std::ranges::any_of(corpus_parsers(), [&](const auto& kind) { return kind.name == lower; }))
    clip.corpus = lower;
  return clip;
}

/// The deepest folder that holds both.
fs::path common_folder(const fs::path& a, const fs::path& b) {
  fs::path common;
  for (auto i = a.begin(), k = b.begin(); i != a.end() && k != b.end() && *i == *k; ++i, ++k)
    common /= *i;
  return common;
}

/// Makes absolute paths relative, as what is made of a corpus tells nothing of the machine: to the
/// manifest's folder or, where they lead out of it, to the deepest one that holds all recordings.
void make_relative(Corpus& corpus) {
  const auto is_absolute = [](const Utterance& clip) { return fs::path(clip.path).is_absolute(); };
  if (std::none_of(corpus.utterances.begin(), corpus.utterances.end(), is_absolute)) return;
  const fs::path folder = (fs::absolute(corpus.root) / "").lexically_normal().parent_path();
  const auto file = [&](const Utterance& clip) { return (folder / clip.path).lexically_normal(); };
  corpus.root = file(corpus.utterances.front()).parent_path();
  for (const Utterance& clip : corpus.utterances)
    corpus.root = common_folder(corpus.root, file(clip).parent_path());
  if (common_folder(corpus.root, folder) == folder) corpus.root = folder;
  for (Utterance& clip : corpus.utterances)
    clip.path = file(clip).lexically_relative(corpus.root).generic_string();
}

}  // namespace

Corpus read_manifest(const fs::path& path) {
  return with_context(path.string(), [&] {
    Corpus corpus{
        "manifest", path.has_parent_path() ? path.parent_path() : fs::path("."), {}, {}, {}};
    const std::vector<CsvRecord> records = read_sheet(path);
    if (records.empty()) fail("expected a header 'path,emotion,...', found an empty file");
    const std::vector<Column> columns = read_header(records.front());
    if (std::string unused = describe_unused(columns); !unused.empty())
      corpus.lost.push_back(std::move(unused));
    const std::string folder = folder_name(corpus.root);
    std::map<std::string, std::size_t> lines;
    for (const CsvRecord& record : std::span(records).subspan(1)) {
      with_context(fmt::format("line {}", record.line), [&] {
        Utterance clip = read_row(record, columns, corpus.root);
        if (clip.corpus.empty() && !clip.speaker.empty()) clip.corpus = folder;
        const auto [earlier, is_new] = lines.emplace(clip.path, record.line);
        if (!is_new) fail("'{}' is on line {} already", clip.path, earlier->second);
        corpus.utterances.push_back(std::move(clip));
      });
    }
    if (corpus.utterances.empty()) fail("expected a line a clip, found only the header");
    make_relative(corpus);
    std::sort(corpus.utterances.begin(), corpus.utterances.end(),
              [](const Utterance& a, const Utterance& b) { return a.path < b.path; });
    return corpus;
  });
}

}  // namespace ser
