#include "ser/corpus/mapped_features.h"

#include <atomic>
#include <iterator>
#include <utility>

namespace ser {
namespace {

/// Looked at before the memory is let go: mapping it again costs a thousandth of working through
/// it.
constexpr std::uint64_t kHeldBytes = 256u << 20;

}  // namespace

struct MappedFeatures::Impl {
  std::vector<MappedFile> files;
  std::vector<const float*> clips;
  std::atomic<std::uint64_t> held = 0;
};

MappedFeatures::MappedFeatures() = default;
MappedFeatures::~MappedFeatures() = default;
MappedFeatures::MappedFeatures(MappedFeatures&&) noexcept = default;
MappedFeatures& MappedFeatures::operator=(MappedFeatures&&) noexcept = default;

bool MappedFeatures::empty() const { return !impl_; }

void MappedFeatures::add_file(MappedFile file) {
  if (!impl_) impl_ = std::make_unique<Impl>();
  impl_->files.push_back(std::move(file));
}

void MappedFeatures::add_clip(const float* values) {
  if (!impl_) impl_ = std::make_unique<Impl>();
  impl_->clips.push_back(values);
}

const float* MappedFeatures::clip(std::size_t index, std::uint64_t bytes) const {
  if (impl_->held.fetch_add(bytes, std::memory_order_relaxed) > kHeldBytes) {
    impl_->held.store(0, std::memory_order_relaxed);
    for (const MappedFile& file : impl_->files) file.let_go();
  }
  return impl_->clips[index];
}

void MappedFeatures::append(MappedFeatures other) {
  if (!impl_) {
    *this = std::move(other);
    return;
  }
  if (!other.impl_) return;
  std::ranges::move(other.impl_->files, std::back_inserter(impl_->files));
  impl_->clips.insert(impl_->clips.end(), other.impl_->clips.begin(), other.impl_->clips.end());
}

}  // namespace ser
