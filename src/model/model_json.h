#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/internal/json_io.h"

namespace ser {

/// A model file's JSON, the weights' bytes apart: a base64 string under the key "data" goes from
/// the file's buffer straight into `blobs` and its place in the document holds the blob's index.
struct ModelDocument {
  Json json;
  std::vector<std::vector<std::byte>> blobs;
};

/// Throws Error for text that is not JSON and for what JsonBuilder refuses.
ModelDocument parse_model_document(std::span<const std::byte> text);

}  // namespace ser
