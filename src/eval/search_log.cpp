#include "eval/search_log.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "core/internal/fail.h"
#include "core/internal/json_io.h"
#include "eval/internal/results.h"
#include "ser/core/atomic_file.h"

namespace ser {
namespace {

constexpr std::string_view kFormat = "ser-search-1";
constexpr std::chrono::seconds kInterval{10};

/// NaN becomes null, with the reason behind it.
Json row_of(const ScoredUnit& scored) {
  const SearchUnit& unit = scored.unit;
  Json row = Json::array({unit.search, unit.rung, unit.trial, unit.fold, scored.uar});
  if (!scored.failure.empty()) row.push_back(scored.failure);
  return row;
}

std::vector<ScoredUnit> units_in(const Json& rows) {
  std::vector<ScoredUnit> scored;
  for (const Json& row : rows) {
    const bool fits =
        row.is_array() && (row.size() == 5 || (row.size() == 6 && row[5].is_string())) &&
        row[0].is_number_integer() && row[1].is_number_integer() && row[2].is_number_integer() &&
        row[3].is_number_integer() && (row[4].is_number() || row[4].is_null());
    if (!fits) fail("expected a scored training, found {}", dump_text(row));
    scored.push_back(
        {{row[0].get<int>(), row[1].get<int>(), row[2].get<int>(), row[3].get<int>()},
         row[4].is_null() ? std::numeric_limits<double>::quiet_NaN() : row[4].get<double>(),
         row.size() > 5 ? row[5].get<std::string>() : ""});
  }
  return scored;
}

/// "search.json.2-of-8" beside "search.json".
bool is_shard_of(std::string_view name, std::string_view file) {
  if (!name.starts_with(file) || name.size() == file.size()) return false;
  name.remove_prefix(file.size());
  return name.starts_with('.') && name.find("-of-") != std::string_view::npos &&
         name.find_first_not_of("0123456789-of", 1) == std::string_view::npos;
}

}  // namespace

std::string to_text(const std::vector<ScoredUnit>& scored) {
  Json rows = Json::array();
  for (const ScoredUnit& unit : scored) rows.push_back(row_of(unit));
  return dump_text(rows);
}

std::vector<ScoredUnit> units_of(std::string_view text) {
  return units_in(parse_json(text, "scored trainings"));
}

SearchLog::SearchLog(std::filesystem::path file, const std::string& suffix, std::string run)
    : file_(std::move(file)), run_(std::move(run)), written_(file_) {
  written_ += suffix;
}

std::vector<std::filesystem::path> search_files(const std::filesystem::path& file) {
  std::vector<std::filesystem::path> files;
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const std::string name = file.filename().string();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string found = entry.path().filename().string();
    if (found == name || is_shard_of(found, name)) files.push_back(entry.path());
  }
  return files;
}

void SearchLog::read() {
  for (const std::filesystem::path& path : search_files(file_)) read_one(path);
}

void SearchLog::read_one(const std::filesystem::path& path) {
  const std::string text = read_file(path, kMaxResultBytes);
  with_context(path.string(), [&] {
    const Json json = parse_json(text, "search");
    if (!json.is_object() || json.value("format", Json()) != kFormat)
      fail("expected the file of a search");
    if (text_at(json, "run") != run_)
      fail(
          "expected the search with this recipe, space, folds, seed and data ({}), found another "
          "({})",
          run_, text_at(json, "run"));
    add(units_in(list_at(json, "scores")));
  });
}

void SearchLog::add(const std::vector<ScoredUnit>& scored) {
  for (const ScoredUnit& one : scored) scores_[one.unit] = one;
}

void SearchLog::save_if_due() {
  if (Clock::now() - saved_ >= kInterval) save();
}

std::string SearchLog::text(const std::string& result) const {
  std::string rows;
  for (const auto& [unit, scored] : scores_)
    rows += fmt::format("{}\n    {}", rows.empty() ? "" : ",", dump_text(row_of(scored)));
  return fmt::format(
      "{{\n  \"format\": \"{}\",\n  \"run\": \"{}\",\n{}  \"scores\": [{}\n  ]\n}}\n", kFormat,
      run_, result, rows);
}

void SearchLog::save() {
  saved_ = Clock::now();
  if (!file_.empty()) write_file(written_, text(""));
}

void SearchLog::finish(const SearchResult& result) const {
  if (!file_.empty()) write_file(written_, text("  \"result\": " + search_json(result) + ",\n"));
}

std::string search_json(const SearchResult& result) {
  Json trials = Json::array();
  for (std::size_t t = 0; t < result.trials.size(); ++t) {
    Json values = Json::object();
    for (std::size_t f = 0; f < result.space.fields.size(); ++f)
      values[result.space.fields[f].path] = parse_json(result.trials[t].values[f], "value");
    trials.push_back({{"trial", t}, {"values", std::move(values)}, {"uar", result.trials[t].uar}});
    if (!result.trials[t].failure.empty()) trials.back()["failure"] = result.trials[t].failure;
  }
  Json outer = Json::array();
  for (const OuterScore& fold : result.outer)
    outer.push_back({{"fold", fold.fold},
                     {"best", fold.best},
                     {"inner_uar", fold.inner_uar},
                     {"uar", fold.uar}});
  const std::vector<double> shares = importance(result);
  Json explains = Json::object();
  for (std::size_t f = 0; f < shares.size(); ++f) explains[result.space.fields[f].path] = shares[f];
  const Json json = {{"best", result.best},
                     {"flattered_uar", result.flattered_uar},
                     {"nested", result.nested ? result_figures(*result.nested) : Json()},
                     {"network_epochs", result.network_epochs},
                     {"epochs", result.epochs},
                     {"importance", std::move(explains)},
                     {"outer", std::move(outer)},
                     {"trials", std::move(trials)}};
  return dump_text(json);
}

}  // namespace ser
