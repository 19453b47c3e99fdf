#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "command.h"
#include "ser/corpus/extraction.h"

namespace ser {

enum class TableFormat { kSafetensors, kCsv };

struct ExtractionFlags {
  std::string features = "functionals";
  std::string pool;               ///< empty: the set's own
  int rate = kUnsetInt;           ///< unset: the set's own
  double trim_db = kUnsetNumber;  ///< unset: the set's own
  std::string augment;
  TableFormat format = TableFormat::kSafetensors;
  OnError on_error = OnError::kFail;
  std::string shard;  ///< empty: all recordings
  bool resume = false;

  void visit(FieldVisitor& v);
};

/// What the flags ask for, before any recording is looked for. Throws UsageError for a feature set,
/// copies or a shard that cannot be.
ExtractionOptions extraction_options(const ExtractionFlags& flags, const CommonOptions& common);

struct CorpusOptions {
  std::string corpus = "auto";
  std::string votes;
  std::vector<std::string> emotions;
  std::vector<std::string> map;

  void visit(FieldVisitor& v);
};

/// Recordings of all inputs (folders, files, manifests), votes joined, classes merged and chosen.
/// Where two inputs have a clip of the same relative path, as many folder names as tell them apart
/// go before it. Says what each input was taken for and what of it was left out. Throws Error for a
/// file that is named twice.
std::vector<Recording> find_recordings(const std::vector<std::string>& inputs,
                                       const CorpusOptions& options);

/// Extracts features in parallel and writes them in order, in flat memory; says what came of it.
/// options: of these flags. command: as typed, without output and shard.
void extract_to_file(const std::vector<Recording>& recordings, const ExtractionFlags& flags,
                     ExtractionOptions options, const std::filesystem::path& output,
                     const std::string& command, const CommonOptions& common);

/// Writes the index by which shards are read as one file. inputs: for the commands that messages
/// name.
void merge_to_index(const std::vector<std::string>& shards, const std::string& output,
                    const std::vector<std::string>& inputs);

/// The command as a shell takes it, without what is of one shard alone or changes no result;
/// INPUT... stands for the inputs, FILE for other files: no path goes into a shard.
std::string command_of_shards(int argc, char** argv);
}  // namespace ser
