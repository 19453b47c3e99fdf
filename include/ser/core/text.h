#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ser {

/// The parts of `text` between separators; empty parts are kept. Empty text gives no parts.
std::vector<std::string> split(std::string_view text, char separator);

/// `parts` with `separator` between them.
std::string join(std::span<const std::string> parts, std::string_view separator);

/// "a, b and 3 more": a list that may be long, in one line.
std::string some_of(std::span<const std::string> names, std::size_t shown = 2);

/// `text` without white space at both ends.
std::string_view trim(std::string_view text);

/// `text` with A-Z turned into a-z.
std::string to_lower(std::string_view text);

/// True if `text` is valid UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

/// The integer that `text` spells. Throws Error, quoting `text` and `what`, for anything else.
int parse_int(std::string_view text, std::string_view what);

/// The finite number that `text` spells. Throws Error, quoting `text` and `what`, for anything
/// else.
double parse_double(std::string_view text, std::string_view what);

/// " (did you mean 'x'?)" for the candidate nearest to `word`, or "" if none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

/// 64-bit FNV-1a hash. Stable across machines and versions; not cryptographic.
std::uint64_t fnv1a(std::string_view bytes, std::uint64_t state = 0xcbf29ce484222325u);

/// `fnv1a` as 16 hexadecimal digits.
std::string fingerprint(std::string_view bytes);

}  // namespace ser
