#include "ser/corpus/shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/internal/fail.h"
#include "corpus/feature_file.h"
#include "ser/core/text.h"
#include "ser/features/feature_set.h"

namespace ser {
namespace {

namespace fs = std::filesystem;

/// A file that is to be a shard, as far as it could be read.
struct Candidate {
  fs::path path;
  std::vector<FeatureFile> parts;
  std::string problem;  ///< why it is none; empty for a shard

  const ShardInfo& info() const { return *parts.front().shard; }
};

Candidate read_candidate(const fs::path& path) {
  Candidate candidate{path, {}, {}};
  try {
    for (const fs::path& file : feature_files(path)) {
      candidate.parts.push_back(read_feature_file(file));
      if (!candidate.parts.back().shard)
        fail("{}: expected a shard, found features extracted without --shard", file.string());
    }
  } catch (const Error& error) {
    candidate.parts.clear();
    candidate.problem = error.what();
  }
  return candidate;
}

std::string key_of(const FeatureFile& part) {
  const ShardInfo& shard = *part.shard;
  return fmt::format("{} {} {} {} {}", fingerprint(part.set), shard.of, shard.recordings,
                     shard.corpus, shard.copies);
}

/// The file that most agree with; the first of them. None if there is none.
const FeatureFile* reference_of(const std::vector<const FeatureFile*>& shards) {
  std::map<std::string, int> votes;
  for (const FeatureFile* shard : shards) ++votes[key_of(*shard)];
  const auto best = std::ranges::max_element(
      shards, {}, [&](const FeatureFile* shard) { return votes[key_of(*shard)]; });
  return best == shards.end() ? nullptr : *best;
}

/// In what a shard differs from those it should belong with; empty if in nothing.
std::string difference(const FeatureFile& found, const FeatureFile& wanted) {
  const ShardInfo &is = *found.shard, &must = *wanted.shard;
  if (fingerprint(found.set) != fingerprint(wanted.set))
    return fmt::format("expected the features {}, found {}", describe(wanted.set),
                       describe(found.set));
  if (is.of != must.of) return fmt::format("expected one of {} shards, found {}", must.of, is.of);
  if (is.recordings != must.recordings)
    return fmt::format("expected a shard of {} recordings, found of {}", must.recordings,
                       is.recordings);
  if (is.corpus != must.corpus) return "expected a shard of the same recordings and labels";
  if (is.copies != must.copies)
    return fmt::format("expected the copies '{}', found '{}'", must.copies, is.copies);
  return "";
}

/// `name` with the number of one shard made that of another: shard-02.safetensors of 2 is
/// shard-03.safetensors of 3.
std::string renumbered(const std::string& name, int from, int to) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (std::size_t begin = 0; begin < name.size(); ++begin) {
    if (!is_digit(name[begin]) || (begin > 0 && is_digit(name[begin - 1]))) continue;
    std::size_t end = begin;
    while (end < name.size() && is_digit(name[end])) ++end;
    const std::string digits = name.substr(begin, end - begin);
    const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size());
    if (digits.substr(first) == std::to_string(from))
      return name.substr(0, begin) + fmt::format("{:0>{}}", std::to_string(to), digits.size()) +
             name.substr(end);
  }
  return fmt::format("shard-{}.safetensors", to);
}

/// What is wrong with the shards that could be read, and the commands that make it good.
struct Findings {
  std::vector<std::string> problems;
  std::map<int, fs::path> again;  ///< the shards to make, and under what names
};

Findings examine(const std::vector<const FeatureFile*>& shards) {
  Findings found;
  const FeatureFile* wanted = reference_of(shards);
  if (!wanted) return found;
  std::map<int, fs::path> good;
  for (const FeatureFile* shard : shards) {
    const int number = shard->shard->number;
    if (const std::string what = difference(*shard, *wanted); !what.empty()) {
      found.problems.push_back(fmt::format("{}: {}", shard->path.string(), what));
      if (number <= wanted->shard->of) found.again[number] = shard->path;
    } else {
      good.emplace(number, shard->path);
    }
  }
  for (int number = 1; number <= wanted->shard->of; ++number) {
    if (good.contains(number)) {
      found.again.erase(number);
    } else if (!found.again.contains(number)) {
      found.problems.push_back(fmt::format("shard {}/{} is missing", number, wanted->shard->of));
      found.again[number] =
          wanted->path.parent_path() /
          renumbered(wanted->path.filename().string(), wanted->shard->number, number);
    }
  }
  return found;
}

/// A sentence for each number that two of the files have.
void find_twins(const std::vector<Candidate>& candidates, std::vector<std::string>& problems) {
  std::map<int, fs::path> seen;
  for (const Candidate& candidate : candidates) {
    if (candidate.parts.empty()) continue;
    const auto [twin, fresh] = seen.emplace(candidate.info().number, candidate.path);
    if (!fresh)
      problems.push_back(fmt::format("{} and {}: both are shard {}/{}", twin->second.string(),
                                     candidate.path.string(), candidate.info().number,
                                     candidate.info().of));
  }
}

void check_candidates(const std::vector<Candidate>& candidates) {
  std::vector<std::string> lines;
  std::vector<const FeatureFile*> shards;
  for (const Candidate& candidate : candidates) {
    if (!candidate.problem.empty()) lines.push_back(candidate.problem);
    for (const FeatureFile& part : candidate.parts) shards.push_back(&part);
  }
  find_twins(candidates, lines);
  const Findings found = examine(shards);
  lines.insert(lines.end(), found.problems.begin(), found.problems.end());
  if (lines.empty()) return;
  if (!found.again.empty()) lines.push_back("to make alone what is to be made again:");
  for (const auto& [number, path] : found.again) {
    const ShardInfo& like = *reference_of(shards)->shard;
    lines.push_back(
        fmt::format("  {} --shard {}/{} -o {}", like.command, number, like.of, path.string()));
  }
  throw Error("shards: " + join(lines, "\n"));
}

}  // namespace

ShardInfo parse_shard(std::string_view text) {
  const std::vector<std::string> parts = split(text, '/');
  if (parts.size() == 2) {
    ShardInfo shard{parse_int(parts[0], "shard"), parse_int(parts[1], "shard")};
    if (shard.number >= 1 && shard.number <= shard.of && shard.of <= kMostShards) return shard;
  }
  fail("expected I/N, such as 1/8 to 8/8, found '{}'", text);
}

std::vector<std::string> shard_problems(const std::vector<FeatureFile>& shards) {
  std::set<int> numbers;
  std::vector<const FeatureFile*> all;
  for (const FeatureFile& shard : shards) {
    numbers.insert(shard.shard->number);
    all.push_back(&shard);
  }
  if (numbers.size() == 1) return {};  // one shard, in one file or several
  return examine(all).problems;
}

MergedShards merge_shards(const std::vector<fs::path>& shards, const fs::path& output) {
  const bool is_index = output.extension() == ".json";
  const fs::path index = is_index ? output : feature_index_path(output);
  std::vector<Candidate> candidates;
  for (const fs::path& path : shards) {
    candidates.push_back(read_candidate(path));
    std::error_code error;
    if (!fs::equivalent(fs::absolute(path).parent_path(), fs::absolute(index).parent_path(), error))
      fail("{}: expected shards in the folder of the index, {}", path.string(), index.string());
  }
  check_candidates(candidates);
  std::ranges::sort(candidates, {}, [](const Candidate& c) { return c.info().number; });
  MergedShards merged{candidates.front().info().of, 0, candidates.front().info().recordings};
  std::vector<std::string> names;
  for (const Candidate& candidate : candidates)
    for (const FeatureFile& part : candidate.parts) {
      names.push_back(part.path.filename().string());
      merged.clips += part.clips.size();
      merged.skipped -=
          std::ssize(std::set<std::int64_t>(part.recordings.begin(), part.recordings.end()));
    }
  if (merged.clips == 0)
    fail("shards: expected recordings, found none that could be read: all {} were skipped",
         merged.skipped);
  write_feature_index(index, fingerprint(candidates.front().parts.front().set), names);
  if (!is_index) remove_twin(output);
  return merged;
}

}  // namespace ser
