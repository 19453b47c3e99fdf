#include "ser/corpus/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "core/internal/fail.h"
#include "corpus/columns.h"
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

/// The one clip that a name means, if any: that of this path, else of this file name. Throws Error
/// if it fits several.
std::optional<std::size_t> clip_named(const std::string& name, const ClipsByName& by_name,
                                      const std::vector<Utterance>& clips) {
  const auto [begin, end] = by_name.equal_range(name);
  if (begin == end) return std::nullopt;
  for (auto clip = begin; clip != end; ++clip)
    if (clips[clip->second].path == name) return clip->second;
  if (std::next(begin) != end)
    fail("'{}' fits {} and {}: expected the path of one of them", name, clips[begin->second].path,
         clips[std::next(begin)->second].path);
  return begin->second;
}

/// Throws Error for a column that is none of the usual emotions nor one of the clips.
void check_votes_column(const std::string& column, const std::vector<std::string>& labels) {
  const std::string emotion = voted_emotion(column);
  if (is_votes_column(column) || unusual_emotions({emotion}).empty() ||
      std::ranges::find(labels, emotion) != labels.end())
    return;
  fail(
      "column '{}': expected an emotion, found none of the usual ones or of the recordings; "
      "'votes_{}' would be one all the same",
      column, column);
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
    const auto holds_votes = [](const std::string& column) {
      return !names_clip(column) && !is_index_column(column);
    };
    const std::vector<std::string> labels = emotion_labels(clips);
    for (const std::string& column : columns)
      if (holds_votes(column)) check_votes_column(column, labels);
    const ClipsByName by_name = clips_by_name(clips);
    std::map<std::size_t, std::size_t> lines;  // by clip
    JoinedVotes joined;
    for (const CsvRecord& record : std::span(records).subspan(1))
      with_context(fmt::format("line {}", record.line), [&] {
        if (record.cells.size() < columns.size())
          fail("expected {} cells, found {}", columns.size(), record.cells.size());
        Utterance row;
        for (std::size_t i = 0; i < columns.size(); ++i)
          if (holds_votes(columns[i]))
            add_votes(row, voted_emotion(columns[i]), trim(record.cells[i]), columns[i]);
        const std::size_t at = name_column - columns.begin();
        const std::string name(trim(record.cells[at]));
        const std::optional<std::size_t> clip = clip_named(name, by_name, clips);
        if (!clip) {
          joined.unknown.push_back(name);
          return;
        }
        const auto [first, is_new] = lines.emplace(*clip, record.line);
        if (!is_new)
          fail("expected each clip once, found '{}' in line {}, too", name, first->second);
        clips[*clip].votes = std::move(row.votes);
      });
    joined.clips = std::count_if(clips.begin(), clips.end(),
                                 [](const Utterance& clip) { return !clip.votes.empty(); });
    return joined;
  });
}

}  // namespace ser
