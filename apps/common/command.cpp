#include "command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <sstream>
#include <system_error>

#include "completion.h"
#include "interrupt.h"
#include "ser/core/parallel.h"
#include "ser/core/text.h"
#include "standard_output.h"
#include "talk.h"

namespace ser {
namespace {

constexpr int kMostThreads = 256;

/// " (did you mean '--rate'?)" for a misspelt flag, or for a key of a configuration file.
std::string nearest_flag(const CLI::App& app, const std::string& word) {
  const bool is_flag = word.starts_with("--");
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames())
      names.push_back(is_flag ? "--" + name : name);
  return did_you_mean(word, names);
}

/// What CLI11 says of a number of values, in our words; all else as it is.
std::string said_of_values(const std::string& message) {
  constexpr std::string_view kRequired = " required ", kReceived = "but received ";
  const std::size_t colon = message.find(": "), required = message.find(kRequired);
  if (colon == message.npos || required == message.npos || required < colon) return message;
  const std::string flag = message.substr(0, colon);
  const std::string wanted = to_lower(message.substr(colon + 2, required - colon - 2));
  const std::string rest = message.substr(required + kRequired.size());  // "INT missing"
  if (!rest.starts_with(kReceived))
    return fmt::format("{}: expected {}, found nothing", flag, rest.substr(0, rest.find(' ')));
  return fmt::format("{}: expected {}, found {}", flag, wanted, rest.substr(kReceived.size()));
}

/// What is wrong with the command line, or with the file of --config, in a sentence.
std::string usage_sentence(const CLI::App& app, const CLI::ParseError& error) {
  for (const std::string& word : app.remaining())
    if (word.starts_with('-'))
      return fmt::format("unknown option '{}'{}", word, nearest_flag(app, word));
  std::string message = error.what();
  constexpr std::string_view kUnknownKey = "INI was not able to parse ";
  if (!message.starts_with(kUnknownKey)) return said_of_values(message);
  std::string key = message.substr(kUnknownKey.size());
  if (key.ends_with(".++")) key.resize(key.size() - 3);  // how CLI11 spells a section
  if (key.find('.') != std::string::npos || key.size() < message.size() - kUnknownKey.size())
    return fmt::format("--config: expected flags without [sections], found '{}'", key);
  return fmt::format("--config: unknown option '{}'{}", key, nearest_flag(app, key));
}

/// Throws UsageError where a flag stands in the place of a value, which CLI11 takes it for. A file
/// of that name is ./--name.
void check_values(const CLI::App& app, const std::vector<std::string>& words) {
  std::set<std::string> names, with_value;
  for (const CLI::Option* option : flags_of(app))
    for (const std::string& name : spellings(*option)) {
      names.insert(name);
      if (option->get_items_expected_min() > 0) with_value.insert(name);
    }
  for (std::size_t i = 0; i + 1 < words.size() && words[i] != "--"; ++i)
    if (with_value.contains(words[i]) &&
        names.contains(words[i + 1].substr(0, words[i + 1].find('='))))
      fail<UsageError>("{}: expected a value, found {}", words[i], words[i + 1]);
}

/// Groups one blank line apart.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(34); }
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override {
    return CLI::detail::find_and_replace(CLI::Formatter::make_help(app, std::move(name), mode),
                                         "\n\n\n", "\n\n");
  }
};

/// Throws CLI::ConfigError for a value that begins with a quote or a bracket and does not end:
/// CLI11 takes it as it is.
void check_ends(std::string_view text) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::string_view rest = text.substr(begin);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const std::size_t equals = line.find('=');
    begin += line.size() + 1;
    if (equals == line.npos) continue;
    const std::string_view value = trim(line.substr(equals + 1));
    if (value.empty()) continue;
    const bool is_list = value[0] == '[', is_quoted = value[0] == '"' || value[0] == '\'';
    if ((is_list && rest.find(']', equals) == rest.npos) ||
        (is_quoted && value.find(value[0], 1) == value.npos))
      throw CLI::ConfigError(fmt::format("--config: expected {} to end, found {}",
                                         trim(line.substr(0, equals)), value),
                             CLI::ExitCodes::ConfigError);
  }
}

/// `text` without comments, which # begins outside of quotations, and without a byte order mark.
std::string without_comments(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::string kept;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '#' && quote == 0)
      i = std::min(text.find('\n', i), text.size()) - 1;
    else
      kept += c;
    if (c == '\n' || c == quote)
      quote = 0;
    else if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
  }
  return kept;
}

/// A configuration as CLI11 reads it, unless it, or a value in it, has no end. A list of words is
/// one comma-separated word for flags that take one.
class BoundedConfig : public CLI::ConfigTOML {
 public:
  /// alternatives: as `Command::alternatives`.
  BoundedConfig(const CLI::App& app, const std::vector<std::vector<std::string>>& alternatives)
      : app_(app), alternatives_(alternatives) {
    commentChar = kNoByte;
  }

  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    constexpr std::size_t kMostBytes = 1 << 20;
    std::string text(kMostBytes + 1, '\0');
    input.read(text.data(), text.size());
    text.resize(input.gcount());
    if (text.size() > kMostBytes)
      throw CLI::ConfigError("--config: expected at most 1 MiB, found more",
                             CLI::ExitCodes::ConfigError);
    text = without_comments(text);
    check_ends(text);
    std::istringstream bounded(text);
    std::vector<CLI::ConfigItem> items = CLI::ConfigTOML::from_config(bounded);
    std::erase_if(items, [&](const CLI::ConfigItem& item) { return is_replaced(item.name); });
    for (CLI::ConfigItem& item : items)
      if (item.inputs.size() > 1 && takes_one_word(item.name))
        item.inputs = {join(item.inputs, ",")};
    return items;
  }

 private:
  static constexpr char kNoByte = '\1';

  bool takes_one_word(const std::string& name) const {
    const CLI::Option* option = app_.get_option_no_throw("--" + name);
    return option && option->get_items_expected_max() == 1 &&
           option->get_multi_option_policy() != CLI::MultiOptionPolicy::TakeAll;
  }
  /// Whether the command line gives an alternative of this flag.
  bool is_replaced(const std::string& name) const {
    const auto given = [&](const std::string& other) {
      return other != name && app_.get_option("--" + other)->count() > 0;
    };
    return std::ranges::any_of(alternatives_, [&](const std::vector<std::string>& group) {
      return std::ranges::find(group, name) != group.end() && std::ranges::any_of(group, given);
    });
  }

  const CLI::App& app_;
  const std::vector<std::vector<std::string>>& alternatives_;
};

/// Widest instructions that the compiler could use.
constexpr const char* kInstructions =
#if defined(__AVX512F__)
    "AVX-512";
#elif defined(__AVX2__)
    "AVX2";
#elif defined(__SSE2__)
    "SSE2";
#else
    "scalar";
#endif

std::string version_text(const std::string& name) {
  return fmt::format("{} {}\ncompiler: {}\ninstruction set: {} ({})\nbuild type: {}\nlibraries: {}",
                     name, SER_VERSION, SER_COMPILER, SER_ARCH, kInstructions, SER_BUILD_TYPE,
                     SER_LIBRARIES);
}

int failure(const std::string& command, const std::string& message) {
  talk::put(fmt::format("{}: {}\n", command, talk::printable(message)));
  return 1;
}

int wrong_usage(const std::string& command, const std::string& message) {
  talk::put(fmt::format("{}: {}\nRun '{} --help' for usage.\n", command, talk::printable(message),
                        command));
  return 2;
}

}  // namespace

void CommonOptions::visit(FieldVisitor& v) {
  v.field("seed", seed, "Seed of every random choice", Range{0, INT_MAX});
  v.field("threads", threads, "Threads; 0: all cores. Never changes a result",
          Range{0, kMostThreads});
  v.field("quiet", quiet, "Say nothing but errors");
  v.field("verbose", verbose, "Say more");
}

Command::Command(const std::string& name, const std::string& purpose, const std::string& examples)
    : app_(std::make_unique<CLI::App>(purpose, name)), flags_(*app_) {
  app_->set_version_flag("--version", version_text(name),
                         "Print the version and how it was built, then stop");
  app_->set_help_flag("-h,--help", "Print this help, then stop");
  app_->add_option_function<std::string>(
          "--completion",
          [this](const std::string& shell) {
            throw CLI::CallForVersion(completion_script(*app_, shell), 0);
          },
          "Print what makes this shell complete the flags, then stop")
      ->type_name("bash|zsh")
      ->configurable(false);
  app_->set_config("--config", "", "TOML file of flags; flags on the command line win")
      ->type_name("FILE");
  app_->config_formatter(std::make_shared<BoundedConfig>(*app_, alternatives_));
  app_->allow_config_extras(CLI::config_extras_mode::error);
  app_->footer("Examples:\n" + examples);
  app_->formatter(std::make_shared<HelpFormatter>());
  flags_.alias("quiet", "-q");
  flags_.alias("verbose", "-v");
}

Command::~Command() = default;

void Command::positional(const std::string& name, std::vector<std::string>& values,
                         const std::string& help) {
  app_->add_option(name, values, help)->option_text(" ");
  word_lists_.push_back(&values);
}

void Command::words(const std::string& flag, std::vector<std::string>& values, int count,
                    const std::string& type, const std::string& help, const std::string& group) {
  CLI::Option* option = app_->add_option(flag, values, help)->option_text(type)->group(group);
  if (count > 0) option->expected(count);
  word_lists_.push_back(&values);
}

namespace {

/// The arguments, last first as CLI11 wants them. It takes a word in brackets for a list, of which
/// only the items would be left: such words are guarded by a byte that no argument can hold.
std::vector<std::string> guarded_words(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + std::max(argc, 1));
  for (std::string& word : words)
    if (word.starts_with('[') && word.ends_with(']')) word += kWordGuard;
  std::reverse(words.begin(), words.end());
  return words;
}

/// Takes the place of standard streams that are closed, so that no file which is opened later gets
/// what is meant for one of them. Reading and writing them fails as before.
void hold_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0)
      ::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/// Takes a first piece of memory from the system in one call instead of page by page as it is
/// touched, and keeps it when it is freed: as much as `ser-predict` needs for one clip, which takes
/// 2 ms of processor time less with it. An extraction is no faster. Where the system cannot,
/// nothing is lost.
void populate_heap() {
#ifdef MADV_POPULATE_WRITE
  constexpr std::size_t kBytes = std::size_t{6} << 20, kPage = 4096;
  constexpr int kKeptBytes = 64 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kKeptBytes);
  ::mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  void* const block = std::malloc(kBytes);  // from the heap, and stays there when it is freed
  if (!block) return;
  void* pages = block;
  std::size_t size = kBytes;
  std::align(kPage, kBytes - kPage, pages, size);
  ::madvise(pages, kBytes - kPage, MADV_HUGEPAGE);
  ::madvise(pages, kBytes - kPage, MADV_POPULATE_WRITE);
  std::free(block);
#endif
}

/// Ends a command that threw what is no mistake in its usage: the exception at hand, in a sentence.
int failure_at_hand(const std::string& command) {
  try {
    throw;
  } catch (const Error& error) {
    return failure(command, error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    return failure(command, fmt::format("{}: {}", error.path1().string(), error.code().message()));
  } catch (const std::bad_alloc&) {
    return failure(command, "out of memory");
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) != 0) {
      take_back_half_line();
      return failure(command, "standard output: writing failed: " + error.code().message());
    }
    if (error.code() == std::errc::resource_unavailable_try_again)
      return failure(command, "no thread can be started: the limit of processes is reached");
    return failure(command, fmt::format("internal error: {}", error.what()));
  } catch (const std::exception& error) {
    return failure(command, fmt::format("internal error: {}", error.what()));
  }
}

}  // namespace

int Command::print_text(const CLI::ParseError& what) const {
  try {
    std::ostringstream text;
    app_->exit(what, text, std::cerr);
    std::fputs(text.str().c_str(), stdout);
    flush_stdout();
    return 0;
  } catch (const std::exception& error) {
    return failure(app_->get_name(), error.what());
  }
}

int Command::run(int argc, char** argv, const std::function<int()>& body) {
  hold_closed_streams();
  watch_signals(app_->get_name());
  begin_stdout();
  flags_.add(common_, "Common");
  try {
    check_values(*app_, {argv + std::min(argc, 1), argv + argc});
    app_->parse(guarded_words(argc, argv));
    for (std::vector<std::string>* words : word_lists_)
      for (std::string& word : *words) word = unguarded(std::move(word));
    flags_.assign();
    talk::set_least(common_.quiet     ? talk::Level::kError
                    : common_.verbose ? talk::Level::kDebug
                                      : talk::Level::kInfo);
    populate_heap();
    std::optional<MoreThreadsThanCores> more;
    if (common_.threads > available_threads()) more.emplace(common_.threads);
    talk::debug("{} threads, instruction set: {} ({})",
                common_.threads > 0 ? common_.threads : available_threads(), SER_ARCH,
                kInstructions);
    const int code = body();
    talk::sum_up_notices();
    flush_stdout();
    return code;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return print_text(error);
    return wrong_usage(app_->get_name(), usage_sentence(*app_, error));
  } catch (const UsageError& error) {
    return wrong_usage(app_->get_name(), error.what());
  } catch (...) {
    return failure_at_hand(app_->get_name());
  }
}

}  // namespace ser
