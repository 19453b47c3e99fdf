#pragma once

#include <filesystem>
#include <string>

#include "ser/eval/search.h"

namespace ser::report {

/// A search as one HTML page that needs no other file and no network: the flattered score beside
/// the nested one, what mattered, how the best score grew with the trials, and the best of them.
/// Its figures are those of `search_json`, which it carries in the element with the id "figures".
std::string search_html(const SearchResult& result);

/// Writes the page, the file whole or not at all.
void write_search_report(const std::filesystem::path& path, const SearchResult& result);

}  // namespace ser::report
