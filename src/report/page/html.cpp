#include "report/page/html.h"

#include <fmt/format.h>

#include "report/page/charts.h"
#include "report/page/colors.h"
#include "report/page/style.h"

namespace ser::report {
namespace {

/// JSON text that cannot end the element it stands in; "<" occurs inside its strings only.
std::string for_script_element(std::string_view json) {
  std::string safe;
  for (const char c : json) {
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  }
  return safe;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string safe;
  for (const char c : text) switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += c;
    }
  return safe;
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > (number < 0 ? 1 : 0); i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
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

}  // namespace ser::report
