#include "ser/nn/tensor.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <new>
#include <numeric>

namespace ser::nn {
namespace {

constexpr std::size_t kMappedBytes = std::size_t{4} << 20;

}  // namespace

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

Arena::Mark Arena::mark() const { return {current_, blocks_.empty() ? 0 : blocks_[current_].used}; }

void Arena::release(const Mark& mark) {
  if (blocks_.empty()) return;
  for (std::size_t b = mark.block + 1; b < blocks_.size(); ++b) blocks_[b].used = 0;
  blocks_[mark.block].used = mark.used;
  current_ = mark.block;
}

Tensor Arena::keep(const Mark& mark, const Tensor& tensor) {
  Tensor kept = tensor;
  std::vector<int> lengths;
  if (taken_since(mark, tensor.lengths))
    lengths.assign(tensor.lengths, tensor.lengths + tensor.clips);
  const bool moves = taken_since(mark, tensor.data);
  release(mark);
  // No block goes, and the tensor's own has room for it, so that it is still there to be moved.
  if (moves) {
    kept.data = take<Real>(tensor.size());
    std::memmove(kept.data, tensor.data, static_cast<std::size_t>(tensor.size()) * sizeof(Real));
  }
  if (!lengths.empty()) {
    int* const copy = take<int>(tensor.clips);
    std::ranges::copy(lengths, copy);
    kept.lengths = copy;
  }
  return kept;
}

bool Arena::taken_since(const Mark& mark, const void* memory) const {
  for (std::size_t b = mark.block; b < blocks_.size(); ++b) {
    const std::byte* const begin = blocks_[b].memory.get() + (b == mark.block ? mark.used : 0);
    if (std::less_equal<>()(static_cast<const void*>(begin), memory) &&
        std::less<>()(memory, static_cast<const void*>(blocks_[b].memory.get() + blocks_[b].used)))
      return true;
  }
  return false;
}

void Arena::reset() {
  if (blocks_.size() > 1) {
    blocks_.clear();
    add_block(peak_bytes_);
  }
  release({});
}

std::size_t Arena::capacity_bytes() const {
  std::size_t total = 0;
  for (const Block& block : blocks_) total += block.size;
  return total;
}

void Arena::Free::operator()(std::byte* memory) const {
  if (mapped > 0)
    ::munmap(memory, mapped);
  else
    ::operator delete (memory, std::align_val_t{kAlignment});
}

void* Arena::take_bytes(std::size_t bytes) {
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const auto has_room = [&](const Block& block) { return block.size - block.used >= bytes; };
  while (current_ < blocks_.size() && !has_room(blocks_[current_])) ++current_;
  if (current_ == blocks_.size())
    add_block(std::max(bytes, capacity_bytes() / 2 + (std::size_t{1} << 16)));
  Block& block = blocks_[current_];
  std::byte* const memory = block.memory.get() + block.used;
  block.used += bytes;
  std::size_t taken = 0;
  for (const Block& each : blocks_) taken += each.used;
  peak_bytes_ = std::max(peak_bytes_, taken);
  return memory;
}

void Arena::add_block(std::size_t bytes) {
  // What grows is taken anew, and what is freed of it must not stay behind in the heap.
  if (bytes >= kMappedBytes) {
    void* const memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    blocks_.push_back({{static_cast<std::byte*>(memory), Free{bytes}}, bytes, 0});
    return;
  }
  auto* memory = static_cast<std::byte*>(::operator new (bytes, std::align_val_t{kAlignment}));
  blocks_.push_back({{memory, Free{}}, bytes, 0});
}

}  // namespace ser::nn
