#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ser {

/// The files that the programs read and write.
enum class FileKind {
  kFeatures,
  kFeatureIndex,
  kTable,  ///< of features, CSV
  kCheckpoint,
  kModel,
  kVoice,
  kSearch,
  kResult,
  kSpace,
  kRecipe,
  kPage,
  kPicture,
  kOnnx,
  kRecording,  ///< WAV, as it is written
  kSound,      ///< of other formats
  kLabels,
  kSubtitles
};

/// "a model".
std::string_view name_of(FileKind kind);

/// Whether a file of that kind may begin so; a few hundred bytes tell.
bool begins_like(FileKind kind, std::string_view head);

/// The first bytes of a file, as many as tell its kind; none where it cannot be read.
std::string head_of(const std::filesystem::path& file);

/// "a model of ser-train", of what begins so; nothing where its kind is not known.
std::optional<std::string> known_kind(std::string_view head);

/// Throws Error "<file>: expected a model of ser-train, found a feature file of ser-extract" where
/// the file is of another kind, and known.
void expect_kind(const std::filesystem::path& file, FileKind wanted);

}  // namespace ser
