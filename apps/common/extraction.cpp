#include "extraction.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "outputs.h"
#include "progress.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"
#include "ser/corpus/speaker.h"
#include "ser/features/extractor.h"
#include "talk.h"

namespace ser {
namespace {

/// `word` as a shell takes it.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./,:=@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

constexpr std::uint64_t kLargestFile = std::uint64_t{2} << 30;  // of feature data

std::unique_ptr<FeatureWriter> make_writer(TableFormat format, const std::filesystem::path& output,
                                           const FeatureSet& set, std::optional<ShardInfo> shard) {
  if (format == TableFormat::kCsv) return std::make_unique<FeatureCsvWriter>(output, set);
  return std::make_unique<FeatureTableWriter>(output, set, kLargestFile, std::move(shard));
}

/// The pooling that `name` means; nothing for an empty one.
std::optional<Pooling> pooling(const std::string& name) {
  if (name.empty()) return std::nullopt;
  FeatureSet set;
  from_flag("--pool", [&] { from_json("{\"pool\": \"" + name + "\"}", set); });
  return set.pool;
}

/// Throws UsageError for a set that cannot be.
FeatureSet feature_set(const ExtractionFlags& flags) {
  const std::optional<Pooling> pool = pooling(flags.pool);
  FeatureSet set = from_flag("--features", [&] { return feature_set_for(flags.features, pool); });
  if (flags.rate != kUnsetInt) set.sample_rate_hz = flags.rate;
  if (flags.trim_db != kUnsetNumber) set.trim_db = flags.trim_db;
  return from_flag("--rate, --trim-db", [&] { return Extractor(set).set(); });
}

ShardInfo shard_info(const std::string& text) {
  return from_flag("--shard", [&] { return parse_shard(text); });
}

/// A recording named by itself: nothing to say of what it was taken for.
bool is_one_file(const std::string& input, const Corpus& corpus) {
  std::error_code error;
  return corpus.utterances.size() == 1 && corpus.name != "manifest" &&
         std::filesystem::is_regular_file(input, error);
}

/// Whose speakers are named as the user likes.
bool is_of_user(const Corpus& corpus) {
  return corpus.name == "manifest" || corpus.name == "folders";
}

/// ", 2 speakers (anna, ben)" where that is not known from the corpus.
std::string speakers_text(const Corpus& corpus) {
  if (!is_of_user(corpus)) return "";
  std::set<std::string> speakers;
  for (const Utterance& clip : corpus.utterances)
    if (!clip.speaker.empty()) speakers.insert(canonical_speaker(clip.speaker));
  if (speakers.empty()) return ", no speakers known";
  return fmt::format(", {} speaker{} ({})", speakers.size(), speakers.size() == 1 ? "" : "s",
                     some_of(std::vector(speakers.begin(), speakers.end())));
}

constexpr std::size_t kClassesNamed = 8;

/// One line on the classes of `where` that may be misspelt.
void warn_of_unusual(const std::string& where, const std::vector<Utterance>& utterances) {
  const std::vector<std::string> unusual = unusual_emotions(emotion_labels(utterances));
  if (unusual.empty()) return;
  talk::warn("{}: {} class{} none of the usual emotions ({}); kept under {}", where, unusual.size(),
             unusual.size() == 1 ? " that is" : "es that are", some_of(unusual, kClassesNamed),
             unusual.size() == 1 ? "its own name" : "their own names");
}

/// One line on what an input was taken for, and one on what of it was left out.
void describe_corpus(const std::string& input, const Corpus& corpus) {
  const std::vector<std::string> classes = emotion_labels(corpus.utterances);
  const std::size_t recordings = corpus.utterances.size();
  if (!is_one_file(input, corpus))
    talk::info("{}: {} recording{}, read as {}: {}{}", input, recordings,
               recordings == 1 ? "" : "s", corpus.name,
               classes.empty()
                   ? "no emotions known"
                   : fmt::format("{} class{} ({})", classes.size(), classes.size() == 1 ? "" : "es",
                                 some_of(classes, kClassesNamed)),
               speakers_text(corpus));
  if (const std::string left_out = describe_left_out(corpus); !left_out.empty())
    talk::warn("{}: left out: {}", input, left_out);
}

/// Speakers are told apart by their name and that of their folder, which two inputs may share.
void warn_of_namesakes(const std::vector<Corpus>& corpora) {
  std::map<std::string, const Corpus*> first;  // by speaker
  std::set<std::string> namesakes;
  for (const Corpus& corpus : corpora) {
    if (!is_of_user(corpus)) continue;
    for (const Utterance& clip : corpus.utterances) {
      if (clip.speaker.empty()) continue;
      const Corpus* const before = first.emplace(speaker_name(clip), &corpus).first->second;
      if (before->root != corpus.root) namesakes.insert(speaker_name(clip));
    }
  }
  if (namesakes.empty()) return;
  talk::warn(
      "speakers called alike in folders called alike, taken for one voice each: {}; a column "
      "'corpus' in a manifest, or another name of a folder, tells them apart",
      some_of(std::vector(namesakes.begin(), namesakes.end())));
}

/// A manifest may name what is not there: told before the work, not in the middle of it.
void check_there(const std::vector<Recording>& recordings) {
  std::vector<std::string> missing;
  for (const Recording& recording : recordings) {
    std::error_code error;  // set where it may be there, which its reader will tell
    if (!std::filesystem::exists(recording.file, error) && !error)
      missing.push_back(recording.file);
  }
  if (missing.empty()) return;
  fail(
      "{} of {} recordings are not there ({}): a manifest's paths are relative to its folder; "
      "--on-error skip goes on without them",
      missing.size(), recordings.size(), some_of(missing));
}

void take_votes(std::vector<Utterance>& utterances, const std::string& file) {
  const JoinedVotes joined = join_votes(utterances, file);
  talk::info("{}: votes for {} of {} recordings", file, joined.clips, utterances.size());
  if (!joined.unknown.empty())
    talk::warn("{}: {} name{} of no recording ({})", file, joined.unknown.size(),
               joined.unknown.size() == 1 ? "" : "s", some_of(joined.unknown));
}

void say_summary(const ExtractionSummary& summary, const std::string& output) {
  if (summary.skipped > 0) talk::warn("recordings skipped: {}", summary.skipped);
  if (summary.without_emotion > 0)
    talk::warn("clips without emotion: {}; training and scoring will refuse them",
               summary.without_emotion);
  if (summary.without_gender > 0)
    talk::warn("clips without gender: {}; a model of them alone tells the emotion only",
               summary.without_gender);
  if (summary.clips == 0)
    talk::warn("{}: a shard without clips, as none of its recordings can be read", output);
  if (summary.kept > 0) talk::info("{} recordings were done already", summary.kept);
  if (summary.clips > 0)
    talk::info("{}: {} clip{}, {} row{} of {} feature{}", output, summary.clips,
               summary.clips == 1 ? "" : "s", summary.frames, summary.frames == 1 ? "" : "s",
               summary.rows, summary.rows == 1 ? "" : "s");
}

/// `text` with the inputs in the commands that it names.
std::string with_inputs(std::string text, const std::vector<std::string>& inputs) {
  constexpr std::string_view kInputs = "INPUT...";
  std::string words;
  for (const std::string& input : inputs) words += (words.empty() ? "" : " ") + quoted(input);
  if (words.empty()) return text;
  for (std::size_t at = 0; (at = text.find(kInputs, at)) != std::string::npos; at += words.size())
    text.replace(at, kInputs.size(), words);
  return text;
}

/// Throws UsageError for features that no recording has at the set's rate.
void check_rate(const FeatureSet& set) {
  if (set.sample_rate_hz == 0) return;
  from_flag("--features, --rate", [&] {
    const Eigen::ArrayXf phase = Eigen::ArrayXf::LinSpaced(set.sample_rate_hz, 0, 2000);
    Extractor(set).extract(Waveform{phase.sin(), set.sample_rate_hz});
  });
}

}  // namespace

void ExtractionFlags::visit(FieldVisitor& v) {
  v.field(
      "features", features,
      "functionals|frames|vocal_tract|classic, a list (mfcc,chroma,mel:delta,...) or a JSON file");
  v.field("pool", pool, "none|mean|stats: what becomes of a clip's frames (default: the set's)");
  v.field("rate", rate,
          "Sampling rate in Hz, 1000 at least; 0: the file's own (default: the set's)",
          Range{0, 400000});
  v.field("trim_db", trim_db,
          "Trim silence this far below the loudest frame; 0: not at all (default: the set's)",
          Range{0, 1000});
  v.field("augment", augment,
          "Add changed copies: "
          "speed:0.9,1.1,gain:-6,noise:20,babble:15,reverb:0.4,band:4000,low_cut:300; "
          "speed:0.9+noise:20 is one copy, changed twice");
  v.choice("format", format,
           {{"safetensors", TableFormat::kSafetensors}, {"csv", TableFormat::kCsv}},
           "Feature file format");
  v.choice("on_error", on_error, {{"fail", OnError::kFail}, {"skip", OnError::kSkip}},
           "What to do about a recording that cannot be read");
  v.field("shard", shard, "Extract every N-th recording, from the I-th on, from 1/N to N/N");
  v.field("resume", resume,
          "Keep what is done beside the output (.partial), and go on from it if it is there");
}

ExtractionOptions extraction_options(const ExtractionFlags& flags, const CommonOptions& common) {
  ExtractionOptions options{feature_set(flags)};
  check_rate(options.set);
  options.augmentations =
      from_flag("--augment", [&] { return parse_augmentations(flags.augment); });
  options.on_error = flags.on_error;
  options.seed = common.seed;
  options.threads = common.threads;
  if (!flags.shard.empty()) shard_info(flags.shard);
  return options;
}

void CorpusOptions::visit(FieldVisitor& v) {
  v.field("corpus", corpus, join(corpus_kinds(), "|"));
  v.field("votes", votes,
          "CSV of listeners' votes: a column clip or path, and one an emotion with their number");
  v.field("emotions", emotions, "Use only these classes");
  v.field("map", map,
          "Merge classes first: calm=neutral,... or, in one corpus, emodb:bored=neutral");
}

std::vector<Recording> find_recordings(const std::vector<std::string>& inputs,
                                       const CorpusOptions& options) {
  std::vector<Corpus> corpora;
  for (const std::string& input : inputs) {
    corpora.push_back(scan_corpus(input, options.corpus));
    describe_corpus(input, corpora.back());
    if (options.map.empty()) warn_of_unusual(input, corpora.back().utterances);
  }
  warn_of_namesakes(corpora);
  return recordings_of(std::move(corpora), [&](std::vector<Utterance> utterances) {
    if (!options.votes.empty()) take_votes(utterances, options.votes);
    if (options.emotions.empty() && options.map.empty()) return utterances;
    utterances = select_emotions(std::move(utterances), options.emotions, options.map);
    if (!options.map.empty()) warn_of_unusual("--map", utterances);
    return utterances;
  });
}

namespace {

constexpr std::size_t kNamed = 2;

/// Two of the places that `what` was found in, and of how many.
void warn_of_places(std::string_view what, const std::vector<std::string>& places,
                    std::string_view unit) {
  if (places.empty()) return;
  talk::warn(
      "{}: {}{}", what,
      places.size() > kNamed ? fmt::format("{} {}, such as ", places.size(), unit) : "",
      join(std::vector(places.begin(), places.begin() + std::min(kNamed, places.size())), "; "));
}

void warn_of_duplicates(const std::vector<Recording>& recordings) {
  std::vector<std::string> alike, contradicting;
  for (const std::vector<int>& group : find_duplicates(recordings)) {
    std::vector<std::string> names, labelled;
    std::set<std::string> emotions;
    for (const int i : group) {
      const Utterance& clip = recordings[i].utterance;
      names.push_back(clip.path);
      if (emotions.insert(clip.emotion).second)
        labelled.push_back(fmt::format("{} ({})", clip.path, clip.emotion));
    }
    alike.push_back(some_of(names));
    if (emotions.size() > 1) contradicting.push_back(some_of(labelled));
  }
  warn_of_places("the same bytes under several names, kept", alike, "recordings");
  warn_of_places("the same bytes under several emotions, kept", contradicting, "recordings");
}

/// What looks like one speaker and is taken for two, or like two and is taken for one.
void warn_of_speakers(const std::vector<Recording>& recordings) {
  std::map<std::string, std::map<std::string, int>> genders;  // of a speaker: clips of each
  std::map<std::string, std::set<std::string>> spellings;
  for (const auto& [file, clip] : recordings) {
    const std::string name = speaker_name(clip);
    if (name.empty()) continue;
    spellings[to_lower(name)].insert(name);
    if (!clip.gender.empty()) ++genders[name][clip.gender];
  }
  std::vector<std::string> alike, both;
  for (const auto& [speaker, names] : spellings)
    if (names.size() > 1) alike.push_back(some_of(std::vector(names.begin(), names.end())));
  warn_of_places("speakers told apart by capitals alone", alike, "names");
  for (const auto& [speaker, clips] : genders)
    if (clips.size() > 1)
      both.push_back(fmt::format("{} ({} as female, {} as male)", speaker, clips.at("female"),
                                 clips.at("male")));
  warn_of_places("speakers with clips of both genders", both, "speakers");
}

}  // namespace

void extract_to_file(const std::vector<Recording>& recordings, const ExtractionFlags& flags,
                     ExtractionOptions options, const std::filesystem::path& output,
                     const std::string& command, const CommonOptions& common) {
  talk::debug("features {}: {}", fingerprint(options.set), to_json(options.set));
  if (flags.resume)
    options.journal = output.parent_path() / fitting_name(output.filename().string(), ".partial");
  std::optional<RecordingShard> shard;
  if (!flags.shard.empty()) {
    ShardInfo info = shard_info(flags.shard);
    info.command = command;
    shard = take_shard(recordings, options, std::move(info));
  }
  options.may_be_empty = shard.has_value();
  const std::vector<Recording>& chosen = shard ? shard->recordings : recordings;
  if (flags.on_error == OnError::kFail) check_there(chosen);
  warn_of_duplicates(chosen);
  warn_of_speakers(chosen);
  std::optional<Progress> progress(std::in_place, "extracting", "clips", chosen.size(),
                                   common.quiet);
  options.observer = [&](const std::string& failure) {
    if (!failure.empty()) talk::warn("skipped {}", failure);
    progress->advance(1);
  };
  options.on_notice = [](const std::string& file, const std::string& notice) {
    talk::warn_of({notice}, file);
  };
  const std::unique_ptr<FeatureWriter> writer = make_writer(
      flags.format, output, options.set, shard ? std::optional(shard->info) : std::nullopt);
  const ExtractionSummary summary = extract(chosen, options, *writer);
  progress.reset();
  say_summary(summary, output.string());
}

void merge_to_index(const std::vector<std::string>& shards, const std::string& output,
                    const std::vector<std::string>& inputs) {
  try {
    const MergedShards merged = merge_shards({shards.begin(), shards.end()}, output);
    if (merged.skipped > 0) talk::warn("recordings skipped: {}", merged.skipped);
    talk::info("{}: {} clip{} in {} shards", output, merged.clips, merged.clips == 1 ? "" : "s",
               merged.shards);
  } catch (const Error& error) {
    throw Error(with_inputs(error.what(), inputs));
  }
}

std::string command_of_shards(int argc, char** argv) {
  using Words = std::set<std::string, std::less<>>;
  static const Words kOfOne = {"-o", "--output", "--shard", "--threads"};
  static const Words kSilent = {"-q", "--quiet", "-v", "--verbose", "--resume"};
  static const Words kFiles = {"--votes", "--config"};
  std::string command = "ser-extract INPUT...";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i], flag = word.substr(0, word.find('='));
    const bool alone = kSilent.contains(word) || word == "--describe";
    const bool has_value = word.starts_with('-') && !alone && flag == word && i + 1 < argc;
    const std::string value = has_value ? argv[++i] : "";
    if (kOfOne.contains(flag) || kSilent.contains(word) || !word.starts_with('-')) continue;
    if (kFiles.contains(flag))
      command += " " + flag + " FILE";
    else
      command += " " + quoted(word) + (has_value ? " " + quoted(value) : "");
  }
  return command;
}

}  // namespace ser
