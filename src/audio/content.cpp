#include "audio/content.h"

#include <algorithm>
#include <array>

namespace ser {
namespace {

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view description;
};

using namespace std::string_view_literals;

constexpr std::array kSignatures = {
    Signature{4, "ftyp"sv, "an MP4 or M4A file"},
    Signature{0, "\x1a\x45\xdf\xa3"sv, "a Matroska or WebM file"},
    Signature{0, "\x30\x26\xb2\x75"sv, "a WMA or ASF file"},
    Signature{0, "#!AMR"sv, "an AMR file"},
    Signature{0, "OggS"sv, "an Ogg file without Vorbis, Opus, Speex or FLAC sound"},
    Signature{0, "fLaC"sv, "a damaged FLAC file"},
    Signature{8, "WAVE"sv, "a WAV file that is damaged or of an unknown coding"},
    Signature{0, "FORM"sv, "an AIFF file that is damaged or of an unknown coding"},
    Signature{8, "AVI "sv, "an AVI file"},
    Signature{0, "ID3"sv, "an MP3 file without readable sound"},
    Signature{0, "\xff\xf1"sv, "an AAC stream"},
    Signature{0, "\xff\xf9"sv, "an AAC stream"},
};

bool is_text(std::string_view head) {
  return std::all_of(head.begin(), head.end(), [](unsigned char c) {
    return (c >= ' ' && c != 0x7f) || c == '\n' || c == '\r' || c == '\t';
  });
}

}  // namespace

std::string_view describe_content(std::string_view head) {
  for (const auto& [offset, bytes, description] : kSignatures)
    if (head.size() > offset && head.substr(offset).starts_with(bytes)) return description;
  return is_text(head) ? "text" : "unknown content";
}

}  // namespace ser
