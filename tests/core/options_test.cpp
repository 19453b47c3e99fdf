#include "ser/core/options.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/errors.h"

namespace ser {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

enum class Scale { kSlaney, kHtk };

struct Inner {
  int num_bands = 128;
  double low_hz = 0.5;
  void visit(FieldVisitor& v) {
    v.field("num_bands", num_bands, "Bands", Range{1, 4096});
    v.field("low_hz", low_hz, "Lowest frequency", Range{0, 1000}.below());
  }
};

class Shape {
 public:
  virtual ~Shape() = default;
  virtual std::string_view type() const = 0;
  virtual void visit(FieldVisitor& v) = 0;
  virtual std::unique_ptr<Shape> clone() const = 0;
};
std::unique_ptr<Shape> make_shape(std::string_view type);
using ShapeList = BoxList<Shape, std::unique_ptr<Shape> (*)(std::string_view)>;

class Circle : public Cloneable<Circle, Shape> {
 public:
  double radius = 1;
  std::string_view type() const override { return "circle"; }
  void visit(FieldVisitor& v) override { v.field("radius", radius, "Radius", Range{0, 9}.above()); }
};

class Group : public Cloneable<Group, Shape> {
 public:
  std::vector<Box<Shape>> parts;
  std::string_view type() const override { return "group"; }
  void visit(FieldVisitor& v) override {
    ShapeList list(parts, make_shape);
    v.list("parts", list);
  }
};

std::unique_ptr<Shape> make_shape(std::string_view type) {
  if (type == "circle") return std::make_unique<Circle>();
  if (type == "group") return std::make_unique<Group>();
  throw Error("expected circle or group");
}

struct Outer {
  bool fast = false;
  std::string name = "x";
  std::vector<std::string> words = {"a"};
  Scale scale = Scale::kSlaney;
  Inner mel;
  std::vector<Box<Shape>> shapes;
  void visit(FieldVisitor& v) {
    v.field("fast", fast, "");
    v.field("name", name, "");
    v.field("words", words, "");
    v.choice("scale", scale, {{"slaney", Scale::kSlaney}, {"htk", Scale::kHtk}}, "");
    v.group("mel", mel);
    ShapeList list(shapes, make_shape);
    v.list("shapes", list);
  }
};

Outer read(std::string_view json) {
  Outer options;
  from_json(json, options);
  return options;
}

constexpr std::string_view kFull =
    R"({"fast":true,"name":"\"é\"","words":[],"scale":"htk",)"
    R"("mel":{"num_bands":64,"low_hz":20.25},)"
    R"("shapes":[{"type":"circle","radius":2.5},{"type":"group","parts":[{"type":"circle","radius":1.0}]}]})";

TEST(Options, RoundTripThroughJson) { EXPECT_EQ(to_json(read(kFull)), kFull); }

TEST(Options, FieldsNotNamedKeepTheirValue) {
  const Outer options = read(R"({"mel": {"low_hz": 3}})");
  EXPECT_EQ(options.mel.low_hz, 3);
  EXPECT_EQ(options.mel.num_bands, 128);
  EXPECT_THAT(options.words, ElementsAre("a"));
}

TEST(Options, CopiesAreDeep) {
  const Outer first = read(kFull);
  Outer second = first;
  dynamic_cast<Circle&>(*second.shapes[0]).radius = 9;
  EXPECT_EQ(to_json(first), kFull);
}

TEST(Options, WholeNumbersMayBeWrittenAsFloats) {
  EXPECT_EQ(read(R"({"mel": {"num_bands": 40.0}})").mel.num_bands, 40);
}

TEST(Options, UnknownNamesAreRefusedWithTheirPathAndTheNearestOne) {
  EXPECT_ERROR(read(R"({"mel": {"num_band": 3}})"),
               HasSubstr("unknown option 'mel.num_band' (did you mean 'num_bands'?)"));
  EXPECT_ERROR(read(R"({"zzz": 1})"), HasSubstr("unknown option 'zzz'"));
  EXPECT_ERROR(
      read(R"({"shapes": [{"type": "group", "parts": [{"type": "circle", "radus": 1}]}]})"),
      HasSubstr("unknown option 'shapes[0].parts[0].radus' (did you mean 'radius'?)"));
}

TEST(Options, WrongTypesAreRefusedWithTheirPath) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"fast": 1})", "option 'fast': expected true or false, found 1"},
      {R"({"name": 1})", "option 'name': expected a string, found 1"},
      {R"({"words": 1})", "option 'words': expected a list, found 1"},
      {R"({"words": [1]})", "option 'words': expected a string, found 1"},
      {R"({"mel": {"low_hz": null}})", "option 'mel.low_hz': expected a number in [0, 1000)"},
      {R"({"mel": 3})", "option 'mel': expected a JSON object, found number"},
      {R"({"mel": {"num_bands": 1.5}})",
       "option 'mel.num_bands': expected an integer in [1, 4096], found 1.5"},
      {R"({"mel": {"num_bands": 1e300}})", "expected an integer"},
      {R"({"mel": {"num_bands": 18446744073709551615}})", "expected an integer"},
      {R"({"scale": "htc"})",
       "option 'scale': expected one of slaney, htk, found 'htc' (did you mean 'htk'?)"},
      {R"({"shapes": {}})", "option 'shapes': expected a list of objects"},
      {R"({"shapes": [{}]})", "option 'shapes[0]': expected an object with a \"type\""},
      {R"({"shapes": [{"type": "square"}]})", "option 'shapes[0]': expected circle or group"},
      {"[]", "options: expected a JSON object, found array"},
      {"{", "options: not valid JSON"}};
  for (const auto& wrong : cases)
    EXPECT_ERROR(read(wrong.first), HasSubstr(wrong.second)) << wrong.first;
}

TEST(Options, NumbersStayInTheirRange) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"({"mel": {"num_bands": 0}})",
       "'mel.num_bands': expected an integer in [1, 4096], found 0"},
      {R"({"mel": {"num_bands": 2e9}})", "expected an integer in [1, 4096], found 2000000000.0"},
      {R"({"mel": {"low_hz": -1}})", "'mel.low_hz': expected a number in [0, 1000), found -1"},
      {R"({"mel": {"low_hz": 1000}})", "'mel.low_hz': expected a number in [0, 1000), found 1000"},
      {R"({"shapes": [{"type": "circle", "radius": 0}]})",
       "'shapes[0].radius': expected a number in (0, 9], found 0"}};
  for (const auto& wrong : cases)
    EXPECT_ERROR(read(wrong.first), HasSubstr(wrong.second)) << wrong.first;
  EXPECT_EQ(read(R"({"mel": {"num_bands": 4096, "low_hz": 0}})").mel.num_bands, 4096);
}

TEST(Options, NumbersSetByAProgramAreCheckedToo) {
  Outer options = read(R"({"shapes": [{"type": "group", "parts": [{"type": "circle"}]}]})");
  EXPECT_NO_THROW(check_ranges(options));
  options.mel.low_hz = std::nan("");
  EXPECT_ERROR(check_ranges(options), HasSubstr("option 'mel.low_hz': expected a number in "));
  options.mel.low_hz = 1;
  auto& group = dynamic_cast<Group&>(*options.shapes[0]);
  dynamic_cast<Circle&>(*group.parts[0]).radius = 10;
  EXPECT_ERROR(check_ranges(options), HasSubstr("option 'shapes[0].parts[0].radius': expected"));
}

TEST(Options, ListsAreLimited) {
  const auto circles = [](int count) {
    std::string json = R"({"type":"circle"})";
    for (int i = 1; i < count; ++i) json += R"(,{"type":"circle"})";
    return R"({"shapes":[)" + json + "]}";
  };
  EXPECT_NO_THROW(read(circles(256)));
  EXPECT_ERROR(read(circles(257)),
               HasSubstr("option 'shapes': expected at most 256 objects, found 257"));
}

TEST(Options, NestingIsLimited) {
  const auto nested = [](int depth) {
    std::string json = R"({"type":"circle"})";
    for (int i = 0; i < depth; ++i) json = R"({"type":"group","parts":[)" + json + "]}";
    return R"({"shapes":[)" + json + "]}";
  };
  EXPECT_NO_THROW(read(nested(20)));
  EXPECT_ERROR(read(nested(40)), HasSubstr("nested deeper than 32 levels"));
}

}  // namespace
}  // namespace ser
