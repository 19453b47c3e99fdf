#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/paths.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

/// Modules that each module may include, itself aside.
const std::map<std::string, std::set<std::string>> kMayInclude = [] {
  std::map<std::string, std::set<std::string>> below;
  below["core"] = {};
  below["audio"] = {"core"};
  below["features"] = {"audio", "core"};
  below["corpus"] = {"features", "audio", "core"};
  below["nn"] = {"core"};
  below["model"] = {"nn", "features", "audio", "core"};
  below["train"] = {"model", "nn", "corpus", "features", "audio", "core"};
  below["eval"] = below["train"];
  below["eval"].insert("train");
  below["report"] = below["eval"];
  below["report"].insert("eval");
  below["apps"] = below["report"];
  below["apps"].insert("report");
  return below;
}();

struct Include {
  fs::path file;  ///< relative to the source tree
  bool quoted = false;
  std::string target;
};

std::vector<Include> includes_below(const fs::path& folder) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  const fs::path root = source_folder();
  std::vector<Include> includes;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
    std::ifstream file(entry.path());
    std::smatch match;
    for (std::string line; std::getline(file, line);)
      if (std::regex_search(line, match, kInclude))
        includes.push_back({fs::relative(entry.path(), root), match[1] == "\"", match[2]});
  }
  return includes;
}

/// The module a file belongs to: the folder after src/ or include/ser/, or apps.
std::string module_of_file(const fs::path& file) {
  auto part = file.begin();
  if (*part == "apps") return "apps";
  std::advance(part, *part == "include" ? 2 : 1);
  return part->string();
}

/// The module that an included path names, or nothing if it names none.
std::string module_of_target(std::string target) {
  if (target.starts_with("ser/")) target.erase(0, 4);
  const std::string module = target.substr(0, target.find('/'));
  return kMayInclude.contains(module) ? module : "";
}

TEST(Structure, IncludesPointDownOnly) {
  std::size_t seen = 0;
  for (const char* folder : {"include", "src", "apps"})
    for (const Include& include : includes_below(folder)) {
      if (!include.quoted) continue;
      const std::string from = module_of_file(include.file), to = module_of_target(include.target);
      if (to.empty() || to == from) continue;
      ++seen;
      ASSERT_TRUE(kMayInclude.contains(from)) << include.file;
      EXPECT_TRUE(kMayInclude.at(from).contains(to))
          << include.file << " includes " << include.target << ": " << from << " is not above "
          << to;
    }
  EXPECT_GT(seen, 0u);
}

/// Of what is in src, modules above may include what is in internal/; the rest is the module's own.
TEST(Structure, PrivateHeadersStayInTheirModule) {
  for (const char* folder : {"include", "src", "apps"})
    for (const Include& include : includes_below(folder)) {
      if (!include.quoted || include.target.starts_with("ser/")) continue;
      const std::string from = module_of_file(include.file), to = module_of_target(include.target);
      const bool shared =
          folder == std::string("src") && include.target.starts_with(to + "/internal/");
      EXPECT_TRUE(to.empty() || to == from || shared)
          << include.file << " includes " << include.target << ", private to " << to;
    }
}

TEST(Structure, PublicHeadersIncludeStandardLibraryEigenAndSerOnly) {
  static const std::regex kStandard("[a-z_]+");
  for (const Include& include : includes_below("include")) {
    const bool known = include.quoted ? include.target.starts_with("ser/")
                                      : std::regex_match(include.target, kStandard) ||
                                            include.target.starts_with("Eigen/");
    EXPECT_TRUE(known) << include.file << " includes " << include.target;
  }
}

}  // namespace
}  // namespace ser
