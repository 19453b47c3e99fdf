#include "fuzz/fuzz.h"
#include "ser/audio/audio_file.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return ser::fuzz::refuse_or_accept([&] {
    ser::AudioReader reader(ser::fuzz::as_bytes(data, size), "fuzz");
    while (!reader.next_block().empty()) continue;
  });
}
