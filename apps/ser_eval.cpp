#include "common/scoring.h"
#include "common/team.h"

namespace {

constexpr const char* kExamples =
    "  ser-eval features.safetensors --cv speakers:6 --train mlp --report report.html\n"
    "  ser-eval features.safetensors --model fold3.json --cv speakers:6 --fold 3 -o r3.json\n"
    "  ser-eval --average mlp.json cnn.json -o ensemble.json\n"
    "  ser-eval --merge r0.json r1.json r2.json -o results.json\n"
    "  ser-eval --compare a.json b.json\n";

}  // namespace

int main(int argc, char** argv) {
  ser::ScoringFlags options;
  ser::Command command("ser-eval", "Scores models on speakers they have not heard.", kExamples);
  command.positional(
      "FEATURES", options.features,
      "Feature files of ser-extract: of one corpus or several, of each set that a model reads");
  command.words("--merge", options.merge, 0, "FILE...", "Pool result files of folds scored apart",
                "Scoring");
  command.words("--average", options.average, 0, "FILE...",
                "Pool the probabilities of models scored on the same folds: an ensemble's score",
                "Scoring");
  command.words("--compare", options.compare, 2, "A B",
                "Paired test of two result files on the same clips", "Scoring");
  command.alternatives({"model", "train", "merge", "average", "compare"});
  command.flags().alias("output", "-o");
  command.flags().show_as("FILE", {"output", "model", "report"});
  command.flags().show_as("DIR", {"checkpoint"});
  command.flags().show_as("RECIPE", {"train"});
  command.flags().show_as("SCHEME", {"cv"});
  command.flags().show_as("LIST", {"heard"});
  command.flags().add(options, "Scoring");
  return command.run(argc, argv, [&] {
    ser::CommonOptions common = command.common();
    return ser::run_in_team(common, [&](ser::Team& team) {
      ser::evaluate(options, command.flags(), common, team);
      return 0;
    });
  });
}
