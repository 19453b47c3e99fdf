#include "ser/core/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "ser/core/rng.h"
#include "support/errors.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

using testing::AllOf;
using testing::HasSubstr;

template <typename T>
TensorSource source(const std::string& name, DType dtype, std::vector<std::int64_t> shape,
                    const std::vector<T>& values) {
  return {name, dtype, std::move(shape),
          [values](AtomicFile& file) { file.write(std::as_bytes(std::span(values))); }};
}

/// A file with the given header and data.
std::string raw(const std::string& header, const std::string& data = "") {
  const std::uint64_t size = header.size();
  std::string text(8, '\0');
  std::memcpy(text.data(), &size, 8);
  return text + header + data;
}

std::string entry(const std::string& fields) { return R"({"t":{)" + fields + "}}"; }

class Safetensors : public testing::Test {
 protected:
  std::filesystem::path write_sample() {
    write_safetensors(folder_ / "s", {{"format", "x"}, {"note", "\"quoted\""}},
                      {source<std::int64_t>("wide", DType::kI64, {2}, {7, -1}),
                       source<float>("narrow", DType::kF32, {2, 3}, {1, 2, 3, 4, 5, 6}),
                       source<std::int64_t>("one", DType::kI64, {1}, {9})});
    return folder_ / "s";
  }
  SafetensorsFile read(const std::string& bytes) {
    return SafetensorsFile(folder_.add("f", bytes));
  }
  TempFolder folder_;
};

TEST_F(Safetensors, ReadsBackWhatWasWritten) {
  const SafetensorsFile file(write_sample());
  EXPECT_EQ(file.metadata("note"), "\"quoted\"");
  EXPECT_EQ(file.metadata().size(), 2u);
  const auto& narrow = file.tensor("narrow", DType::kF32, 2);
  EXPECT_EQ(narrow.shape, (std::vector<std::int64_t>{2, 3}));
  float last = 0;
  std::memcpy(&last, narrow.bytes.data() + 20, 4);
  EXPECT_EQ(last, 6);
  EXPECT_EQ(file.tensor("one", DType::kI64, 1).bytes.size(), 8u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(file.tensor("wide", DType::kI64, 1).bytes.data()) % 8,
            0u);
}

TEST_F(Safetensors, SameContentIsTheSameBytes) {
  const std::string first = read_file(write_sample(), kMostBytes);
  EXPECT_EQ(read_file(write_sample(), kMostBytes), first);
}

TEST_F(Safetensors, NamesWhatIsMissing) {
  const SafetensorsFile file(write_sample());
  EXPECT_ERROR(file.tensor("gone", DType::kF32, 1),
               HasSubstr("expected a tensor 'gone', found none"));
  EXPECT_ERROR(file.tensor("wide", DType::kF32, 1),
               HasSubstr("expected F32 with 1 dimensions, found I64 with 1"));
  EXPECT_ERROR(file.tensor("wide", DType::kI64, 2), HasSubstr("with 2 dimensions"));
  EXPECT_ERROR(file.metadata("gone"), HasSubstr("expected metadata 'gone', found none"));
}

TEST_F(Safetensors, TensorsAreWrittenAligned) {
  EXPECT_ERROR(write_safetensors(folder_ / "s", {},
                                 {source<float>("narrow", DType::kF32, {1}, {1}),
                                  source<std::int64_t>("wide", DType::kI64, {1}, {1})}),
               HasSubstr("tensor 'wide' would not be aligned"));
}

TEST_F(Safetensors, RefusesHostileHeaders) {
  const std::string four(4, 'x'), huge = raw("").replace(0, 8, 8, '\xff');
  const std::pair<std::string, const char*> cases[] = {
      {"", "fewer than 8 bytes"},
      {"1234567", "fewer than 8 bytes"},
      {"RIFF....WAVE", "found another kind"},
      {huge, "its header does not fit"},
      {raw("{}").substr(0, 9), "its header does not fit"},
      {raw("{"), "not valid JSON"},
      {raw("[]"), "expected a JSON object"},
      {raw(std::string(100000, '[')), "nested deeper"},
      {raw(R"({"__metadata__":3})"), "__metadata__: expected a JSON object"},
      {raw(R"({"__metadata__":{"a":1}})"), "metadata 'a': expected a string"},
      {raw(R"({"t":3})"), "tensor 't': expected a JSON object"},
      {raw(entry(R"("dtype":"F32","shape":[1])"), four), "'data_offsets' is missing"},
      {raw(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1)"), four),
       "unknown key 'x'"},
      {raw(entry(R"("dtype":3,"shape":[1],"data_offsets":[0,4])"), four), "expected a type name"},
      {raw(entry(R"("dtype":"BF16","shape":[1],"data_offsets":[0,4])"), four), "found 'BF16'"},
      {raw(entry(R"("dtype":"F32","shape":1,"data_offsets":[0,4])"), four), "list of sizes"},
      {raw(entry(R"("dtype":"F32","shape":[1.5],"data_offsets":[0,4])"), four), "whole numbers"},
      {raw(entry(R"("dtype":"F32","shape":[-1],"data_offsets":[0,4])"), four), "impossible shape"},
      {raw(entry(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4])"), four),
       "impossible shape"},
      {raw(entry(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4])"), four),
       "impossible shape"},
      {raw(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), four), "needs 2 elements"},
      {raw(entry(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), four), "outside the file"},
      {raw(entry(R"("dtype":"F32","shape":[1],"data_offsets":[4,0])"), four), "outside the file"},
      {raw(entry(R"("dtype":"F32","shape":[1],"data_offsets":[-4,0])"), four), "outside the file"},
      {raw(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0])"), four), "outside the file"},
      {raw(entry(R"("dtype":"F32","shape":[1],"data_offsets":[1,5])"), "12345"), "not aligned"},
      {raw(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
           R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
           "12345678"),
       "two tensors share bytes"},
      {raw(entry(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), "1234behind"),
       "expected 4 bytes of tensors, found 10 bytes of data"},
      {raw(entry(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), "12345678"),
       "expected 4 bytes of tensors, found 8 bytes of data"}};
  for (const auto& wrong : cases)
    EXPECT_ERROR(read(wrong.first), AllOf(HasSubstr("/f: "), HasSubstr(wrong.second)))
        << wrong.first.substr(0, 200);
}

TEST_F(Safetensors, SurvivesDamage) {
  const std::string good = read_file(write_sample(), kMostBytes);
  for (std::size_t i = 0; i < 64; ++i)
    EXPECT_THROW(read(good.substr(0, good.size() * i / 64)), Error) << i;
  Rng rng(1, 0);
  for (int i = 0; i < 500; ++i) {
    std::string damaged = good;
    damaged[rng.below(damaged.size())] ^= static_cast<char>(1 << rng.below(8));
    try {
      read(damaged);
    } catch (const Error&) {
      continue;
    }
  }
}

}  // namespace
}  // namespace ser
