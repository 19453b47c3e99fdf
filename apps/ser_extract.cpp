#include <algorithm>

#include "common/clip_plots.h"
#include "common/command.h"
#include "common/extraction.h"
#include "common/outputs.h"
#include "common/survey.h"
#include "common/talk.h"
#include "common/team.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"

namespace {

constexpr const char* kExamples =
    "  ser-extract data/ravdess -o features.safetensors\n"
    "  ser-extract data/ravdess --features classic --rate 22050 -o classic.safetensors\n"
    "  ser-extract talk.wav --features mfcc,f0,energy --format csv -o talk.csv\n"
    "  ser-extract data/ravdess --emotions happy,sad,neutral --map calm=neutral -o "
    "few.safetensors\n"
    "  ser-extract data/ravdess --describe --report data.html\n"
    "  ser-extract calls/ --shard 2/8 --resume -o calls-2.safetensors\n"
    "  ser-extract calls/ --merge calls-*.safetensors -o calls.safetensors\n"
    "  ser-extract talk.wav --plot pictures/ --plot-format png\n"
    "  ser-extract data/ravdess --plot pictures/ --pictures mfcc,chroma --rate 0\n";

struct Options {
  std::vector<std::string> inputs;
  std::vector<std::string> merge;
  std::string command;  ///< that makes shards, as it is kept in them
  std::string output;
  ser::CorpusOptions corpus;
  ser::ExtractionFlags extraction;

  void visit(ser::FieldVisitor& v) {
    v.field("output", output, "Feature file to write, or with --merge its index");
    v.group("corpus", corpus);
    v.group("extraction", extraction);
  }
};

void check_corpus(const std::string& corpus) {
  const std::vector<std::string> kinds = ser::corpus_kinds();
  if (std::find(kinds.begin(), kinds.end(), corpus) == kinds.end())
    ser::fail<ser::UsageError>("--corpus: expected one of {}, found '{}'{}", ser::join(kinds, ", "),
                               corpus, ser::did_you_mean(corpus, kinds));
}

/// Flags that would change nothing are wrong usage.
void check_flags(const Options& options, const ser::PlotOptions& plots,
                 const ser::SurveyOptions& survey, const ser::Flags& flags) {
  ser::check_survey_flags(survey, flags);
  if (options.output.empty() && plots.plot.empty() && !survey.describe)
    throw ser::UsageError(
        "expected an output file, -o FILE, a folder for pictures, --plot DIR, or --describe");
  const std::string needs = "expected together with -o FILE";
  if (options.output.empty() && !survey.describe)
    flags.refuse({"pool", "augment", "format"}, needs);
  if (options.output.empty()) flags.refuse({"shard", "resume"}, needs);
  if (!options.extraction.shard.empty() &&
      options.extraction.format != ser::TableFormat::kSafetensors)
    throw ser::UsageError("--shard: expected --format safetensors, whose shards are read as one");
  if (plots.plot.empty())
    flags.refuse({"pictures", "plot_format"}, "expected together with --plot DIR");
  ser::check_pictures(plots);
  check_corpus(options.corpus.corpus);
}

void check_files(const Options& options, const ser::PlotOptions& plots,
                 const ser::SurveyOptions& survey, const std::vector<std::string>& inputs) {
  ser::check_outputs({{"-o", options.output, ser::FileKind::kFeatures},
                      {"--report", survey.report, ser::FileKind::kPage},
                      {"--plot", plots.plot, ser::FileKind::kPicture, true}},
                     inputs);
}

std::vector<std::string> files_of(const std::vector<ser::Recording>& recordings) {
  std::vector<std::string> files;
  for (const ser::Recording& recording : recordings) files.push_back(recording.file);
  return files;
}

int merge(const Options& options, const ser::Flags& flags) {
  flags.refuse({"corpus", "votes", "emotions", "map", "features", "pool", "rate", "trim_db",
                "augment", "format", "on_error", "shard", "resume"},
               "shards have it, with --merge it has no place");
  if (options.output.empty()) throw ser::UsageError("--merge: expected an output, -o FILE");
  ser::check_outputs({{"-o", options.output, ser::FileKind::kFeatures}}, options.merge);
  ser::merge_to_index(options.merge, options.output, options.inputs);
  return 0;
}

int extract(const Options& options, const ser::PlotOptions& plots, const ser::SurveyOptions& survey,
            const ser::Flags& flags, const ser::CommonOptions& common) {
  if (!options.merge.empty()) return merge(options, flags);
  if (options.inputs.empty()) throw ser::UsageError("expected an INPUT, or --merge SHARD...");
  check_flags(options, plots, survey, flags);
  check_files(options, plots, survey, options.inputs);
  const ser::ExtractionOptions asked = ser::extraction_options(options.extraction, common);
  if (options.extraction.shard.empty())
    ser::warn_if_launched("each extracts every recording; --shard I/N gives each its part");
  else
    ser::warn_of_shared_shard(ser::parse_shard(options.extraction.shard).number);
  const std::vector<ser::Recording> recordings =
      ser::find_recordings(options.inputs, options.corpus);
  check_files(options, plots, survey, files_of(recordings));
  if (survey.describe) ser::describe_recordings(recordings, survey, common);
  if (!plots.plot.empty()) {
    const std::size_t written =
        ser::plot_recordings(recordings, asked.set, plots, asked.on_error, common);
    ser::talk::info("{}: {} picture{}", plots.plot, written, written == 1 ? "" : "s");
  }
  if (options.output.empty()) return 0;
  ser::extract_to_file(recordings, options.extraction, asked, options.output, options.command,
                       common);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  ser::PlotOptions plots;
  ser::SurveyOptions survey;
  ser::Command command("ser-extract", "Turns recordings into a feature file, or into pictures.",
                       kExamples);
  command.positional("INPUT", options.inputs, "Corpus folders, audio files or manifest.csv files");
  command.words("--merge", options.merge, 0, "SHARD...",
                "Write the index -o by which shards, beside it, are read as one file; with INPUT, "
                "the commands for what is missing name it",
                "Extraction");
  command.flags().alias("output", "-o");
  command.flags().show_as("FILE", {"output", "report", "votes"});
  command.flags().show_as("KIND", {"corpus"});
  command.flags().show_as("SET", {"features"});
  command.flags().show_as("HOW", {"pool"});
  command.flags().show_as("LIST", {"augment"});
  command.flags().show_as("I/N", {"shard"});
  command.flags().show_as("DIR", {"plot"});
  command.flags().add(options, "Extraction");
  command.flags().add(survey, "Analysis");
  command.flags().add(plots, "Pictures");
  options.command = ser::command_of_shards(argc, argv);
  return command.run(argc, argv, [&] {
    return extract(options, plots, survey, command.flags(), command.common());
  });
}
