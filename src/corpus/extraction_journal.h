#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ser/corpus/feature_table.h"

namespace ser {

/// Tells a recording from one that took its place: of the file's size and time of change.
std::uint64_t stamp_of(const std::filesystem::path& recording);

/// Hands on what it takes to another writer, and keeps it in a file beside, recording after
/// recording, so that an extraction that was ended goes on from there. What a killed run left half
/// written at its end is dropped.
class ExtractionJournal : public FeatureWriter {
 public:
  /// run: identifies recordings and options. next: must outlive this object.
  /// Throws Error if the file is the journal of another run, or another process writes it.
  ExtractionJournal(std::filesystem::path path, const std::string& run, std::size_t rows,
                    FeatureWriter& next);
  ~ExtractionJournal() override;

  /// How many recordings it has an entry of.
  std::size_t size() const { return entries_.size(); }
  /// Whether clips of the recording are kept, from when its file had that stamp. Those that were
  /// skipped, or have changed, are to be made again; that is not kept.
  bool holds(std::size_t index, std::uint64_t stamp) const {
    return index < size() && entries_[index].has_clips && entries_[index].stamp == stamp;
  }
  /// Hands on what is kept of a recording, between its start and its end.
  void hand_on(std::size_t index);

  void start_recording(std::size_t index) override;
  void add(const Utterance& clip, const Eigen::MatrixXf& features) override;
  void append(const Eigen::MatrixXf& features) override;
  /// Of the recording that is written: before its end.
  void set_stamp(std::uint64_t stamp) { stamp_ = stamp; }
  void end_recording() override;
  /// Finishes the other writer and removes the journal.
  void finish() override;

 private:
  struct Record;
  class Reader;
  struct Entry {
    std::uint64_t position;  ///< in the file, of its first record
    std::uint64_t stamp;
    bool has_clips;
  };
  /// An open file's lock, which ends with it.
  struct Lock {
    explicit Lock(const std::filesystem::path& path);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    int descriptor;
  };
  void find_entries(const std::string& run);
  void put(const Record& record, std::string_view text, std::string_view values);

  std::filesystem::path path_;
  std::size_t rows_;
  FeatureWriter& next_;
  Lock lock_;
  std::ofstream file_;
  std::unique_ptr<Reader> kept_;
  std::vector<Entry> entries_;
  bool writes_ = true;  ///< the recording is new
  std::uint64_t hash_;  ///< of the recording that is written
  std::uint64_t stamp_ = 0;
};

}  // namespace ser
