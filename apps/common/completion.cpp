#include "completion.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "command.h"
#include "ser/core/text.h"

namespace ser {

std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

std::vector<const CLI::Option*> flags_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

namespace {

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

/// The words that an option's type, or else the beginning of its help, lists as a|b|c.
std::vector<std::string> choices(const CLI::Option& option) {
  for (const std::string& text : {option.get_type_name(), option.get_description()}) {
    const std::string word = text.substr(0, text.find_first_of(" :;,"));
    if (word.find('|') != std::string::npos) return split(word, '|');
  }
  return {};
}

std::string bash_script(const CLI::App& app) {
  std::string cases, words;
  for (const CLI::Option* option : flags_of(app)) {
    words += (words.empty() ? "" : " ") + join(spellings(*option), " ");
    const std::vector<std::string> values = choices(*option);
    if (takes_value(*option))
      cases +=
          fmt::format("    {}) words='{}' ;;\n", join(spellings(*option), "|"), join(values, " "));
  }
  return fmt::format(
      "_{0}() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} words\n"
      "  case ${{COMP_WORDS[COMP_CWORD-1]}} in\n{1}"
      "    *) [[ $current == -* ]] && words='{2}' ;;\n"
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
      "}}\n"
      "complete -o default -F _{0} {0}",
      app.get_name(), cases, words);
}

/// Text for a single-quoted specification of zsh's _arguments.
std::string zsh_quoted(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted;
}

std::string zsh_script(const CLI::App& app) {
  std::string specifications;
  for (const CLI::Option* option : flags_of(app)) {
    const std::vector<std::string> names = spellings(*option), values = choices(*option);
    const std::string& type = option->get_type_name();
    const bool is_number = type.starts_with("INT") || type.starts_with("NUMBER");
    const std::string action = !values.empty() ? fmt::format("({})", join(values, " "))
                               : is_number     ? " "
                                               : "_files";
    const std::string value =
        takes_value(*option) ? fmt::format(":{}:{}", zsh_quoted(type), action) : "";
    const bool repeats = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    const std::string once = repeats ? "*" : fmt::format("({})", join(names, " "));
    for (const std::string& name : names)
      specifications += fmt::format("    '{}{}[{}]{}' \\\n", once, name,
                                    zsh_quoted(option->get_description()), value);
  }
  return fmt::format(
      "#compdef {0}\n"
      "_{0}() {{\n"
      "  _arguments \\\n{1}"
      "    '*:file:_files'\n"
      "}}\n"
      "if [[ ${{funcstack[1]}} == _{0} ]]; then _{0} \"$@\"; else compdef _{0} {0}; fi",
      app.get_name(), specifications);
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") return bash_script(app);
  if (shell == "zsh") return zsh_script(app);
  fail<UsageError>("--completion: expected bash or zsh, found '{}'{}", shell,
                   did_you_mean(shell, std::vector<std::string>{"bash", "zsh"}));
}

}  // namespace ser
