#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audio/chunk_file.h"
#include "audio/decoder.h"
#include "audio/number_bytes.h"
#include "audio/wav_format.h"

namespace ser {
namespace {

class WavDecoder : public Decoder {
 public:
  WavDecoder(PartFile& file, const PcmFormat& format, std::int64_t data_bytes)
      : file_(file), format_(format), frames_(data_bytes / frame_bytes()), left_(frames_) {}

  int sample_rate_hz() const override { return format_.sample_rate_hz; }
  int num_channels() const override { return format_.num_channels; }
  std::int64_t header_frames() const override { return frames_; }
  bool failed() const override { return failed_; }

  std::int64_t read(std::span<float> out) override {
    const std::int64_t want =
        std::min(left_, static_cast<std::int64_t>(out.size()) / format_.num_channels);
    if (want == 0 || failed_) return 0;
    bytes_.resize(want * frame_bytes());
    const std::int64_t got =
        file_.read({reinterpret_cast<char*>(bytes_.data()), bytes_.size()}) / frame_bytes();
    failed_ = got < want;  // the file has shrunk
    left_ -= got;
    const std::size_t samples = got * format_.num_channels;
    wav::decode(bytes_, format_.encoding, out.first(samples));
    return got;
  }

 private:
  std::int64_t frame_bytes() const {
    return static_cast<std::int64_t>(bytes_of(format_.encoding)) * format_.num_channels;
  }

  PartFile& file_;
  PcmFormat format_;
  std::int64_t frames_, left_;
  bool failed_ = false;
  std::vector<std::byte> bytes_;
};

/// Up to `count` bytes.
std::string read_text(PartFile& file, std::size_t count) {
  std::string text(count, '\0');
  text.resize(file.read(text));
  return text;
}

/// To where the next chunk begins behind one of `size` bytes.
void skip_padding(PartFile& file, std::int64_t size) {
  if (size % 2 == 0) return;
  const std::string behind = read_text(file, kPaddingBytes);
  file.seek(static_cast<std::int64_t>(padding_of(behind)) - std::ssize(behind), SEEK_CUR);
}

/// Empty for a format that is not as expected in every field.
std::optional<PcmFormat> plain_format(std::string_view chunk) {
  const std::optional<wav::FormatChunk> found = wav::parse_format(chunk);
  if (!found || chunk.size() > 18 || found->num_channels == 0 || found->sample_rate_hz == 0)
    return std::nullopt;
  const std::optional<PcmEncoding> encoding = found->encoding();
  if (!encoding || found->frame_bytes != found->num_channels * bytes_of(*encoding))
    return std::nullopt;
  return PcmFormat{*encoding, static_cast<int>(found->sample_rate_hz),
                   static_cast<int>(found->num_channels)};
}

std::unique_ptr<Decoder> read_header(PartFile& file) {
  const std::string riff = read_text(file, 12);
  if (!riff.starts_with("RIFF") || !riff.ends_with("WAVE")) return nullptr;
  std::optional<PcmFormat> format;
  while (true) {
    const std::string head = read_text(file, 8);
    if (head.size() < 8) return nullptr;
    const std::int64_t size = to_number(std::string_view(head).substr(4));
    if (head.starts_with("data")) {
      if (!format) return nullptr;
      const std::int64_t rest = file.size() - file.position();
      constexpr std::int64_t kToTheEnd = 0xFFFFFFFF;  // more than the field can tell
      return std::make_unique<WavDecoder>(file, *format,
                                          size == kToTheEnd ? rest : std::min(size, rest));
    }
    constexpr std::int64_t kLargestFormat = 1024;
    if (head.starts_with("fmt ") && size <= kLargestFormat) {
      format = plain_format(read_text(file, size));
      if (!format) return nullptr;
    } else {
      file.seek(size, SEEK_CUR);
    }
    skip_padding(file, size);
  }
}

}  // namespace

std::unique_ptr<Decoder> open_wav(PartFile& file) {
  const std::int64_t begin = file.position();
  std::unique_ptr<Decoder> decoder = read_header(file);
  if (!decoder) file.seek(begin, SEEK_SET);
  return decoder;
}

}  // namespace ser
