#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "ser/corpus/feature_table.h"

namespace ser {

/// Hands on what it takes to another writer, and keeps it in a file beside, recording after
/// recording, so that an extraction that was ended goes on from there. What is in the file already
/// is handed on first; what a killed run left half written at its end is dropped.
class ExtractionJournal : public FeatureWriter {
 public:
  /// run: identifies recordings and options. next: must outlive this object.
  /// Throws Error if the file is the journal of another run, or another process writes it.
  ExtractionJournal(std::filesystem::path path, const std::string& run, std::size_t rows,
                    FeatureWriter& next);
  /// Recordings that the journal held.
  std::size_t kept() const { return kept_; }

  void start_recording(std::size_t index) override { next_.start_recording(index); }
  void add(const Utterance& clip, const Eigen::MatrixXf& features) override;
  void append(const Eigen::MatrixXf& features) override;
  void end_recording() override;
  /// Finishes the other writer and removes the journal.
  void finish() override;

 private:
  struct Record;
  /// An open file's lock, which ends with it.
  struct Lock {
    explicit Lock(const std::filesystem::path& path);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    int descriptor;
  };
  void replay(const std::string& run);
  void put(const Record& record, std::string_view text, std::string_view values);

  std::filesystem::path path_;
  std::size_t rows_;
  FeatureWriter& next_;
  Lock lock_;
  std::ofstream file_;
  std::uint64_t hash_;  ///< of the recording that is written
  std::size_t kept_ = 0;
};

}  // namespace ser
