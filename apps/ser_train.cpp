#include "common/team.h"
#include "common/training.h"

namespace {

constexpr const char* kExamples =
    "  ser-train features.safetensors -o model.json\n"
    "  ser-train features.safetensors -o model.json --recipe my-recipe.json --epochs 100\n"
    "  ser-train features.safetensors -o fold3.json --cv speakers:6 --fold 3\n"
    "  ser-train features.safetensors --model mlp --describe\n"
    "  ser-train features.safetensors --search space.json --trials 40 --cv speakers:6 -o "
    "best.json\n"
    "  ser-train --combine mlp.json cnn.json --weights f16 -o ensemble.json\n"
    "  ser-train --combine model.json --export model.onnx\n";

}  // namespace

int main(int argc, char** argv) {
  ser::TrainingFlags options;
  ser::Command command("ser-train", "Trains a model on a feature file.", kExamples);
  command.positional("FEATURES", options.inputs,
                     "Feature files of ser-extract, of one corpus or of several");
  command.words("--combine", options.combine, 0, "MODEL...",
                "Make one model of several instead of training: an ensemble", "Training");
  command.alternatives({"model", "recipe"});
  command.flags().alias("output", "-o");
  command.flags().show_as("FILE", {"output", "export", "recipe", "search", "checkpoint", "report"});
  command.flags().show_as("NAME", {"model"});
  command.flags().show_as("I/N", {"shard"});
  command.flags().show_as("SCHEME", {"cv"});
  command.flags().add(options, "Training");
  return command.run(argc, argv, [&] {
    ser::CommonOptions common = command.common();
    return ser::run_in_team(common, [&](ser::Team& team) {
      ser::train(options, command.flags(), common, team);
      return 0;
    });
  });
}
