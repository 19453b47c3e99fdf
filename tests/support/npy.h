#pragma once

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace ser {

/// An array of NumPy's .npy format, C order.
struct NpyArray {
  std::vector<long> shape;
  std::vector<float> values;
};

/// Reads little-endian float32 or float64 of format version 1.0.
inline NpyArray read_npy(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < 10 || !bytes.starts_with("\x93NUMPY\x01"))
    throw std::runtime_error(path.string() + ": expected a .npy file of version 1");
  const std::size_t header_size =
      static_cast<unsigned char>(bytes[8]) + 256u * static_cast<unsigned char>(bytes[9]);
  const std::string header = bytes.substr(10, header_size);
  NpyArray array;
  std::size_t count = 1;
  for (const char* at = header.c_str() + header.find("'shape': (") + 10; *at != ')';) {
    if (*at < '0' || *at > '9') {
      ++at;
      continue;
    }
    char* end = nullptr;
    array.shape.push_back(std::strtol(at, &end, 10));
    count *= static_cast<std::size_t>(array.shape.back());
    at = end;
  }
  const bool is_double = header.find("'<f8'") != std::string::npos;
  if (!is_double && header.find("'<f4'") == std::string::npos)
    throw std::runtime_error(path.string() + ": expected float32 or float64");
  const char* data = bytes.data() + 10 + header_size;
  if (bytes.size() != 10 + header_size + count * (is_double ? 8 : 4))
    throw std::runtime_error(path.string() + ": expected as much data as its shape says");
  for (std::size_t i = 0; i < count; ++i) {
    float narrow = 0;
    double wide = 0;
    if (is_double)
      std::memcpy(&wide, data + 8 * i, 8);
    else
      std::memcpy(&narrow, data + 4 * i, 4);
    array.values.push_back(is_double ? static_cast<float>(wide) : narrow);
  }
  return array;
}

}  // namespace ser
