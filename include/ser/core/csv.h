#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ser {

/// One record of a CSV file.
struct CsvRecord {
  std::size_t line = 0;  ///< where it starts, counted from 1
  std::vector<std::string> cells;
};

/// The records of CSV text (RFC 4180): cells between separators, quoted where they hold a
/// separator, quote or line break. LF and CRLF end a record; a byte order mark and empty lines are
/// passed over. Throws Error, naming the line, for a quote that is not closed or is followed by
/// text.
std::vector<CsvRecord> parse_csv(std::string_view text, char separator = ',');

/// `text` as one CSV cell, quoted if it must be.
std::string csv_cell(std::string_view text);

}  // namespace ser
