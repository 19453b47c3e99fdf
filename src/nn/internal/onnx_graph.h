#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/internal/protobuf.h"
#include "ser/nn/tensor.h"

namespace ser::nn {

/// A graph of operators in the Open Neural Network Exchange format, operator set 13, written piece
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
