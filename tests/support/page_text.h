#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace ser {

/// Expects each text in a page, without printing the page.
inline void expect_says(std::string_view page, std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts)
    EXPECT_NE(page.find(text), std::string_view::npos) << "missing: " << text;
}

inline void expect_silent(std::string_view page, std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts)
    EXPECT_EQ(page.find(text), std::string_view::npos) << "found: " << text;
}

}  // namespace ser
