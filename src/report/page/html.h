#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "ser/eval/metrics.h"

namespace ser::report {

/// `text` for use in HTML, in an element or a quoted attribute.
std::string escape(std::string_view text);

/// "60.2 %"
std::string percent(double share);
/// "1,200"
std::string grouped(std::int64_t number);
/// "1 clip", "1,200 clips"
std::string counted(std::int64_t number, std::string_view noun);

/// A number as a reader sees it, with the exact one beside it for whoever reads the page by
/// program: <data class="name" value="0.6020833">60.2 %</data>. name: letters and dashes; may be
/// empty.
std::string figure(std::string_view name, double value, const std::string& text);
/// The figure of a share, "60.2 %", and of a number of things, "1,200".
std::string share_figure(std::string_view name, double share);
std::string count_figure(std::string_view name, std::int64_t number);
/// "57.1 to 63.0", per cent.
std::string range_text(const Interval& shares);

/// A headline number. Parts are HTML.
struct Tile {
  std::string label;
  std::string value;
  std::string note;
};
std::string tiles(const std::vector<Tile>& tiles);

/// A part of a page: heading (text), then a sentence on how to read it and the content (HTML).
std::string section(std::string_view heading, const std::string& note, const std::string& content);

/// A picture or table (HTML) under its caption (text).
std::string figure_block(std::string_view caption, const std::string& content);

/// Blocks side by side where there is room.
std::string side_by_side(const std::vector<std::string>& blocks);

/// A table of texts; the columns from `first_number` on hold numbers. Cells are HTML.
std::string table(const std::vector<std::string>& header,
                  const std::vector<std::vector<std::string>>& rows, std::size_t first_number);

/// A whole page that needs nothing beside it.
struct Page {
  std::string title;           ///< text
  std::string kind;            ///< text above the title
  std::string lead;            ///< HTML below it
  std::string body;            ///< HTML
  std::size_t categories = 0;  ///< colours it uses
  std::string json;            ///< its numbers, in an element with the id "figures"
};
std::string page_html(const Page& page);

/// `text` as one line that any picture can hold: bytes that are not UTF-8, control characters and
/// what XML forbids become '?'. Of more than `most_characters`, the middle is left out.
std::string plain_text(std::string_view text,
                       std::size_t most_characters = std::numeric_limits<std::size_t>::max());

}  // namespace ser::report
