#include "audio/chunk_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "audio/number_bytes.h"
#include "audio/wav_format.h"

namespace ser {
namespace {

using namespace std::string_view_literals;

struct ChunkFormat {
  std::string_view magic;  ///< the file begins with it
  std::string_view sound;  ///< name of the chunk of sound
  std::endian order;
  std::int64_t first;  ///< place of the first chunk
  std::int64_t name_bytes;
  std::int64_t size_bytes;
  std::int64_t align;
  bool counts_head;        ///< a chunk's size counts its own name and size
  bool format_may_follow;  ///< the sound need not be the last chunk that matters

  std::int64_t head_bytes() const { return name_bytes + size_bytes; }
};
constexpr std::int64_t kLongestMagic = 8;

constexpr auto kLittle = std::endian::little, kBig = std::endian::big;
constexpr ChunkFormat kFormats[] = {
    {"RIFF"sv, "data"sv, kLittle, 12, 4, 4, 2, false, false},
    {"RF64"sv, "data"sv, kLittle, 12, 4, 4, 2, false, false},
    {"BW64"sv, "data"sv, kLittle, 12, 4, 4, 2, false, false},
    {"RIFX"sv, "data"sv, kBig, 12, 4, 4, 2, false, false},
    {"FORM"sv, "SSND"sv, kBig, 12, 4, 4, 2, false, true},
    {"riff\x2e\x91\xcf\x11"sv, "data"sv, kLittle, 40, 16, 8, 8, true, false},
    {"caff"sv, "data"sv, kBig, 8, 4, 8, 1, false, false},
};

/// The format of the file that begins there; null for none of these.
const ChunkFormat* format_at(const ByteSource& source, std::int64_t at) {
  const std::string magic = source.text_at(at, kLongestMagic);
  const auto* const found = std::ranges::find_if(
      kFormats, [&](const ChunkFormat& format) { return magic.starts_with(format.magic); });
  return found == std::end(kFormats) ? nullptr : found;
}

/// A size field and the bytes that it counts.
struct SizeField {
  std::int64_t at = 0;
  std::int64_t bytes = 0;
  std::endian order = kLittle;
  std::int64_t counted_from = 0;  ///< place from which it counts

  std::uint64_t read(const ByteSource& source) const {
    return to_number(source.text_at(at, bytes), order);
  }
  Patch set(std::int64_t end) const {
    const std::uint64_t most = bytes == 4 ? 0xFFFFFFFF : ~std::uint64_t{0};
    return {at, to_bytes(std::min<std::uint64_t>(most, end - counted_from), bytes, order)};
  }
};

bool is_unknown(std::uint64_t size) { return size == 0 || size >= kUnknownSize; }

/// Walks the chunks of one file.
class ChunkFile {
 public:
  ChunkFile(const ByteSource& source, const ChunkFormat& format, std::int64_t begin)
      : source_(source), format_(format), begin_(begin) {}

  /// Adds the file's part and notices; returns where the next file may begin. Nothing if there is
  /// no chunk of sound.
  std::optional<std::int64_t> find(SoundParts& found) const;

 private:
  std::int64_t end() const { return source_.size(); }
  SizeField size_at(std::int64_t chunk) const;
  std::optional<SizeField> find_size_of_sound() const;
  std::int64_t after(const SizeField& size) const;
  std::int64_t skip_chunks(std::int64_t at, const SizeField& sound, SoundParts& found) const;
  void put_format_first(std::string format, const SizeField& sound, SoundPart& part) const;
  std::int64_t head_bytes(const SizeField& sound) const;
  std::string head(const SizeField& sound) const;
  std::vector<Patch> patches() const;
  bool is_over(std::int64_t at) const;
  bool is_no_sound(std::int64_t at) const;
  bool is_chunk(std::int64_t at) const;
  /// Of the same format; WAV files of any size are.
  bool is_next_file(std::int64_t at) const {
    const ChunkFormat* const next = format_at(source_, at);
    return next && next->sound == format_.sound && next->order == format_.order &&
           next->name_bytes == format_.name_bytes;
  }

  const ByteSource& source_;
  const ChunkFormat& format_;
  std::int64_t begin_;
};

/// The size of the chunk that begins there.
SizeField ChunkFile::size_at(std::int64_t chunk) const {
  const std::int64_t content = chunk + format_.head_bytes();
  return {chunk + format_.name_bytes, format_.size_bytes, format_.order,
          format_.counts_head ? chunk : content};
}

/// BW64 is RF64 under another name (ITU-R BS.2088), which libsndfile does not know.
std::vector<Patch> ChunkFile::patches() const {
  if (format_.magic != "BW64") return {};
  return {{begin_, "RF64"}};
}

/// The place behind a chunk, which is `end()` at most.
std::int64_t ChunkFile::after(const SizeField& size) const {
  const std::uint64_t most = end() - size.counted_from;
  const std::int64_t bytes = std::min(size.read(source_), most);
  const std::int64_t behind = size.counted_from + bytes - begin_;
  if (format_.align == 2 && behind % 2 != 0)
    return begin_ + behind +
           static_cast<std::int64_t>(
               padding_of(source_.text_at(begin_ + behind, kPaddingBytes), format_.order));
  return begin_ + (behind + format_.align - 1) / format_.align * format_.align;
}

std::optional<SizeField> ChunkFile::find_size_of_sound() const {
  std::optional<SizeField> large;  // of an RF64 file's sound
  std::int64_t at = begin_ + format_.first;
  while (at + format_.head_bytes() <= end()) {
    const std::string name = source_.text_at(at, 4);
    const std::int64_t content = at + format_.head_bytes();
    const SizeField size = size_at(at);
    if (name == "ds64") large = SizeField{content + 8, 8, kLittle, 0};
    if (name == format_.sound) {
      if (!large || !is_unknown(size.read(source_))) return size;
      large->counted_from = content;
      return large;
    }
    const std::int64_t next = after(size);
    if (next < content) return std::nullopt;
    at = next;
  }
  return std::nullopt;
}

bool ChunkFile::is_chunk(std::int64_t at) const {
  const std::int64_t left = end() - at - format_.head_bytes();
  if (left < 0) return false;
  const std::string head = source_.text_at(at, format_.head_bytes());
  return begins_chunk(head.substr(0, 4) + head.substr(format_.name_bytes),
                      left + format_.head_bytes(), format_.order);
}

/// Whether no sound is at `at`.
bool ChunkFile::is_over(std::int64_t at) const {
  return end() - at < format_.head_bytes() || is_next_file(at) || is_chunk(at) ||
         tag_bytes(source_, at) > 0;
}

/// Whether the file holds floats and what is at `at` is out of any range of sound.
bool ChunkFile::is_no_sound(std::int64_t at) const {
  constexpr std::size_t kBytes = 1 << 12;
  if (format_.sound != "data" || source_.text_at(begin_ + 12, 4) != "fmt ") return false;
  const auto format = wav::parse_format(source_.text_at(begin_ + 20, 26));
  const auto encoding = format ? format->encoding() : std::nullopt;
  const std::string bytes = source_.text_at(at, kBytes);
  return encoding && wav::is_no_sound(std::as_bytes(std::span(bytes)), *encoding);
}

std::int64_t ChunkFile::head_bytes(const SizeField& sound) const {
  return sound.at - format_.name_bytes - begin_;
}

/// The file up to its first chunk of sound.
std::string ChunkFile::head(const SizeField& sound) const {
  std::string head = source_.text_at(begin_, head_bytes(sound));
  for (const Patch& patch : patches()) head.replace(0, patch.bytes.size(), patch.bytes);
  return head;
}

/// A chunk "fmt " that stands behind the sound, where none is before it.
void ChunkFile::put_format_first(std::string format, const SizeField& sound,
                                 SoundPart& part) const {
  const std::string before = head(sound);
  if (part.prefix.empty() && before.find("fmt ") == before.npos)
    part = {begin_ + head_bytes(sound), part.end, before + std::move(format)};
}

/// The place behind all chunks. More chunks of sound are parts, each behind the head of the file;
/// of AIFF a part ends behind its format, as libsndfile refuses long texts behind the sound.
std::int64_t ChunkFile::skip_chunks(std::int64_t at, const SizeField& sound,
                                    SoundParts& found) const {
  constexpr std::int64_t kLongestHead = 1 << 16, kLongestFormat = 1 << 10;
  constexpr std::size_t kMostParts = 1 << 12;
  const bool head_fits = head_bytes(sound) <= kLongestHead;
  const std::size_t first = found.parts.size() - 1;
  while (!is_next_file(at) && is_chunk(at)) {
    const std::int64_t next = after(size_at(at));
    if (next < at + format_.head_bytes()) break;
    const std::string name = source_.text_at(at, 4);
    if (name == "fmt " && !format_.format_may_follow && head_fits && next - at <= kLongestFormat)
      put_format_first(source_.text_at(at, next - at), sound, found.parts[first]);
    if (!format_.format_may_follow && name == format_.sound) {
      if (!head_fits || found.parts.size() >= kMostParts) {
        found.notices.push_back(fmt::format(
            "left unread: {} bytes, which begin with another chunk of sound", end() - at));
        return end();
      }
      found.parts.push_back({at, next, head(sound)});
    }
    if (format_.format_may_follow && name == "COMM") found.parts[first].end = next;
    at = next;
  }
  return at + tag_bytes(source_, at);
}

std::optional<std::int64_t> ChunkFile::find(SoundParts& found) const {
  const std::optional<SizeField> size = find_size_of_sound();
  if (!size) return std::nullopt;
  const std::uint64_t told = size->read(source_);
  const std::int64_t there = end() - size->counted_from;
  const std::int64_t told_end =
      size->counted_from + static_cast<std::int64_t>(std::min<std::uint64_t>(told, there));
  const bool fits = told <= static_cast<std::uint64_t>(there);
  if (fits && told_end >= size->at + size->bytes) {
    for (const std::int64_t behind : {after(*size), told_end}) {
      if (!is_over(behind)) continue;
      found.parts.push_back({begin_, told_end, {}, patches()});
      return skip_chunks(behind, *size, found);
    }
  }
  if (fits && !is_unknown(told) && is_no_sound(told_end)) {
    found.notices.push_back(
        fmt::format("left unread: {} bytes behind its sound that are none", end() - told_end));
    found.parts.push_back({begin_, told_end, {}, patches()});
    return end();
  }
  if (!is_unknown(told))
    found.notices.push_back(
        fits ? fmt::format("its header tells of {} bytes of sound, {} are there: read to the end",
                           told, there)
             : fmt::format("breaks off: {} of the {} bytes of sound that its header tells of",
                           there, told));
  found.parts.push_back({begin_, end(), {}, patches()});
  found.parts.back().patches.push_back(size->set(end()));
  return end();
}

/// AU: magic, place of the sound, its size, ... (Sun Microsystems; nothing follows the sound).
SoundParts find_au_sound(const ByteSource& source, std::int64_t begin) {
  const std::string head = source.text_at(begin, 12);
  const bool little = head.starts_with("dns.");
  if (head.size() < 12 || (!little && !head.starts_with(".snd"))) return {};
  const std::endian order = little ? kLittle : kBig;
  const std::int64_t sound = begin + static_cast<std::int64_t>(to_number(head.substr(4, 4), order));
  const std::uint64_t told = to_number(head.substr(8), order);
  const std::int64_t there = source.size() - sound;
  SoundParts found{{{begin, source.size()}}, {}};
  if (there <= 0 || told == static_cast<std::uint64_t>(there)) return found;
  found.parts[0].patches = {SizeField{begin + 8, 4, order, sound}.set(source.size())};
  if (!is_unknown(told))
    found.notices.push_back(fmt::format(
        "its header tells of {} bytes of sound, {} are there: read to the end", told, there));
  return found;
}

}  // namespace

bool begins_chunk(std::string_view bytes, std::uint64_t most_bytes, std::endian order) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
           c == '_';
  };
  return bytes.size() >= 8 && std::all_of(bytes.begin(), bytes.begin() + 4, is_letter) &&
         to_number(bytes.substr(4), order) <= most_bytes;
}

std::size_t padding_of(std::string_view behind, std::endian order) {
  constexpr std::uint64_t kAnySize = 0xFFFFFFFF;
  if (behind.starts_with("data") || behind.starts_with("SSND") || behind.starts_with("fmt "))
    return 0;
  const bool begins_here = begins_chunk(behind.substr(0, kPaddingBytes - 1), kAnySize, order);
  return begins_here && !begins_chunk(behind.substr(1), kAnySize, order) ? 0 : 1;
}

SoundParts find_chunk_sound(const ByteSource& source, std::int64_t begin) {
  SoundParts found;
  const ChunkFormat* format = format_at(source, begin);
  if (!format) return find_au_sound(source, begin);
  for (std::int64_t at = begin; format; format = format_at(source, at)) {
    const std::optional<std::int64_t> next = ChunkFile(source, *format, at).find(found);
    if (!next || *next <= at) break;
    at = *next;
  }
  // A decoder that looks for sound where none is found may do so for ever: of such a file it gets
  // the head alone, which it refuses.
  if (found.parts.empty()) found.parts.push_back({begin, begin + kLongestMagic});
  return found;
}

}  // namespace ser
