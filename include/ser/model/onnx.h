#pragma once

#include <filesystem>

#include "ser/model/model.h"

namespace ser {

/// Writes a model for other programs: an ONNX file (Open Neural Network Exchange, operator set 10)
/// of all that comes after the features, for a voice of which nothing was heard.
///
/// Inputs, float32, one for each feature set that a member reads, named as its preset
/// ("functionals", "frames") or "features_<fingerprint>": a pooled set [N, rows], any other
/// [N, T, rows], T being the same for all N clips (none is padded). Outputs, float32: "emotion",
/// probabilities [N, emotions], and "gender", [N, genders], if the model tells it.
/// Metadata: "emotion" and "gender", the names of the classes; "uncertain_below"; for each input
/// "<input>.rows", the names of its rows, and "<input>.features", its options as JSON. Lists are
/// separated by commas.
void write_onnx(const Model& model, const std::filesystem::path& path);

}  // namespace ser
