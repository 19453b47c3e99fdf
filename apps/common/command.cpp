#include "command.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <exception>
#include <new>

namespace ser {
namespace {

/// Talk goes to stderr: "warning: ...", coloured on a terminal unless NO_COLOR is set.
void set_up_log(const CommonOptions& options) {
  const auto colours =
      std::getenv("NO_COLOR") ? spdlog::color_mode::never : spdlog::color_mode::automatic;
  auto log = spdlog::stderr_color_st("ser", colours);
  log->set_pattern("%^%l%$: %v");
  log->set_level(options.quiet     ? spdlog::level::err
                 : options.verbose ? spdlog::level::debug
                                   : spdlog::level::info);
  spdlog::set_default_logger(log);
}

}  // namespace

void CommonOptions::visit(FieldVisitor& v) {
  v.field("seed", seed, "Seed of every random choice");
  v.field("threads", threads, "Threads; 0: all cores. Never changes a result");
  v.field("quiet", quiet, "Say nothing but errors");
  v.field("verbose", verbose, "Say more");
}

Command::Command(const std::string& name, const std::string& purpose, const std::string& examples)
    : app_(std::make_unique<CLI::App>(purpose, name)), flags_(*app_) {
  app_->set_version_flag("--version", fmt::format("{} {}", name, SER_VERSION));
  app_->set_config("--config", "", "TOML file of flags; flags on the command line win");
  app_->allow_config_extras(CLI::config_extras_mode::error);
  app_->footer("Examples:\n" + examples);
  app_->get_formatter()->column_width(34);
  flags_.alias("quiet", "-q");
  flags_.alias("verbose", "-v");
}

Command::~Command() = default;

void Command::positional(const std::string& name, std::string& value, const std::string& help,
                         Presence presence) {
  app_->add_option(name, value, help)->required(presence == Presence::kRequired);
}

void Command::positional(const std::string& name, std::vector<std::string>& values,
                         const std::string& help, Presence presence) {
  app_->add_option(name, values, help)->required(presence == Presence::kRequired);
}

void Command::words(const std::string& flag, std::vector<std::string>& values, int count,
                    const std::string& type, const std::string& help) {
  CLI::Option* option = app_->add_option(flag, values, help)->type_name(type);
  if (count > 0) option->expected(count);
}

int Command::run(int argc, char** argv, const std::function<int()>& body) {
  flags_.add(common_, "Common");
  try {
    app_->parse(argc, argv);
    flags_.assign();
    set_up_log(common_);
    return body();
  } catch (const CLI::ParseError& error) {
    return app_->exit(error, std::cout, std::cerr) == 0 ? 0 : 2;
  } catch (const UsageError& error) {
    fmt::print(stderr, "{}: {}\nRun '{} --help' for usage.\n", app_->get_name(), error.what(),
               app_->get_name());
    return 2;
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", app_->get_name(), error.what());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{}: out of memory\n", app_->get_name());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: internal error: {}\n", app_->get_name(), error.what());
  }
  return 1;
}

}  // namespace ser
