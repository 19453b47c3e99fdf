#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ser/nn/tensor.h"

namespace ser::nn {

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

/// A graph of operators in the Open Neural Network Exchange format, operator set 10, written piece
/// by piece. Values are known by name; all are float32, but for lists of whole numbers.
class OnnxGraph {
 public:
  using Sizes = std::vector<std::int64_t>;
  /// A size of an axis, or the name of one that differs from run to run.
  using Axis = std::variant<std::int64_t, std::string>;
  using Attribute =
      std::pair<std::string_view, std::variant<std::int64_t, float, Sizes, std::string>>;

  void add_input(std::string_view name, const std::vector<Axis>& axes);
  void add_output(std::string_view name, const std::vector<Axis>& axes);
  /// What is said of the whole file.
  void add_metadata(std::string_view key, std::string_view value);

  /// The name of a value that never changes. values: in C order, as many as `sizes` multiply to.
  std::string constant(const Vector& values, const Sizes& sizes);
  /// ... that is a list: a shape, or indices.
  std::string constant(const Sizes& values);

  /// The name of the output of a new node, which is `output` unless that is empty.
  std::string add(std::string_view op, const std::vector<std::string>& inputs,
                  const std::vector<Attribute>& attributes = {}, const std::string& output = {});

  /// `x` under another shape: 0 leaves an axis as it is, -1 takes what is left.
  std::string reshape(const std::string& x, const Sizes& sizes);
  /// Axis i of the result is axis axes[i] of `x`.
  std::string transpose(const std::string& x, const Sizes& axes);
  /// Elements [begin, end) of an axis; what is negative counts from its end.
  std::string slice(const std::string& x, std::int64_t axis, std::int64_t begin, std::int64_t end);

  std::string file() const;

 private:
  std::string next_name(std::string_view kind);
  std::string add_constant(int type, const Sizes& sizes, std::string_view bytes);

  ProtobufMessage graph_;
  ProtobufMessage metadata_;  ///< fields of the file beside the graph
  std::map<Sizes, std::string> lists_;
  int names_ = 0;
};

}  // namespace ser::nn
