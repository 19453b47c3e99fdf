#include <dlfcn.h>
#include <sndfile.h>

#include <algorithm>
#include <array>

#include "audio/decoder.h"
#include "core/internal/fail.h"

namespace ser {
namespace {

/// The functions of libsndfile that are used.
struct Sndfile {
  Sndfile() {
    constexpr const char* kFile = "libsndfile.so.1";
    void* const library = ::dlopen(kFile, RTLD_NOW | RTLD_LOCAL);
    if (!library) fail("reading other sound than WAV: {}", ::dlerror());
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(::dlsym(library, name));
      if (!function) fail("{}: expected {}, found none", kFile, name);
    };
    find(open_virtual, "sf_open_virtual");
    find(readf_float, "sf_readf_float");
    find(error, "sf_error");
    find(close, "sf_close");
  }

  decltype(&::sf_open_virtual) open_virtual = nullptr;
  decltype(&::sf_readf_float) readf_float = nullptr;
  decltype(&::sf_error) error = nullptr;
  decltype(&::sf_close) close = nullptr;
};

const Sndfile& sndfile() {
  static const Sndfile library;
  return library;
}

/// Whether the file is of a kind that is read to its true end, or told to break off: of others,
/// in which nobody keeps speech, libsndfile takes what is there for all there was.
bool is_vouched_for(const SF_INFO& info) {
  constexpr std::array kKinds = {SF_FORMAT_WAV,  SF_FORMAT_WAVEX, SF_FORMAT_RF64, SF_FORMAT_W64,
                                 SF_FORMAT_AIFF, SF_FORMAT_AU,    SF_FORMAT_CAF,  SF_FORMAT_FLAC,
                                 SF_FORMAT_OGG,  SF_FORMAT_MPEG,  SF_FORMAT_NIST};
  return std::ranges::find(kKinds, info.format & SF_FORMAT_TYPEMASK) != kKinds.end();
}

/// A PartFile as libsndfile asks for one. It sees no name, so it cannot take the format from one.
SF_VIRTUAL_IO callbacks() {
  SF_VIRTUAL_IO io{};
  io.get_filelen = [](void* user) -> sf_count_t { return static_cast<PartFile*>(user)->size(); };
  io.tell = [](void* user) -> sf_count_t { return static_cast<PartFile*>(user)->position(); };
  io.seek = [](sf_count_t offset, int whence, void* user) -> sf_count_t {
    return static_cast<PartFile*>(user)->seek(offset, whence);
  };
  io.read = [](void* out, sf_count_t count, void* user) -> sf_count_t {
    return static_cast<PartFile*>(user)->read(
        {static_cast<char*>(out), static_cast<std::size_t>(std::max<sf_count_t>(0, count))});
  };
  io.write = [](const void*, sf_count_t, void*) -> sf_count_t { return 0; };
  return io;
}

class SndfileDecoder : public Decoder {
 public:
  explicit SndfileDecoder(PartFile& file) {
    SF_VIRTUAL_IO io = callbacks();
    sound_ = sndfile().open_virtual(&io, SFM_READ, &info_, &file);
  }
  ~SndfileDecoder() override {
    if (sound_) sndfile().close(sound_);
  }

  bool opened() const { return sound_ && is_vouched_for(info_); }
  int sample_rate_hz() const override { return info_.samplerate; }
  int num_channels() const override { return info_.channels; }
  std::int64_t header_frames() const override { return info_.frames; }
  bool failed() const override { return sndfile().error(sound_) != SF_ERR_NO_ERROR; }

  std::int64_t read(std::span<float> out) override {
    const sf_count_t want = static_cast<sf_count_t>(out.size()) / info_.channels;
    return std::max<sf_count_t>(0, sndfile().readf_float(sound_, out.data(), want));
  }

 private:
  SF_INFO info_{};
  SNDFILE* sound_ = nullptr;
};

}  // namespace

std::unique_ptr<Decoder> open_sndfile(PartFile& file) {
  auto decoder = std::make_unique<SndfileDecoder>(file);
  if (!decoder->opened()) return nullptr;
  return decoder;
}

}  // namespace ser
