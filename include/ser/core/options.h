#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ser {

class FieldVisitor;

/// A reference to any option struct, so that visitors need no templates.
class Visitable {
 public:
  template <typename Options>
  requires(!std::is_same_v<Options, Visitable>) Visitable(Options& options)
      : options_(&options),
        visit_([](void* object, FieldVisitor& v) { static_cast<Options*>(object)->visit(v); }) {}
  void visit(FieldVisitor& visitor) const { visit_(options_, visitor); }

 private:
  void* options_;
  void (*visit_)(void*, FieldVisitor&);
};

/// A list of objects of different types, each with options of its own, as a visitor sees it.
/// In JSON every object carries its type: {"type": "dense", "units": 128}.
class ObjectList {
 public:
  virtual ~ObjectList() = default;
  virtual std::size_t size() const = 0;
  virtual std::string_view type(std::size_t index) const = 0;
  virtual void visit(std::size_t index, FieldVisitor& visitor) = 0;
  virtual void clear() = 0;
  /// Throws Error, naming the known types, if `type` is none of them.
  virtual void append(std::string_view type) = 0;
};

/// The numbers that a field may hold: Range{1, 4096}, both ends included.
struct Range {
  double low = 0;
  double high = 0;
  bool has_low = true;
  bool has_high = true;

  /// Without its lower end: Range{0, 100}.above() is (0, 100].
  constexpr Range above() const { return {low, high, false, has_high}; }
  /// Without its upper end: Range{0, 1}.below() is [0, 1).
  constexpr Range below() const { return {low, high, has_low, false}; }
  /// False for a value that is no number.
  constexpr bool contains(double value) const {
    return (has_low ? value >= low : value > low) && (has_high ? value <= high : value < high);
  }
};

/// "[1, 4096]", "[0, 1)".
std::string to_string(const Range& range);

/// Walks the fields of an option struct. A struct names each field, with its help and the numbers
/// it may hold, once:
///
///     struct MelOptions {
///       int num_bands = 128;
///       void visit(FieldVisitor& v) {
///         v.field("num_bands", num_bands, "Mel bands", Range{1, 4096});
///       }
///     };
///
/// JSON in and out, command-line flags, `--help`, the detection of misspelt names and the check of
/// ranges are visitors.
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;
  virtual void field(std::string_view name, bool& value, std::string_view help) = 0;
  virtual void field(std::string_view name, int& value, std::string_view help,
                     const Range& range) = 0;
  virtual void field(std::string_view name, double& value, std::string_view help,
                     const Range& range) = 0;
  virtual void field(std::string_view name, std::string& value, std::string_view help) = 0;
  virtual void field(std::string_view name, std::vector<std::string>& value,
                     std::string_view help) = 0;

  /// A field of an enumeration: `names` lists every value with its spelling.
  template <typename Enum>
  void choice(std::string_view name, Enum& value,
              std::initializer_list<std::pair<std::string_view, Enum>> names,
              std::string_view help) {
    std::vector<std::string_view> spellings;
    std::size_t chosen = 0;
    for (const auto& [spelling, enumerator] : names) {
      if (enumerator == value) chosen = spellings.size();
      spellings.push_back(spelling);
    }
    choice_field(name, chosen, spellings, help);
    value = (names.begin() + chosen)->second;
  }

  /// Options nested under `name`.
  void group(std::string_view name, Visitable options) { group_field(name, options); }

  /// A list of typed objects (layers, features).
  virtual void list(std::string_view name, ObjectList& objects) = 0;

 protected:
  virtual void choice_field(std::string_view name, std::size_t& chosen,
                            std::span<const std::string_view> spellings, std::string_view help) = 0;
  virtual void group_field(std::string_view name, const Visitable& options) = 0;
};

/// An owned object of a class hierarchy that is copied with its owner (through `clone()`).
template <typename Base>
class Box {
 public:
  Box() = default;
  Box(std::unique_ptr<Base> object) : object_(std::move(object)) {}
  Box(const Box& other) : object_(other.object_ ? other.object_->clone() : nullptr) {}
  Box(Box&&) noexcept = default;
  Box& operator=(Box other) noexcept {
    object_ = std::move(other.object_);
    return *this;
  }
  Base* operator->() const { return object_.get(); }
  Base& operator*() const { return *object_; }

 private:
  std::unique_ptr<Base> object_;
};

/// Gives `Derived` the `clone()` that Box needs.
template <typename Derived, typename Base>
class Cloneable : public Base {
 public:
  std::unique_ptr<Base> clone() const override {
    return std::make_unique<Derived>(static_cast<const Derived&>(*this));
  }
};

/// A vector of boxes as an ObjectList. `Base` has `type()` and `visit(FieldVisitor&)`;
/// `make(type)` returns a new `std::unique_ptr<Base>` or throws Error.
template <typename Base, typename Make>
class BoxList : public ObjectList {
 public:
  BoxList(std::vector<Box<Base>>& boxes, Make make) : boxes_(boxes), make_(make) {}
  std::size_t size() const override { return boxes_.size(); }
  std::string_view type(std::size_t index) const override { return boxes_[index]->type(); }
  void visit(std::size_t index, FieldVisitor& visitor) override { boxes_[index]->visit(visitor); }
  void clear() override { boxes_.clear(); }
  void append(std::string_view type) override { boxes_.push_back(make_(type)); }

 private:
  std::vector<Box<Base>>& boxes_;
  Make make_;
};

namespace detail {

std::string write_options(const Visitable& options, int indent);
void check_ranges(const Visitable& options);

}  // namespace detail

/// The options as JSON text, every field written, in the order of `visit()`.
/// indent: spaces a level; -1 writes one line.
template <typename Options>
std::string to_json(Options options, int indent = -1) {
  return detail::write_options(options, indent);
}

/// Sets the fields named in `json`; the others keep their value.
/// Throws Error for JSON that cannot be parsed, an unknown name (with the nearest known one), a
/// value of the wrong type, or a number outside its range.
void from_json(std::string_view json, Visitable options);

/// Throws Error, naming the field, if a number is outside its range. Options that a program filled
/// in are checked so where they enter the library; the readers of JSON and flags check each value.
template <typename Options>
void check_ranges(Options options) {
  detail::check_ranges(options);
}

}  // namespace ser
