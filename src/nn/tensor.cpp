#include "ser/nn/tensor.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <numeric>

namespace ser::nn {

std::string to_string(const Shape& shape) {
  const std::string frames = shape.frames == 0 ? "T" : std::to_string(shape.frames);
  if (shape.bands == 1) return fmt::format("[{} x {}]", shape.channels, frames);
  return fmt::format("[{} x {} x {}]", shape.channels, shape.bands, frames);
}

Index Tensor::valid_frames() const {
  return lengths ? std::accumulate(lengths, lengths + clips, Index{0}) : columns();
}

void Tensor::clear_padding() const {
  if (!lengths) return;
  for (Index n = 0; n < clips; ++n) {
    Real* const begin = data + (n * frames + lengths[n]) * rows();
    std::fill(begin, data + (n + 1) * frames * rows(), Real{0});
  }
}

Tensor Arena::tensor(const Shape& shape, Index frames, Index clips, const int* lengths) {
  return {take<Real>(shape.rows() * frames * clips), shape, frames, clips, lengths};
}

Tensor Arena::tensor_like(const Tensor& like) {
  return tensor(like.shape, like.frames, like.clips, like.lengths);
}

void Arena::reset() {
  if (blocks_.size() > 1) {
    const std::size_t total = capacity_bytes();
    blocks_.clear();
    add_block(total);
  }
  for (Block& block : blocks_) block.used = 0;
}

std::size_t Arena::capacity_bytes() const {
  std::size_t total = 0;
  for (const Block& block : blocks_) total += block.size;
  return total;
}

void Arena::Free::operator()(std::byte* memory) const {
  ::operator delete (memory, std::align_val_t{kAlignment});
}

void* Arena::take_bytes(std::size_t bytes) {
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (blocks_.empty() || blocks_.back().size - blocks_.back().used < bytes)
    add_block(std::max(bytes, capacity_bytes() / 2 + (std::size_t{1} << 16)));
  Block& block = blocks_.back();
  std::byte* const memory = block.memory.get() + block.used;
  block.used += bytes;
  return memory;
}

void Arena::add_block(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kAlignment}));
  blocks_.push_back({std::unique_ptr<std::byte, Free>(memory), bytes, 0});
}

}  // namespace ser::nn
