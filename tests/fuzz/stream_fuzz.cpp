#include <algorithm>

#include "fuzz/fuzz.h"
#include "ser/audio/pcm_stream.h"

/// The first byte tells how many bytes a read brings, and whether the stream is WAV or raw.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::span<const std::byte> left = ser::fuzz::as_bytes(data + 1, size - 1);
  const std::size_t most = 1 + data[0] / 2;
  const auto read = [&](std::span<std::byte> out) {
    const std::size_t count = std::min({most, left.size(), out.size()});
    std::copy_n(left.begin(), count, out.begin());
    left = left.subspan(count);
    return count;
  };
  return ser::fuzz::refuse_or_accept([&] {
    ser::PcmStream stream =
        data[0] % 2 ? ser::PcmStream(read, "fuzz") : ser::PcmStream(read, "fuzz", ser::PcmFormat{});
    while (!stream.next_block().empty()) continue;
  });
}
