#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace ser {

/// The bytes of a Protocol Buffers message, field after field in the order they are added
/// (https://protobuf.dev/programming-guides/encoding). A message within it is a field of its bytes.
class ProtobufMessage {
 public:
  ProtobufMessage& add(int field, std::int64_t value) {
    put_varint(static_cast<std::uint64_t>(field) << 3);
    put_varint(value);
    return *this;
  }
  ProtobufMessage& add(int field, std::same_as<float> auto value) {
    put_varint(static_cast<std::uint64_t>(field) << 3 | 5);
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift);
    return *this;
  }
  ProtobufMessage& add(int field, std::string_view bytes) {
    put_varint(static_cast<std::uint64_t>(field) << 3 | 2);
    put_varint(bytes.size());
    bytes_ += bytes;
    return *this;
  }
  ProtobufMessage& add(int field, const ProtobufMessage& message) {
    return add(field, std::string_view(message.bytes_));
  }

  const std::string& bytes() const { return bytes_; }

 private:
  /// Seven bits a byte, lowest first; the eighth says that more follow.
  void put_varint(std::uint64_t value) {
    for (; value > 127; value >>= 7) bytes_ += static_cast<char>(value | 128);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace ser
