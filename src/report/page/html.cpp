#include "report/page/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "report/page/charts.h"
#include "report/page/colors.h"
#include "report/page/style.h"
#include "ser/core/text.h"

namespace ser::report {
namespace {

/// JSON text that cannot end the element it stands in; "<" occurs inside its strings only.
std::string for_script_element(std::string_view json) {
  std::string safe;
  for (const char c : json) safe += c == '<' ? "\\u003c" : std::string(1, c);
  return safe;
}

/// Bytes of the UTF-8 character that `text` starts with; 0 if it starts with none.
std::size_t character_bytes(std::string_view text) {
  for (std::size_t size = 1; size <= std::min<std::size_t>(4, text.size()); ++size)
    if (is_utf8(text.substr(0, size))) return size;
  return 0;
}

bool can_be_shown(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  const bool control = character.size() == 1 && (first < 0x20 || first == 0x7f);
  const bool late_control =
      character.size() == 2 && first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
  const bool no_character = character == "\xef\xbf\xbe" || character == "\xef\xbf\xbf";
  return !control && !late_control && !no_character;
}

std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> characters;
  while (!text.empty()) {
    const std::size_t size = character_bytes(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(1, size));
    characters.emplace_back(size > 0 && can_be_shown(character) ? character : "?");
    text.remove_prefix(character.size());
  }
  return characters;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string safe;
  constexpr std::string_view kSpecial = "&<>\"'";
  constexpr std::array kSafe = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  for (const char c : text)
    if (const std::size_t at = kSpecial.find(c); at == std::string_view::npos)
      safe += c;
    else
      safe += kSafe[at];
  return safe;
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3)
    digits.insert(i, 1, ',');
  return digits;
}

std::string counted(std::int64_t number, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(number), noun, number == 1 ? "" : "s");
}

std::string figure(std::string_view name, double value, const std::string& text) {
  return name.empty()
             ? fmt::format("<data value=\"{}\">{}</data>", value, escape(text))
             : fmt::format("<data class=\"{}\" value=\"{}\">{}</data>", name, value, escape(text));
}

std::string share_figure(std::string_view name, double share) {
  return figure(name, share, percent(share));
}

std::string count_figure(std::string_view name, std::int64_t number) {
  return figure(name, static_cast<double>(number), grouped(number));
}

std::string range_text(const Interval& shares) {
  return fmt::format("{:.1f} to {:.1f}", 100 * shares.low, 100 * shares.high);
}

std::string tiles(const std::vector<Tile>& list) {
  std::string html = "<div class=\"tiles\">\n";
  for (const Tile& tile : list)
    html += fmt::format(
        "<div class=\"tile\"><h3>{}</h3><p class=\"value\">{}</p><div class=\"note\">{}</div>"
        "</div>\n",
        tile.label, tile.value, tile.note);
  return html + "</div>\n";
}

std::string section(std::string_view heading, const std::string& note, const std::string& content) {
  return fmt::format("<section>\n<h2>{}</h2>\n{}{}</section>\n", escape(heading),
                     note.empty() ? "" : "<p class=\"note\">" + note + "</p>\n", content);
}

std::string figure_block(std::string_view caption, const std::string& content) {
  return fmt::format("<figure><figcaption>{}</figcaption>\n{}</figure>\n", escape(caption),
                     content);
}

std::string side_by_side(const std::vector<std::string>& blocks) {
  return fmt::format("<div class=\"columns\">\n{}</div>\n", fmt::join(blocks, ""));
}

std::string table(const std::vector<std::string>& header,
                  const std::vector<std::vector<std::string>>& rows, std::size_t first_number) {
  const auto cells = [&](const std::vector<std::string>& row, std::string_view element) {
    std::string html = "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      html += fmt::format("<{0}{1}>{2}</{0}>", element,
                          i >= first_number ? " class=\"number\"" : "", row[i]);
    return html + "</tr>\n";
  };
  std::string html = "<div class=\"scroll\"><table>\n<thead>" + cells(header, "th") + "</thead>\n";
  for (const auto& row : rows) html += cells(row, "td");
  return html + "</table></div>\n";
}

std::string page_html(const Page& page) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'\">\n"
      "<title>{}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n{}<main>\n<header>\n"
      "<p class=\"kind\">{}</p>\n<h1>{}</h1>\n{}</header>\n{}</main>\n"
      "<script type=\"application/json\" id=\"figures\">{}</script>\n</body>\n</html>\n",
      escape(page.title), palette_css(page.categories), kPageStyle, mark_shapes(),
      escape(page.kind), escape(page.title), page.lead, page.body, for_script_element(page.json));
}

std::string plain_text(std::string_view text, std::size_t most_characters) {
  const std::vector<std::string> characters = characters_of(text);
  if (characters.size() <= most_characters) return join(characters, "");
  const std::size_t head = most_characters / 2, tail = most_characters - head - 1;
  const std::span<const std::string> all(characters);
  return join(all.first(head), "") + "…" + join(all.last(tail), "");
}

}  // namespace ser::report
