#include "ser/corpus/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "core/internal/fail.h"
#include "corpus/parsers/parsers.h"
#include "ser/core/text.h"
#include "ser/corpus/audio_files.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

constexpr std::array<CorpusParser, 9> kParsers = {{
    {"ravdess", "RAVDESS speech or song, by file name", "03-01-05-01-02-01-12.wav", parse_ravdess},
    {"crema-d", "CREMA-D, by file name", "1062_WSI_FEA_XX.wav", parse_crema_d},
    {"tess", "TESS, by file name", "OAF_back_angry.wav", parse_tess},
    {"savee", "SAVEE, by file name", "DC_a01.wav", parse_savee},
    {"emodb", "EMO-DB, by file name", "03a01Fa.wav", parse_emodb},
    {"nemo", "nEMO, by file name", "WR0_surprised_64.wav", parse_nemo},
    {"emovo", "EMOVO, by file name", "dis-f1-b1.wav", parse_emovo},
    {"urdu", "URDU, by file name", "SM1_F01_A12.wav", parse_urdu},
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

using Parsers = std::vector<const CorpusParser*>;

/// What a parser reads from the name of a file in a folder called `above`: that may be SAVEE's
/// speaker, but is no class.
std::optional<Utterance> parse(const CorpusParser& parser, const fs::path& above,
                               const std::string& file) {
  return parser.parse(parser.name == kFolders ? fs::path(file) : above / file);
}

const CorpusParser* parser_of(const fs::path& above, const std::string& file,
                              const Parsers& parsers) {
  const auto found = std::ranges::find_if(
      parsers, [&](const CorpusParser* parser) { return parse(*parser, above, file).has_value(); });
  return found == parsers.end() ? nullptr : *found;
}

/// The parsers of the corpora in a folder, if they read half of its files or more; none if nothing
/// is known of those.
Parsers guess_parsers(const fs::path& above, const std::vector<std::string>& files) {
  Parsers known, found;
  for (const CorpusParser& parser : kParsers)
    if (parser.name != kFolders) known.push_back(&parser);
  std::map<const CorpusParser*, std::size_t> fits;
  std::size_t all = 0;
  for (const std::string& file : files)
    if (const CorpusParser* const parser = parser_of(above, file, known)) ++fits[parser], ++all;
  std::ranges::copy_if(known, std::back_inserter(found),
                       [&](const CorpusParser* parser) { return fits.contains(parser); });
  if (2 * all >= files.size()) return found;
  if (folders_look_like_classes(files)) return {find_parser(kFolders)};
  return {};
}

/// Folders of any corpus may be read: its speakers are told from others by the root's name.
void name_speakers_of_folders(Corpus& corpus) {
  keep_plausible_speakers(corpus.utterances);
  const std::string name = folder_name(corpus.root);
  for (Utterance& clip : corpus.utterances)
    if (!clip.speaker.empty() && !name.empty()) clip.corpus = name;
}

/// Each file by the first of `parsers` that reads its name; without labels if there are none.
Corpus parse_files(const fs::path& root, const std::vector<std::string>& files,
                   const Parsers& parsers) {
  std::vector<std::string_view> names;
  for (const CorpusParser* parser : parsers) names.push_back(parser->name);
  Corpus corpus{
      names.empty() ? std::string(kUnlabelled) : fmt::format("{}", fmt::join(names, ", ")),
      root,
      {},
      {},
      {}};
  const fs::path above = folder_name(root);
  for (const std::string& file : files) {
    const CorpusParser* const parser = parser_of(above, file, parsers);
    if ((!parser && !parsers.empty()) || !is_utf8(file)) {
      corpus.skipped.push_back(file);
      continue;
    }
    Utterance clip = parser ? *parse(*parser, above, file) : Utterance{};
    clip.path = file;
    clip.corpus = parser ? parser->name : kUnlabelled;
    corpus.utterances.push_back(std::move(clip));
  }
  if (corpus.name == kFolders) name_speakers_of_folders(corpus);
  if (corpus.utterances.empty() && parsers.empty())
    fail("{}: expected an audio file with a name in UTF-8, found {} with others", root.string(),
         files.size());
  if (corpus.utterances.empty())
    fail("{}: expected {} (such as {}), found {} audio file{} named otherwise (such as {})",
         root.string(), parsers[0]->help, parsers[0]->example, files.size(),
         files.size() == 1 ? "" : "s", files.front());
  return corpus;
}

Corpus scan_folder(const fs::path& root, std::string_view kind) {
  const FolderContents contents = list_folder(root);
  if (contents.audio.empty())
    fail("{}: expected a folder with audio files, found {}{}", root.string(),
         describe_other(contents),
         contents.other.empty() ? "" : ", no audio (wav, flac, ogg, mp3, aiff, ...)");
  Corpus corpus = parse_files(root, contents.audio,
                              kind == "auto" ? guess_parsers(folder_name(root), contents.audio)
                                             : Parsers{find_parser(kind)});
  corpus.lost = describe_lost(contents);
  return corpus;
}

/// One audio file: what its name tells, the name of its folder (SAVEE) included.
Corpus scan_file(const fs::path& path, std::string_view kind) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const std::string file = path.filename().string();
  const std::string with_folder = (fs::path(folder_name(folder)) / file).generic_string();
  Corpus corpus{std::string(kUnlabelled), folder, {}, {}, {}};
  Utterance clip;
  for (const CorpusParser& parser : kParsers) {
    if (kind == "auto" ? parser.name == kFolders : parser.name != kind) continue;
    const std::optional<Utterance> parsed = parser.parse(with_folder);
    if (!parsed) continue;
    clip = *parsed;
    if (parser.name == kFolders) clip.speaker.clear();  // one file does not tell
    corpus.name = parser.name;
    break;
  }
  if (kind != "auto" && corpus.name == kUnlabelled)
    return parse_files(folder, {file}, {find_parser(kind)});
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

std::string describe_left_out(const Corpus& corpus) {
  std::vector<std::string> misnamed, not_utf8;
  for (const std::string& name : corpus.skipped)
    (is_utf8(name) ? misnamed : not_utf8).push_back(name);
  std::vector<std::string> parts;
  const auto add = [&](const std::vector<std::string>& names, const std::string& why) {
    if (!names.empty())
      parts.push_back(fmt::format("{} audio file{} {} ({})", names.size(),
                                  names.size() == 1 ? "" : "s", why, some_of(names)));
  };
  add(misnamed, "not named as in corpus " + corpus.name);
  add(not_utf8, "with a name that is not UTF-8");
  parts.insert(parts.end(), corpus.lost.begin(), corpus.lost.end());
  return join(parts, "; ");
}

namespace {

Corpus scan(const fs::path& path, std::string_view kind) {
  const std::vector<std::string> kinds = corpus_kinds();
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
    fail("corpus '{}': expected one of {}{}", kind, fmt::join(kinds, ", "),
         did_you_mean(kind, kinds));
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status))
    fail("{}: expected a folder, an audio file or a manifest, found {}", path.string(),
         error && error != std::errc::no_such_file_or_directory ? error.message() : "nothing");
  if (fs::is_directory(status)) {
    if (kind == "manifest") fail("{}: expected a CSV manifest, found a folder", path.string());
    return scan_folder(path, kind);
  }
  const std::string suffix = to_lower(path.extension().string());
  const bool is_sheet = suffix == ".csv" || suffix == ".tsv";
  if (kind == "manifest" || (kind == "auto" && is_sheet)) return read_manifest(path);
  return scan_file(path, kind);
}

}  // namespace

Corpus scan_corpus(const fs::path& path, std::string_view kind) {
  Corpus corpus = scan(path, kind);
  for (Utterance& clip : corpus.utterances)
    std::ranges::replace(clip.corpus, ':', '_');  // a colon ends it in the names of speakers
  return corpus;
}

}  // namespace ser
