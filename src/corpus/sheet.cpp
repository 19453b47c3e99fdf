#include "corpus/columns.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/internal/fail.h"
#include "ser/core/atomic_file.h"
#include "ser/core/text.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxBytes = 256u << 20;
constexpr std::string_view kCure = "save it as 'CSV UTF-8'";

void append_utf8(std::string& text, std::uint32_t point) {
  if (point < 0x80) {
    text += static_cast<char>(point);
    return;
  }
  const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  const std::uint32_t lead = more == 1 ? 0xc0 : more == 2 ? 0xe0 : 0xf0;
  text += static_cast<char>(lead | point >> (6 * more));
  for (int k = more - 1; k >= 0; --k) text += static_cast<char>(0x80 | (point >> (6 * k) & 0x3f));
}

/// UTF-16 as UTF-8; half a surrogate pair comes out as bytes that are not UTF-8.
/// high: the index of the more significant byte of each unit.
std::string from_utf16(std::string_view bytes, std::size_t high) {
  const auto unit = [&](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(bytes[i + high]) << 8 |
           static_cast<unsigned char>(bytes[i + 1 - high]);
  };
  std::string text;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint32_t point = unit(i);
    if (point >= 0xd800 && point < 0xdc00 && i + 3 < bytes.size()) {
      i += 2;
      point = 0x10000 + ((point - 0xd800) << 10) + (unit(i) - 0xdc00);
    }
    append_utf8(text, point & 0x1fffff);
  }
  return text;
}

std::string as_utf8(std::string bytes) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (bytes.starts_with("PK\x03\x04"))
    fail("expected CSV text, found a spreadsheet file; {}", kCure);
  if (bytes.starts_with("\xFF\xFE")) bytes = from_utf16(std::string_view(bytes).substr(2), 1);
  if (bytes.starts_with("\xFE\xFF")) bytes = from_utf16(std::string_view(bytes).substr(2), 0);
  if (bytes.starts_with(kMark)) bytes.erase(0, kMark.size());
  if (bytes.find('\0') != std::string::npos) fail("expected CSV text, found zero bytes; {}", kCure);
  if (!is_utf8(bytes)) fail("expected text in UTF-8, found another encoding; {}", kCure);
  return bytes;
}

/// The separator that the first line has most of, outside quotes.
char separator_of(std::string_view line) {
  constexpr std::string_view kSeparators = ",;\t";
  std::array<std::size_t, kSeparators.size()> counts{};
  bool quoted = false;
  for (const char c : line) {
    quoted ^= c == '"';
    if (const std::size_t k = kSeparators.find(c); !quoted && k != kSeparators.npos) ++counts[k];
  }
  return kSeparators[std::max_element(counts.begin(), counts.end()) - counts.begin()];
}

bool has_text(const CsvRecord& record) {
  return std::any_of(record.cells.begin(), record.cells.end(),
                     [](const std::string& cell) { return !trim(cell).empty(); });
}

}  // namespace

std::vector<CsvRecord> read_sheet(const std::filesystem::path& path) {
  std::string text = as_utf8(read_file(path, kMaxBytes));
  const std::size_t line_end = text.find_first_of("\r\n");
  if (line_end != text.npos && text[line_end] == '\r' && text.substr(line_end + 1, 1) != "\n")
    std::replace(text.begin(), text.end(), '\r', '\n');  // as old Macs end lines
  std::string_view first = std::string_view(text).substr(0, text.find('\n'));
  if (first.ends_with('\r')) first.remove_suffix(1);
  char separator = separator_of(first);
  if (to_lower(first).starts_with("sep=") && first.size() == 5) {
    separator = first[4];
    text.erase(0, first.size());  // the line break stays, and with it the count of lines
  }
  std::vector<CsvRecord> records = parse_csv(text, separator);
  std::erase_if(records, [](const CsvRecord& record) { return !has_text(record); });
  return records;
}

bool is_index_column(std::string_view name) {
  const std::string lower = to_lower(trim(name));
  return lower.empty() || lower.starts_with("unnamed:");
}

}  // namespace ser
