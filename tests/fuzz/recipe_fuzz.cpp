#include "fuzz/fuzz.h"
#include "ser/nn/network.h"
#include "ser/train/recipe.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ser::fuzz::MemoryFile file(data, size);
  return ser::fuzz::refuse_or_accept([&] {
    const ser::Recipe recipe = ser::load_recipe(file.path().string());
    ser::nn::Network(recipe.network, {1, 20, 0}, 10, 1 << 22);
  });
}
