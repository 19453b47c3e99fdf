#pragma once

#include <list>
#include <utility>

namespace ser {

/// Values made once per key. Meant for a handful of keys; references stay valid.
template <typename Key, typename Made>
class Memo {
 public:
  using Value = Made;
  template <typename Make>
  Value& get(const Key& key, Make make) {
    for (auto& [known, value] : entries_)
      if (known == key) return value;
    return entries_.emplace_back(key, make()).second;
  }

 private:
  std::list<std::pair<Key, Value>> entries_;
};

}  // namespace ser
