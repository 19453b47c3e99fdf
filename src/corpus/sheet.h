#pragma once

#include <filesystem>
#include <vector>

#include "ser/core/csv.h"

namespace ser {

/// The records of a CSV file as spreadsheets and pandas write it: in UTF-8 or, with a byte order
/// mark, UTF-16; separated by commas, semicolons or tabs, whichever the header has most of, or by
/// what a first line `sep=;` says; lines ended by LF, CRLF or CR. Records without any text are
/// passed over. Throws Error, saying how to save it, for another encoding or a spreadsheet file.
std::vector<CsvRecord> read_sheet(const std::filesystem::path& path);

/// True for the name that a column of row numbers has: none, or pandas' "Unnamed: 0".
bool is_index_column(std::string_view name);

}  // namespace ser
