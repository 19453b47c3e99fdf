#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "ser/core/csv.h"
#include "ser/corpus/utterance.h"

namespace ser {

/// The records of a CSV file as spreadsheets and pandas write it: in UTF-8 or, with a byte order
/// mark, UTF-16; separated by commas, semicolons or tabs, whichever the header has most of, or by
/// what a first line `sep=;` says; lines ended by LF, CRLF or CR. Records without any text are
/// passed over. Throws Error, saying how to save it, for another encoding or a spreadsheet file.
std::vector<CsvRecord> read_sheet(const std::filesystem::path& path);

/// True for the name that a column of row numbers has: none, or pandas' "Unnamed: 0".
bool is_index_column(std::string_view name);

/// True for "votes_angry" and the like.
bool is_votes_column(std::string_view name);

/// The emotion of a column of votes, with or without "votes_" before it. Throws Error for none.
std::string voted_emotion(std::string_view name);

/// Adds the number in a cell to the clip's votes; an empty cell adds none. Throws Error, naming the
/// column, for what is no number or less than 0.
void add_votes(Utterance& clip, const std::string& emotion, std::string_view cell,
               std::string_view column);

}  // namespace ser
