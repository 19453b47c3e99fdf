#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/internal/json_io.h"

namespace ser {

/// A model file's JSON, the weights' bytes apart: a base64 string under the key "data" goes from
/// the file's buffer straight into `blobs` and its place in the document holds the blob's index. So
/// does a list of hashes under the key "recordings", thousands of words, if there is only one: the
/// document holds an empty list.
struct ModelDocument {
  Json json;
  std::vector<std::vector<std::byte>> blobs;
  std::vector<std::string> recordings;
};

/// Throws Error for text that is not JSON and for what JsonBuilder refuses.
ModelDocument parse_model_document(std::span<const std::byte> text);

}  // namespace ser
