#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ser {

/// What is wrong with `xml`, as far as elements, quotes, entities and control characters go; empty
/// if it is well-formed.
inline std::string xml_fault(std::string_view xml) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < xml.size();) {
    const char c = xml[at];
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r')
      return "control character";
    if (c == '&') {
      const std::size_t end = xml.find(';', at);
      const std::string_view name = xml.substr(at + 1, end - at - 1);
      if (name != "amp" && name != "lt" && name != "gt" && name != "quot" && name != "#39")
        return "entity " + std::string(xml.substr(at, 12));
    }
    if (c != '<') {
      ++at;
      continue;
    }
    const bool comment = xml.substr(at).starts_with("<!--");
    const std::size_t end = comment ? xml.find("-->", at) : xml.find('>', at);
    if (end == std::string_view::npos) return "tag without end";
    const std::string_view tag = xml.substr(at + 1, end - at - 1);
    at = end + 1;
    if (comment || tag.starts_with('?') || tag.starts_with('!') || tag.ends_with('/')) continue;
    const bool closing = tag.starts_with('/');
    const std::string name(tag.substr(closing, tag.find_first_of(" \t\r\n") - closing));
    if (!closing) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return "</" + name + "> without its beginning";
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "<" + open.back() + "> without its end";
}

}  // namespace ser
