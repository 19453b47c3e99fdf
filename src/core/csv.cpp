#include "ser/core/csv.h"

#include <algorithm>

#include "core/internal/fail.h"

namespace ser {
namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, char separator) : text_(text), separator_(separator) {}

  bool done() const { return at_ == text_.size(); }

  CsvRecord record() {
    CsvRecord record{line_, {}};
    do record.cells.push_back(peek('"') ? quoted_cell() : plain_cell());
    while (take(separator_));
    take('\r');
    if (take('\n')) ++line_;
    return record;
  }

 private:
  bool peek(char c) const { return !done() && text_[at_] == c; }
  bool take(char c) {
    if (!peek(c)) return false;
    ++at_;
    return true;
  }

  std::string plain_cell() {
    const std::size_t end =
        std::min(text_.find_first_of(std::string{separator_, '\n'}, at_), text_.size());
    std::string cell(text_.substr(at_, end - at_));
    at_ = end;
    if (cell.ends_with('\r') && (done() || peek('\n'))) cell.pop_back();
    return cell;
  }

  std::string quoted_cell() {
    const std::size_t first_line = line_;
    std::string cell;
    ++at_;
    while (!done()) {
      const char c = text_[at_++];
      if (c == '"' && !take('"')) {
        if (!done() && !peek(separator_) && !peek('\n') && !peek('\r'))
          fail("line {}: expected {} after the closing quote", line_,
               separator_ == ',' ? "a comma" : "a separator");
        return cell;
      }
      if (c == '\n') ++line_;
      cell.push_back(c);
    }
    fail("line {}: the quote is never closed", first_line);
  }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<CsvRecord> parse_csv(std::string_view text, char separator) {
  std::vector<CsvRecord> records;
  for (CsvReader reader(text, separator); !reader.done();) {
    CsvRecord record = reader.record();
    const bool blank = record.cells.size() == 1 && record.cells.front().empty();
    if (!blank) records.push_back(std::move(record));
  }
  return records;
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) {
    if (c == '"') cell.push_back('"');
    cell.push_back(c);
  }
  return cell + '"';
}

}  // namespace ser
