#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ser/core/text.h"
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

/// What `code` means in a table such as "ANG=angry DIS=disgust", or nothing.
inline std::optional<std::string> meaning(std::string_view table, std::string_view code) {
  for (const std::string& entry : split(table, ' '))
    if (entry.starts_with(std::string(code) + '=')) return entry.substr(code.size() + 1);
  return std::nullopt;
}

/// True if `text` is made of `digits` decimal digits.
inline bool is_number(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace ser
