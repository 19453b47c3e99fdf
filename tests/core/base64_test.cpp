#include "ser/core/base64.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/errors.h"

namespace ser {
namespace {

using testing::HasSubstr;

std::string encode(std::string_view text) { return base64_encode(std::as_bytes(std::span(text))); }

std::string decode(std::string_view text, std::size_t bytes) {
  std::string out(bytes, '?');
  base64_decode(text, std::as_writable_bytes(std::span(out)));
  return out;
}

TEST(Base64, AgreesWithTheVectorsOfRfc4648) {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(encode(plain), coded);
    EXPECT_EQ(decode(coded, plain.size()), plain);
  }
}

TEST(Base64, EveryByteReadsBack) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  EXPECT_EQ(decode(encode(bytes), 256), bytes);
}

TEST(Base64, RefusesWhatIsNotBase64OfThatSize) {
  EXPECT_ERROR(decode("Zm9v", 2), HasSubstr("position 3"));
  EXPECT_ERROR(decode("Zm9v", 4), HasSubstr("expected 8 characters for 4 bytes, found 4"));
  EXPECT_ERROR(decode("Zg=", 1), HasSubstr("found 3"));
  EXPECT_ERROR(decode("Zg=a", 1), HasSubstr("position 3"));
  EXPECT_ERROR(decode("Zm9=", 3), HasSubstr("position 3"));
  EXPECT_ERROR(decode("Zm 9", 3), HasSubstr("position 2"));
  EXPECT_ERROR(decode("Zm-_", 3), HasSubstr("position 2"));
  EXPECT_ERROR(decode("\xffm9v", 3), HasSubstr("position 0"));
}

}  // namespace
}  // namespace ser
