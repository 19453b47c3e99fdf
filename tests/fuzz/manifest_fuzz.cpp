#include "fuzz/fuzz.h"
#include "ser/corpus/corpus.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ser::fuzz::MemoryFile file(data, size);
  return ser::fuzz::refuse_or_accept([&] { ser::read_manifest(file.path()); });
}
