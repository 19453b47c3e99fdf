#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "common/clip_plots.h"
#include "common/command.h"
#include "common/extraction.h"
#include "common/outputs.h"
#include "common/survey.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"

namespace {

constexpr const char* kExamples =
    "  ser-extract data/ravdess -o features.safetensors\n"
    "  ser-extract data/ravdess --features classic --rate 22050 -o classic.safetensors\n"
    "  ser-extract talk.wav --features mfcc,f0,energy --format csv -o talk.csv\n"
    "  ser-extract data/ravdess --emotions happy,sad,angry --map calm=neutral -o few.safetensors\n"
    "  ser-extract data/ravdess --describe --report data.html\n"
    "  ser-extract talk.wav --plot pictures/ --plot-format png\n"
    "  ser-extract data/ravdess --plot pictures/ --pictures mfcc,chroma --rate 0\n";

struct Options {
  std::vector<std::string> inputs;
  std::string output;
  ser::CorpusOptions corpus;
  ser::ExtractionFlags extraction;

  void visit(ser::FieldVisitor& v) {
    v.field("output", output, "Feature file to write");
    v.group("corpus", corpus);
    v.group("extraction", extraction);
  }
};

void report(const ser::ExtractionSummary& summary, const std::string& output) {
  if (summary.skipped > 0) spdlog::warn("recordings skipped: {}", summary.skipped);
  if (summary.without_emotion > 0)
    spdlog::warn("clips without emotion: {}; training and scoring will refuse them",
                 summary.without_emotion);
  if (summary.without_gender > 0)
    spdlog::warn("clips without gender: {}; a model of them tells the emotion only",
                 summary.without_gender);
  spdlog::info("{}: {} clip{}, {} row{} of {} feature{}", output, summary.clips,
               summary.clips == 1 ? "" : "s", summary.frames, summary.frames == 1 ? "" : "s",
               summary.rows, summary.rows == 1 ? "" : "s");
}

void check_corpus(const std::string& corpus) {
  const std::vector<std::string> kinds = ser::corpus_kinds();
  if (std::find(kinds.begin(), kinds.end(), corpus) == kinds.end())
    throw ser::UsageError(fmt::format("--corpus: expected one of {}, found '{}'{}",
                                      ser::join(kinds, ", "), corpus,
                                      ser::did_you_mean(corpus, kinds)));
}

/// Flags that would change nothing are wrong usage.
void check_flags(const Options& options, const ser::PlotOptions& plots,
                 const ser::SurveyOptions& survey, const ser::Flags& flags) {
  ser::check_survey_flags(survey, flags);
  if (options.output.empty() && plots.plot.empty() && !survey.describe)
    throw ser::UsageError(
        "expected an output file, -o FILE, a folder for pictures, --plot DIR, or --describe");
  const auto refuse = [&](std::initializer_list<const char*> fields, const char* needed) {
    for (const char* field : fields)
      if (flags.given(field))
        throw ser::UsageError(
            fmt::format("{}: expected together with {}", ser::flag_name(field), needed));
  };
  if (options.output.empty() && !survey.describe) refuse({"pool", "augment", "format"}, "-o FILE");
  if (plots.plot.empty()) refuse({"pictures", "plot_format"}, "--plot DIR");
  check_corpus(options.corpus.corpus);
}

/// Looks at all that a run will write.
void check_files(const Options& options, const ser::PlotOptions& plots,
                 const ser::SurveyOptions& survey, const std::vector<std::string>& inputs) {
  ser::check_outputs({{"-o", options.output, ser::OutputKind::kFeatures},
                      {"--report", survey.report, ser::OutputKind::kPage},
                      {"--plot", plots.plot, ser::OutputKind::kFolder}},
                     inputs);
}

int extract(const Options& options, const ser::PlotOptions& plots, const ser::SurveyOptions& survey,
            const ser::Flags& flags, const ser::CommonOptions& common) {
  check_flags(options, plots, survey, flags);
  check_files(options, plots, survey, options.inputs);
  const std::vector<ser::Recording> recordings =
      ser::find_recordings(options.inputs, options.corpus);
  std::vector<std::string> files;
  for (const ser::Recording& recording : recordings) files.push_back(recording.file.string());
  check_files(options, plots, survey, files);
  if (survey.describe) ser::describe_recordings(recordings, survey, common);
  if (!plots.plot.empty()) {
    const std::size_t written =
        ser::plot_recordings(recordings, ser::feature_set(options.extraction), plots,
                             options.extraction.on_error, common);
    spdlog::info("{}: {} picture{}", plots.plot, written, written == 1 ? "" : "s");
  }
  if (options.output.empty()) return 0;
  ser::warn_of_duplicates(recordings);
  const ser::ExtractionSummary summary =
      ser::extract_to_file(recordings, options.extraction, options.output, common);
  report(summary, options.output);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  ser::PlotOptions plots;
  ser::SurveyOptions survey;
  ser::Command command("ser-extract", "Turns recordings into a feature file, or into pictures.",
                       kExamples);
  command.positional("INPUT", options.inputs, "Corpus folders, audio files or manifest.csv files",
                     ser::Presence::kRequired);
  command.flags().alias("output", "-o");
  for (const char* field : {"output", "report"}) command.flags().show_as(field, "FILE");
  command.flags().show_as("corpus", "KIND");
  command.flags().show_as("votes", "FILE");
  command.flags().show_as("features", "SET");
  command.flags().show_as("pool", "HOW");
  command.flags().show_as("augment", "LIST");
  command.flags().show_as("plot", "DIR");
  command.flags().add(options, "Extraction");
  command.flags().add(survey, "Analysis");
  command.flags().add(plots, "Pictures");
  return command.run(argc, argv, [&] {
    return extract(options, plots, survey, command.flags(), command.common());
  });
}
