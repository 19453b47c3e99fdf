#include "audio/content.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "ser/core/file_kind.h"

namespace ser {
namespace {

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view kind;
  std::string_view undecodable;  ///< what to call one that cannot be decoded
};

using namespace std::string_view_literals;

constexpr auto kMp3 = "an MP3 file"sv, kSilentMp3 = "an MP3 file without readable sound"sv;
constexpr auto kMp4 = "an MP4 or M4A file"sv, kMatroska = "a Matroska or WebM file"sv;
constexpr auto kWma = "a WMA or ASF file"sv, kAmr = "an AMR file"sv, kAvi = "an AVI file"sv;
constexpr auto kAac = "an AAC stream"sv;
constexpr auto kZip = "a ZIP file or a spreadsheet (unpack it, or save it as CSV)"sv;
constexpr auto kPointer = "a Git LFS pointer (`git lfs pull` fetches the recording)"sv;
constexpr auto kOddWav = "a WAV file that is damaged or of an unknown coding"sv;

constexpr std::array kSignatures = {
    Signature{4, "ftyp"sv, kMp4, kMp4},
    Signature{0, "\x1a\x45\xdf\xa3"sv, kMatroska, kMatroska},
    Signature{0, "\x30\x26\xb2\x75"sv, kWma, kWma},
    Signature{0, "#!AMR"sv, kAmr, kAmr},
    Signature{0, "OggS"sv, "an Ogg file"sv,
              "an Ogg file without Vorbis, Opus, Speex or FLAC sound"sv},
    Signature{0, "fLaC"sv, "a FLAC file"sv, "a damaged FLAC file"sv},
    Signature{0, "RIFX"sv, "a big-endian WAV file (RIFX)"sv, kOddWav},
    Signature{8, "WAVE"sv, "a WAV file"sv, kOddWav},
    Signature{0, "FORM"sv, "an AIFF file"sv,
              "an AIFF file that is damaged or of an unknown coding"sv},
    Signature{8, "AVI "sv, kAvi, kAvi},
    Signature{0, "PK\3\4"sv, kZip, kZip},
    Signature{0, "version https://git-lfs"sv, kPointer, kPointer},
    Signature{0, "NIST_1A"sv, "a NIST SPHERE file"sv,
              "a NIST SPHERE file that is damaged or compressed"sv},
    Signature{0, "Creative Voice"sv, "a Creative Voice file"sv, "a Creative Voice file"sv},
    Signature{0, "ID3"sv, kMp3, kSilentMp3},
    Signature{0, "\xff\xfb"sv, kMp3, kSilentMp3},
    Signature{0, "\xff\xf3"sv, kMp3, kSilentMp3},
    Signature{0, "\xff\xf1"sv, kAac, kAac},
    Signature{0, "\xff\xf9"sv, kAac, kAac},
};

/// nullptr if there is none.
const Signature* find_signature(std::string_view head) {
  const auto found = std::find_if(kSignatures.begin(), kSignatures.end(), [&](const auto& known) {
    return head.size() > known.offset && head.substr(known.offset).starts_with(known.bytes);
  });
  return found == kSignatures.end() ? nullptr : &*found;
}

std::string_view text_or_unknown(std::string_view head) {
  return is_text(head) ? "text" : "unknown content";
}

}  // namespace

std::string_view kind_of_content(std::string_view head) {
  const Signature* const known = find_signature(head);
  return known ? known->kind : text_or_unknown(head);
}

std::string_view describe_content(std::string_view head) {
  const Signature* const known = find_signature(head);
  return known ? known->undecodable : text_or_unknown(head);
}

std::string unsupported_content(std::string_view head) {
  const auto ours = find_signature(head) ? std::nullopt : known_kind(head);
  const std::string found = ours.value_or(std::string(describe_content(head)));
  const bool may_convert = !ours && found != kZip && found != kPointer;
  return fmt::format("expected WAV, AIFF, AU, CAF, FLAC, Ogg, MP3 or NIST SPHERE, found {}{}",
                     found, may_convert ? "; `ffmpeg -i IN OUT.wav` may convert it" : "");
}

bool is_text(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](unsigned char c) {
    return (c >= ' ' && c != 0x7f) || c == '\n' || c == '\r' || c == '\t';
  });
}

}  // namespace ser
