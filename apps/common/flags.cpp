#include "flags.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <optional>

#include "command.h"
#include "ser/core/text.h"

namespace ser {

std::string unguarded(std::string word) {
  if (word.ends_with(kWordGuard)) word.pop_back();
  return word;
}

std::string flag_name(std::string_view field) {
  std::string name = "--" + std::string(field);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

class Flags::Registrar : public FieldVisitor {
 public:
  Registrar(Flags& flags, std::string group) : flags_(flags), group_(std::move(group)) {}

  void field(std::string_view name, bool&, std::string_view help) override {
    keep(name, flags_.app_.add_flag_callback(
                   spelling(name), [] {}, std::string(help)));
  }
  void field(std::string_view name, int& value, std::string_view help,
             const Range& range) override {
    option(name, "INT", value == kUnsetInt ? "" : std::to_string(value), with_range(help, range));
  }
  void field(std::string_view name, double& value, std::string_view help,
             const Range& range) override {
    option(name, "NUMBER", value == kUnsetNumber ? "" : fmt::format("{}", value),
           with_range(help, range));
  }
  void field(std::string_view name, std::string& value, std::string_view help) override {
    const auto type = flags_.types_.find(std::string(name));
    option(name, type == flags_.types_.end() ? "TEXT" : type->second, value, help);
  }
  void field(std::string_view name, std::vector<std::string>&, std::string_view help) override {
    const auto type = flags_.types_.find(std::string(name));
    option(name, type == flags_.types_.end() ? "A,B,..." : type->second, "", help)->take_all();
  }
  void list(std::string_view, ObjectList&) override {}

 protected:
  void choice_field(std::string_view name, std::size_t& chosen,
                    std::span<const std::string_view> spellings, std::string_view help) override {
    option(name, fmt::format("{}", fmt::join(spellings, "|")), std::string(spellings[chosen]),
           help);
  }
  void group_field(std::string_view, const Visitable& options) override { options.visit(*this); }

 private:
  static std::string with_range(std::string_view help, const Range& range) {
    return fmt::format("{} {}", help, to_string(range));
  }
  std::string spelling(std::string_view name) const {
    const auto alias = flags_.aliases_.find(std::string(name));
    return (alias == flags_.aliases_.end() ? "" : alias->second + ",") + flag_name(name);
  }
  CLI::Option* option(std::string_view name, std::string type, const std::string& shown,
                      std::string_view help) {
    CLI::Option* option = flags_.app_.add_option(
        spelling(name), [](const CLI::results_t&) { return true; }, std::string(help));
    option->type_name(std::move(type));
    option->expected(1);
    if (!shown.empty()) option->default_str(shown);
    return keep(name, option);
  }
  CLI::Option* keep(std::string_view name, CLI::Option* option) {
    option->group(group_);
    flags_.flags_[std::string(name)] = option;
    return option;
  }

  Flags& flags_;
  std::string group_;
};

class Flags::Assigner : public FieldVisitor {
 public:
  explicit Assigner(const Flags& flags) : flags_(flags) {}

  void field(std::string_view name, bool& value, std::string_view) override {
    // A file may say "quiet = false".
    const auto text = word(name);
    if (!text) return;
    if (*text != "true" && *text != "false")
      fail<UsageError>("{}: expected true or false, found '{}'", flag_name(name), *text);
    value = *text == "true";
  }
  void field(std::string_view name, int& value, std::string_view, const Range& range) override {
    if (const auto text = word(name))
      value = inside(range, name, parse_int(*text, flag_name(name)));
  }
  void field(std::string_view name, double& value, std::string_view, const Range& range) override {
    if (const auto text = word(name))
      value = inside(range, name, parse_double(*text, flag_name(name)));
  }
  void field(std::string_view name, std::string& value, std::string_view) override {
    if (const auto text = word(name)) value = *text;
  }
  void field(std::string_view name, std::vector<std::string>& value, std::string_view) override {
    if (!flags_.given(std::string(name))) return;
    value.clear();
    const bool whole = flags_.types_.contains(std::string(name));  // one PATH may have commas
    for (const std::string& word : flags_.flags_.at(std::string(name))->results())
      if (whole)
        value.push_back(unguarded(word));
      else
        for (std::string& part : split(word, ',')) value.push_back(std::move(part));
  }
  void list(std::string_view, ObjectList&) override {}

 protected:
  void choice_field(std::string_view name, std::size_t& chosen,
                    std::span<const std::string_view> spellings, std::string_view) override {
    const auto text = word(name);
    if (!text) return;
    const auto found = std::find(spellings.begin(), spellings.end(), *text);
    if (found == spellings.end())
      fail<UsageError>("{}: expected one of {}, found '{}'{}", flag_name(name),
                       fmt::join(spellings, ", "), *text, did_you_mean(*text, spellings));
    chosen = found - spellings.begin();
  }
  void group_field(std::string_view, const Visitable& options) override { options.visit(*this); }

 private:
  std::optional<std::string> word(std::string_view name) const {
    const CLI::Option* option = flags_.flags_.at(std::string(name));
    if (option->count() == 0) return std::nullopt;
    return unguarded(option->results().back());
  }
  template <typename Number>
  static Number inside(const Range& range, std::string_view name, Number value) {
    if (!range.contains(value))
      fail<UsageError>("{}: expected {}, found {}", flag_name(name), to_string(range), value);
    return value;
  }
  const Flags& flags_;
};

void Flags::register_fields(const Visitable& options, const std::string& group) {
  Registrar registrar(*this, group);
  options.visit(registrar);
  structs_.push_back(options);
}

void Flags::assign() {
  Assigner assigner(*this);
  try {
    for (const Visitable& options : structs_) options.visit(assigner);
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

bool Flags::given(const std::string& field) const { return flags_.at(field)->count() > 0; }

void Flags::refuse(std::initializer_list<const char*> fields, const std::string& why) const {
  for (const char* field : fields)
    if (given(field)) throw UsageError(flag_name(field) + ": " + why);
}

}  // namespace ser
