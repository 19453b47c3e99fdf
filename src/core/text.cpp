#include "ser/core/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>

#include "core/internal/fail.h"

namespace ser {
namespace {

template <typename Number>
Number parse(std::string_view text, std::string_view what, std::string_view expected) {
  Number value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status == std::errc::result_out_of_range && std::is_integral_v<Number>)
    fail("{}: expected {} from {} to {}, found '{}'", what, expected,
         std::numeric_limits<Number>::min(), std::numeric_limits<Number>::max(), text);
  if (status != std::errc() || end != text.data() + text.size())
    fail("{}: expected {}, found '{}'", what, expected, text);
  return value;
}

/// Optimal string alignment: edits and swaps of neighbours count one.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  std::iota(d[0].begin(), d[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, substitute});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

/// Edits from one to the other; an end that was left off, from the third letter on, counts one.
std::size_t distance_between(std::string_view word, std::string_view candidate) {
  constexpr std::size_t kLeastLetters = 3;
  const std::size_t hyphens = word.find_first_not_of('-');
  if (hyphens != word.npos && word.size() - hyphens >= kLeastLetters && candidate.starts_with(word))
    return candidate == word ? 0 : 1;
  return edit_distance(word, candidate);
}

template <typename Text>
std::string nearest(std::string_view word, std::span<const Text> candidates) {
  if (word.size() > 64) return "";
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = distance_between(word, candidate);
    if (distance > 0 && distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best.empty() ? "" : fmt::format(" (did you mean '{}'?)", best);
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string some_of(std::span<const std::string> names, std::size_t shown) {
  if (names.size() <= shown + 1) return join(names, ", ");  // "and 1 more" is no shorter
  return fmt::format("{} and {} more", join(names.first(shown), ", "), names.size() - shown);
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

bool is_utf8(std::string_view text) {
  constexpr std::uint32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0x80 ? 0 : lead >= 0xf8 ? -1 : std::countl_one(lead) - 1;
    if (more < 0 || (more == 0 && lead >= 0x80) || text.size() - i < static_cast<std::size_t>(more))
      return false;
    std::uint32_t point = more == 0 ? lead : lead & (0x3fu >> more);
    for (int k = 0; k < more; ++k) {
      const auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    if (point < kSmallest[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
      return false;
  }
  return true;
}

int parse_int(std::string_view text, std::string_view what) {
  return parse<int>(text, what, "an integer");
}

double parse_double(std::string_view text, std::string_view what) {
  const double value = parse<double>(text, what, "a number");
  if (!std::isfinite(value)) fail("{}: expected a finite number, found '{}'", what, text);
  return value;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  return nearest(word, candidates);
}
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  return nearest(word, candidates);
}

std::uint64_t fnv1a(std::string_view bytes, std::uint64_t state) {
  for (const char c : bytes) {
    state ^= static_cast<unsigned char>(c);
    state *= 0x100000001b3u;
  }
  return state;
}

std::string fingerprint(std::string_view bytes) { return fmt::format("{:016x}", fnv1a(bytes)); }

}  // namespace ser
