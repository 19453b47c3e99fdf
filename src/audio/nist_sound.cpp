#include "audio/nist_sound.h"

#include <fmt/format.h>

#include <charconv>

namespace ser {
namespace {

constexpr std::uint64_t kNistHeaderBytes = 1024;

/// The number behind "`name` -i " in a header of lines; 1 where there is none.
std::uint64_t number_of(std::string_view head, std::string_view name) {
  std::uint64_t value = 1;
  const std::size_t at = head.find(fmt::format("\n{} -i ", name));
  if (at == std::string_view::npos) return value;
  const std::string_view text = head.substr(at + name.size() + 5);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

SoundParts find_nist_sound(const ByteSource& source, std::int64_t begin) {
  const std::string head = source.text_at(begin, kNistHeaderBytes);
  if (!head.starts_with("NIST_1A\n   1024\n") || head.find("\nsample_count -i ") == head.npos)
    return {};
  SoundParts found{{{begin, source.size()}}, {}};
  const std::uint64_t told = number_of(head, "sample_count") * number_of(head, "channel_count") *
                             number_of(head, "sample_n_bytes");
  const std::uint64_t there = source.size() - begin;
  if (there > kNistHeaderBytes && there - kNistHeaderBytes < told)
    found.notices.push_back(
        fmt::format("breaks off: {} of the {} bytes of sound that its header tells of",
                    there - kNistHeaderBytes, told));
  return found;
}

}  // namespace ser
