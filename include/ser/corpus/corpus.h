#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ser/corpus/utterance.h"

namespace ser {

/// The recordings found in one place.
struct Corpus {
  std::string name;                   ///< the parser that named them: "ravdess", "folders", ...
  std::filesystem::path root;         ///< what the paths of the utterances are relative to
  std::vector<Utterance> utterances;  ///< sorted by path
  std::vector<std::string> skipped;   ///< audio files with names unknown to the parser or not UTF-8
  std::vector<std::string> lost;      ///< what else is left out of a folder (`describe_lost`)
};

/// What is not among the utterances of a corpus, and why, in one line; empty if nothing is.
std::string describe_left_out(const Corpus& corpus);

/// Reads labels from the path of a file. One row of the table of known corpora.
struct CorpusParser {
  std::string_view name;     ///< as in `--corpus`
  std::string_view help;     ///< what it is
  std::string_view example;  ///< a file it reads, for messages
  /// path: relative to the corpus root. Nothing, if it is not named as in this corpus.
  std::optional<Utterance> (*parse)(const std::filesystem::path& path);
};

/// RAVDESS, CREMA-D, TESS, SAVEE, EMO-DB, nEMO, EMOVO, URDU and folder-per-class, in the order they
/// are tried.
std::span<const CorpusParser> corpus_parsers();

/// Every name that `scan_corpus` takes: auto, manifest, and those of the parsers.
std::vector<std::string> corpus_kinds();

/// The recordings of a folder, of one audio file, or of a CSV manifest.
/// kind: one of `corpus_kinds()`. "auto" takes a .csv or .tsv for a manifest, the parsers of known
/// corpora, each file's own, if they read half of the names or more, then folder-per-class where
/// sub-folders look like classes, then clips without labels. Folders are walked as `list_folder`
/// does. Throws Error, saying what was expected and found.
Corpus scan_corpus(const std::filesystem::path& path, std::string_view kind = "auto");

/// Recordings named by a CSV file with a header: `path`, then any of emotion, gender, speaker,
/// intensity, statement, repetition, channel, corpus, and columns `votes_EMOTION` (votes_angry,
/// ...) with the number of listeners who chose it. Paths are relative to the file's folder; where
/// absolute ones lead out of it, they become relative to the deepest folder that holds all
/// recordings. Columns called `file`, `filename`, `label`, `speaker_id`, `sex` or alike are taken
/// for these where they are missing. An empty cell, or a word that says nothing, means unknown.
/// Separators and encodings are those of spreadsheets and pandas (commas, semicolons, tabs; UTF-8,
/// UTF-16); other columns are named in `lost`, unless they look like a misspelling. Speakers
/// without a corpus are of one named after the file's folder. Throws Error, naming the line, for
/// whatever cannot be understood.
Corpus read_manifest(const std::filesystem::path& path);

/// The eight emotions in their usual order: neutral, calm, happy, ..., surprised.
std::span<const std::string_view> known_emotions();

/// Whether a word says that nothing is known: "nan", "None", "xxx", "n/a", "unknown", "?", ..., as
/// spreadsheets, pandas and annotators write it, or nothing at all.
bool says_nothing(std::string_view word);

/// The known emotion that `name` means ("Fear", "pleasant_surprise", "ps", "ang", ...); empty for a
/// word that says nothing; any other name in lower case, a class of the user's own. Throws Error
/// for one of more than 256 bytes.
std::string canonical_emotion(std::string_view name);

/// Those of `labels` that are neither known emotions nor "bored".
std::vector<std::string> unusual_emotions(const std::vector<std::string>& labels);

/// "male" or "female" for these words, their initials, "man" and "woman"; empty for "other" and a
/// word that says nothing. Throws Error for any other.
std::string canonical_gender(std::string_view name);

/// The classes present: known emotions in their usual order, then the others alphabetically.
std::vector<std::string> emotion_labels(const std::vector<Utterance>& utterances);

/// Those of some utterances, by index.
std::vector<std::string> emotion_labels(const std::vector<Utterance>& utterances,
                                        const std::vector<int>& chosen);

/// Utterances with classes merged, then chosen.
/// map: "calm=neutral" makes every calm clip neutral, "emodb:bored=neutral" those of one corpus;
/// listeners' votes are merged alike. emotions: the classes kept; empty keeps all, else clips
/// without a label and votes for other classes go too. Throws Error for a class that no clip has.
std::vector<Utterance> select_emotions(std::vector<Utterance> utterances,
                                       const std::vector<std::string>& emotions,
                                       const std::vector<std::string>& map);

/// What became of a file of votes.
struct JoinedVotes {
  std::size_t clips = 0;             ///< clips that have votes now
  std::vector<std::string> unknown;  ///< names in the file that no clip has
};

/// Gives clips the listeners' votes of a CSV file: a column `clip` or `path`, and one an emotion
/// ("angry" or "votes_angry") with the number of listeners who chose it. A name is a clip's
/// relative path, file name, or file name without suffix. Throws Error, naming the line, for what
/// cannot be understood, a name of several clips and a clip that is there twice; and for a column
/// that is no emotion, neither usual nor of the clips, unless "votes_" stands before it.
JoinedVotes join_votes(std::vector<Utterance>& clips, const std::filesystem::path& file);

}  // namespace ser
