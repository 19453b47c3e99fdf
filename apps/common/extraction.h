#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "command.h"
#include "ser/corpus/utterance.h"
#include "ser/features/feature_set.h"

namespace ser {

/// An utterance and where its file is.
struct Recording {
  std::filesystem::path file;
  Utterance utterance;
};

enum class OnError { kFail, kSkip };
enum class TableFormat { kSafetensors, kCsv };

struct ExtractionOptions {
  std::string features = "functionals";
  std::string pool;               ///< empty: the set's own
  int rate = kUnsetInt;           ///< unset: the set's own
  double trim_db = kUnsetNumber;  ///< unset: the set's own
  std::string augment;
  TableFormat format = TableFormat::kSafetensors;
  OnError on_error = OnError::kFail;

  void visit(FieldVisitor& v);
};

struct ExtractionSummary {
  std::size_t clips = 0;
  std::size_t skipped = 0;
  std::size_t rows = 0;    ///< features a frame
  std::size_t frames = 0;  ///< of all clips
  std::size_t without_emotion = 0;
  std::size_t without_gender = 0;
};

/// The feature set that the options describe. Throws UsageError for one that cannot be.
FeatureSet feature_set(const ExtractionOptions& options);

/// Recordings of all inputs (folders, files, manifests), classes merged and chosen. Where two
/// inputs have a clip of the same relative path, as many folder names as tell them apart go before
/// it. Throws Error for a file that is named twice.
std::vector<Recording> find_recordings(const std::vector<std::string>& inputs,
                                       const std::string& corpus,
                                       const std::vector<std::string>& emotions,
                                       const std::vector<std::string>& map);

/// Groups of recordings with the same bytes, by index.
std::vector<std::vector<int>> duplicate_groups(const std::vector<Recording>& recordings);

/// A warning for every group of recordings with the same bytes.
void warn_of_duplicates(const std::vector<Recording>& recordings);

/// Extracts features in parallel and writes them in order, in flat memory.
ExtractionSummary extract_to_file(const std::vector<Recording>& recordings,
                                  const ExtractionOptions& options,
                                  const std::filesystem::path& output, const CommonOptions& common);

}  // namespace ser
