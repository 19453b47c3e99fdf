#include "file_name.h"

#include "ser/core/text.h"

namespace ser {

std::string fitting_name(const std::string& name, const std::string& suffix) {
  constexpr std::size_t kLongestName = 255;
  if (name.size() + suffix.size() <= kLongestName) return name + suffix;
  const std::string end = "~" + fingerprint(name) + suffix;
  std::size_t kept = kLongestName - end.size();
  while (kept > 0 && (name[kept] & 0xc0) == 0x80) --kept;  // no half letters of UTF-8
  return name.substr(0, kept) + end;
}

}  // namespace ser
