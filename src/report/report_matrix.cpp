#include <fmt/format.h>

#include <cmath>

#include "report/page/colors.h"
#include "report/page/html.h"
#include "report/report_sections.h"
#include "ser/eval/corpus_matrix.h"

namespace ser::report {
namespace {

std::string cell_html(const CorpusScore* tested) {
  if (!tested) return "<td class=\"cell none\"></td>";
  const double uar = tested->scores.uar;
  const auto shade = static_cast<std::size_t>(std::lround(uar * (kRampShades - 1)));
  const std::string interval =
      tested->ci95 ? fmt::format(", 95 % interval {:.1f} to {:.1f}", 100 * tested->ci95->uar.low,
                                 100 * tested->ci95->uar.high)
                   : "";
  return fmt::format("<td class=\"cell ramp{}\" title=\"{} clips{}\">{}</td>", shade,
                     tested->scores.n, interval, percent(uar));
}

std::string table_html(const MatrixTable& matrix) {
  std::string html =
      "<div class=\"scroll\"><table class=\"confusion\" id=\"matrix\">\n<thead><tr><th></th>";
  for (const std::string& corpus : matrix.tested_on)
    html += "<th class=\"said\" scope=\"col\"><span>" + escape(corpus) + "</span></th>";
  html += "</tr></thead>\n<tbody>\n";
  for (const MatrixTable::Row& row : matrix.rows) {
    html += "<tr><th class=\"truth\" scope=\"row\">" + escape(row.trained_on) + "</th>";
    for (const CorpusScore* tested : row.cells) html += cell_html(tested);
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string matrix_section(const ResultFile& result) {
  if (result.matrix.empty()) return "";
  return section("From corpus to corpus",
                 "Unweighted average recall of a model trained on one corpus alone, or on all "
                 "others (rows), on clips of another (columns), each over the classes that both "
                 "have. No corpus is scored by a model that was trained on it.",
                 table_html(matrix_table(result)));
}

}  // namespace ser::report
