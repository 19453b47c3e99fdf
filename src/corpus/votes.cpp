#include "ser/corpus/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "core/internal/fail.h"
#include "corpus/sheet.h"
#include "corpus/votes_column.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr std::string_view kPrefix = "votes_";

using ClipsByName = std::multimap<std::string, std::size_t>;

ClipsByName clips_by_name(const std::vector<Utterance>& clips) {
  ClipsByName by_name;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const std::filesystem::path path = clips[i].path;
    for (const std::string& name :
         std::set{clips[i].path, path.filename().string(), path.stem().string()})
      by_name.emplace(name, i);
  }
  return by_name;
}

bool names_clip(std::string_view column) { return column == "clip" || column == "path"; }

}  // namespace

bool is_votes_column(std::string_view name) { return name.starts_with(kPrefix); }

std::string voted_emotion(std::string_view name) {
  const std::string_view word = is_votes_column(name) ? name.substr(kPrefix.size()) : name;
  std::string emotion = canonical_emotion(word);
  if (emotion.empty()) fail("column '{}': expected votes_EMOTION, found no emotion", name);
  return emotion;
}

void add_votes(Utterance& clip, const std::string& emotion, std::string_view cell,
               std::string_view column) {
  if (cell.empty()) return;
  const double votes = parse_double(cell, column);
  constexpr double kMostListeners = 1e9;
  if (votes < 0 || votes > kMostListeners)
    fail("{}: expected a number of listeners, found '{}'", column, cell);
  if (votes > 0) clip.votes[emotion] += votes;
}

JoinedVotes join_votes(std::vector<Utterance>& clips, const std::filesystem::path& file) {
  return with_context(file.string(), [&] {
    const std::vector<CsvRecord> records = read_sheet(file);
    if (records.empty()) fail("expected a header 'clip,neutral,...', found an empty file");
    std::vector<std::string> columns;
    for (const std::string& cell : records.front().cells) columns.push_back(to_lower(trim(cell)));
    const auto name_column = std::find_if(columns.begin(), columns.end(), names_clip);
    if (name_column == columns.end())
      fail("expected a column 'clip' or 'path', found {}", some_of(columns, 8));
    const ClipsByName by_name = clips_by_name(clips);
    JoinedVotes joined;
    for (const CsvRecord& record : std::span(records).subspan(1))
      with_context(fmt::format("line {}", record.line), [&] {
        if (record.cells.size() < columns.size())
          fail("expected {} cells, found {}", columns.size(), record.cells.size());
        Utterance row;
        for (std::size_t i = 0; i < columns.size(); ++i)
          if (!names_clip(columns[i]) && !is_index_column(columns[i]))
            add_votes(row, voted_emotion(columns[i]), trim(record.cells[i]), columns[i]);
        const std::size_t at = name_column - columns.begin();
        const std::string name(trim(record.cells[at]));
        const auto [begin, end] = by_name.equal_range(name);
        if (begin == end) joined.unknown.push_back(name);
        for (auto clip = begin; clip != end; ++clip) clips[clip->second].votes = row.votes;
      });
    joined.clips = std::count_if(clips.begin(), clips.end(),
                                 [](const Utterance& clip) { return !clip.votes.empty(); });
    return joined;
  });
}

}  // namespace ser
