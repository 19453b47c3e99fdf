#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ser/corpus/utterance.h"

namespace ser {

/// Rows of the table of corpora: labels from a path, or nothing if it is not named that way.
std::optional<Utterance> parse_ravdess(const std::filesystem::path& path);
std::optional<Utterance> parse_crema_d(const std::filesystem::path& path);
std::optional<Utterance> parse_tess(const std::filesystem::path& path);
std::optional<Utterance> parse_savee(const std::filesystem::path& path);
std::optional<Utterance> parse_emodb(const std::filesystem::path& path);
std::optional<Utterance> parse_nemo(const std::filesystem::path& path);
std::optional<Utterance> parse_emovo(const std::filesystem::path& path);
std::optional<Utterance> parse_urdu(const std::filesystem::path& path);
std::optional<Utterance> parse_folders(const std::filesystem::path& path);

/// Forgets the speakers that `parse_folders` saw in folders next to emotions, unless two of them or
/// more are heard in several emotions and none is a division such as "train".
void keep_plausible_speakers(std::vector<Utterance>& clips);

/// What the names of all modalities of one RAVDESS recording share: "01-05-01-02-01-12"; empty for
/// other names.
std::string ravdess_take(const std::filesystem::path& path);

/// A table from codes in file names to what they mean.
template <std::size_t N>
using CodeTable = std::array<std::pair<std::string_view, std::string_view>, N>;

/// What `code` means, or nothing.
template <std::size_t N>
std::optional<std::string> meaning(const CodeTable<N>& table, std::string_view code) {
  for (const auto& [key, value] : table)
    if (key == code) return std::string(value);
  return std::nullopt;
}

/// True if `text` is made of `digits` decimal digits.
inline bool is_number(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace ser
