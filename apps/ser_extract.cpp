#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "common/command.h"
#include "common/extraction.h"
#include "ser/core/text.h"
#include "ser/corpus/corpus.h"

namespace {

constexpr const char* kExamples =
    "  ser-extract data/ravdess -o features.safetensors\n"
    "  ser-extract data/ravdess --features classic --rate 22050 -o classic.safetensors\n"
    "  ser-extract talk.wav --features mfcc,f0,energy --format csv -o talk.csv\n"
    "  ser-extract data/ravdess --emotions happy,sad,angry --map calm=neutral -o few.safetensors\n";

struct Options {
  std::vector<std::string> inputs;
  std::string output;
  std::string corpus = "auto";
  ser::ExtractionOptions extraction;
  std::vector<std::string> emotions;
  std::vector<std::string> map;

  void visit(ser::FieldVisitor& v) {
    v.field("output", output, "Feature file to write");
    v.field("corpus", corpus, ser::join(ser::corpus_kinds(), "|"));
    v.group("extraction", extraction);
    v.field("emotions", emotions, "Use only these classes");
    v.field("map", map, "Merge classes first: calm=neutral,...");
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
  spdlog::info("{}: {} clips, {} rows of {} features", output, summary.clips, summary.frames,
               summary.rows);
}

void check_corpus(const std::string& corpus) {
  const std::vector<std::string> kinds = ser::corpus_kinds();
  if (std::find(kinds.begin(), kinds.end(), corpus) == kinds.end())
    throw ser::UsageError(fmt::format("--corpus: expected one of {}, found '{}'{}",
                                      ser::join(kinds, ", "), corpus,
                                      ser::did_you_mean(corpus, kinds)));
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  ser::Command command("ser-extract", "Turns recordings into a feature file.", kExamples);
  command.positional("INPUT", options.inputs, "Corpus folders, audio files or manifest.csv files",
                     ser::Presence::kRequired);
  command.flags().alias("output", "-o");
  command.flags().add(options, "Extraction");
  return command.run(argc, argv, [&] {
    if (options.output.empty()) throw ser::UsageError("expected an output file: -o FILE");
    check_corpus(options.corpus);
    const std::vector<ser::Recording> recordings =
        ser::find_recordings(options.inputs, options.corpus, options.emotions, options.map);
    ser::warn_of_duplicates(recordings);
    const ser::ExtractionSummary summary =
        ser::extract_to_file(recordings, options.extraction, options.output, command.common());
    report(summary, options.output);
    return 0;
  });
}
