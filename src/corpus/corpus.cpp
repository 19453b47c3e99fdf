#include "ser/corpus/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "corpus/audio_files.h"
#include "corpus/parsers/parsers.h"
#include "ser/core/error.h"
#include "ser/core/text.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

constexpr std::array<CorpusParser, 6> kParsers = {{
    {"ravdess", "RAVDESS speech or song, by file name", "03-01-05-01-02-01-12.wav", parse_ravdess},
    {"crema-d", "CREMA-D, by file name", "1062_WSI_FEA_XX.wav", parse_crema_d},
    {"tess", "TESS, by file name", "OAF_back_angry.wav", parse_tess},
    {"savee", "SAVEE, by file name", "DC_a01.wav", parse_savee},
    {"emodb", "EMO-DB, by file name", "03a01Fa.wav", parse_emodb},
    {"folders", "one folder a class", "happy/clip.wav", parse_folders},
}};
constexpr std::string_view kFolders = "folders";
constexpr std::string_view kUnlabelled = "unlabelled";

const CorpusParser* find_parser(std::string_view name) {
  const auto found = std::find_if(kParsers.begin(), kParsers.end(),
                                  [&](const CorpusParser& parser) { return parser.name == name; });
  return found == kParsers.end() ? nullptr : &*found;
}

/// Sub-folders look like classes if one is named after an emotion, or if there are several.
bool folders_look_like_classes(const std::vector<std::string>& files) {
  std::set<std::string> classes;
  for (const std::string& file : files)
    if (const auto clip = parse_folders(file)) classes.insert(clip->emotion);
  const auto known = known_emotions();
  return classes.size() > 1 || std::any_of(known.begin(), known.end(), [&](std::string_view name) {
           return classes.contains(std::string(name));
         });
}

/// The parser that suits the file names best, or null if none does.
const CorpusParser* guess_parser(const std::vector<std::string>& files) {
  const CorpusParser* best = nullptr;
  std::ptrdiff_t most = 0;
  for (const CorpusParser& parser : kParsers) {
    if (parser.name == kFolders) continue;
    const auto fits = std::count_if(files.begin(), files.end(), [&](const std::string& file) {
      return parser.parse(file).has_value();
    });
    if (fits > most) {
      best = &parser;
      most = fits;
    }
  }
  if (2 * most >= static_cast<std::ptrdiff_t>(files.size())) return best;
  return folders_look_like_classes(files) ? find_parser(kFolders) : nullptr;
}

Corpus parse_files(const fs::path& root, const std::vector<std::string>& files,
                   const CorpusParser* parser) {
  Corpus corpus{std::string(parser ? parser->name : kUnlabelled), root, {}, {}};
  for (const std::string& file : files) {
    std::optional<Utterance> clip = parser ? parser->parse(file) : Utterance{};
    if (!clip || !is_utf8(file)) {
      corpus.skipped.push_back(file);
      continue;
    }
    clip->path = file;
    clip->corpus = corpus.name;
    corpus.utterances.push_back(std::move(*clip));
  }
  if (corpus.utterances.empty())
    throw Error(fmt::format(
        "{}: expected {} (such as {}), found {} audio file{} named otherwise (such as {})",
        root.string(), parser->help, parser->example, files.size(), files.size() == 1 ? "" : "s",
        files.front()));
  return corpus;
}

Corpus scan_folder(const fs::path& root, std::string_view kind) {
  const FolderContents contents = list_folder(root);
  if (contents.audio.empty())
    throw Error(
        fmt::format("{}: expected a folder with audio files, found {}{}", root.string(),
                    describe_other(contents),
                    contents.other.empty() ? "" : ", no audio (wav, flac, ogg, mp3, aiff, ...)"));
  return parse_files(root, contents.audio,
                     kind == "auto" ? guess_parser(contents.audio) : find_parser(kind));
}

/// One audio file: what its name tells, the name of its folder (SAVEE) included.
Corpus scan_file(const fs::path& path, std::string_view kind) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const std::string file = path.filename().string();
  const std::string with_folder = (folder.filename() / path.filename()).generic_string();
  Corpus corpus{std::string(kUnlabelled), folder, {}, {}};
  Utterance clip;
  for (const CorpusParser& parser : kParsers) {
    if (kind == "auto" ? parser.name == kFolders : parser.name != kind) continue;
    const std::optional<Utterance> parsed = parser.parse(with_folder);
    if (!parsed) continue;
    clip = *parsed;
    corpus.name = parser.name;
    break;
  }
  if (kind != "auto" && corpus.name == kUnlabelled)
    return parse_files(folder, {file}, find_parser(kind));
  clip.path = file;
  clip.corpus = corpus.name;
  corpus.utterances.push_back(std::move(clip));
  return corpus;
}

}  // namespace

std::span<const CorpusParser> corpus_parsers() { return kParsers; }

std::vector<std::string> corpus_kinds() {
  std::vector<std::string> kinds = {"auto"};
  for (const CorpusParser& parser : kParsers) kinds.emplace_back(parser.name);
  kinds.emplace_back("manifest");
  return kinds;
}

Corpus scan_corpus(const fs::path& path, std::string_view kind) {
  const std::vector<std::string> kinds = corpus_kinds();
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    throw Error(fmt::format("corpus '{}': expected one of {}{}", kind, fmt::join(kinds, ", "),
                            did_you_mean(kind, kinds)));
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status))
    throw Error(fmt::format("{}: expected a folder, an audio file or a manifest, found nothing",
                            path.string()));
  if (fs::is_directory(status)) {
    if (kind == "manifest")
      throw Error(fmt::format("{}: expected a CSV manifest, found a folder", path.string()));
    return scan_folder(path, kind);
  }
  const bool is_csv = to_lower(path.extension().string()) == ".csv";
  if (kind == "manifest" || (kind == "auto" && is_csv)) return read_manifest(path);
  return scan_file(path, kind);
}

}  // namespace ser
