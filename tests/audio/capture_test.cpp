#include "ser/audio/capture.h"

#include <gmock/gmock.h>

#include "support/errors.h"
#include "support/paths.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<CaptureDevice> kDevices = {{0, "HDA Intel: Analog", "ALSA", 48000, false},
                                             {3, "USB Microphone", "ALSA", 44100, true},
                                             {4, "USB Microphone 2", "ALSA", 44100, false}};

TEST(ChooseDevice, TakesNumbersNamesAndPartsOfNames) {
  EXPECT_EQ(choose_device(kDevices, "").number, 3);
  EXPECT_EQ(choose_device(kDevices, "0").number, 0);
  EXPECT_EQ(choose_device(kDevices, "4").number, 4);
  EXPECT_EQ(choose_device(kDevices, "USB Microphone").number, 3);
  EXPECT_EQ(choose_device(kDevices, "intel").number, 0);
  EXPECT_EQ(choose_device(kDevices, "phone 2").number, 4);
}

TEST(ChooseDevice, NamesTheDevicesThereAre) {
  EXPECT_ERROR(choose_device(kDevices, "usb"),
               AllOf(HasSubstr("found 'usb': it may be 3 'USB Microphone', 4 'USB Microphone 2'")));
  EXPECT_ERROR(choose_device(kDevices, "webcam"), HasSubstr("there are 0 'HDA Intel: Analog', 3"));
  EXPECT_ERROR(choose_device({}, ""), HasSubstr("found none"));
  EXPECT_ERROR(choose_device({kDevices[0]}, ""), HasSubstr("expected a default device"));
}

TEST(LoadCaptureModule, SaysWhereItLooked) {
  const TempFolder folder;
  const std::filesystem::path folders[] = {folder / "a", folder / "b"};
  EXPECT_ERROR(load_capture_module(folders, "1"),
               AllOf(HasSubstr("PortAudio"), HasSubstr((folder / "a").string()),
                     HasSubstr((folder / "b").string())));
}

TEST(LoadCaptureModule, RefusesWhatIsNoModule) {
  const TempFolder folder;
  folder.add("ser-capture.so", "text");
  const std::filesystem::path folders[] = {folder.path()};
  EXPECT_ERROR(load_capture_module(folders, "1"),
               AllOf(HasSubstr("recording from a microphone: "), HasSubstr("ser-capture.so")));
}

TEST(LoadCaptureModule, RefusesAnotherVersion) {
  const std::filesystem::path folders[] = {fake_capture_folder()};
  EXPECT_ERROR(load_capture_module(folders, "0.0.0"), HasSubstr("expected a module of ser 0.0.0"));
}

}  // namespace
}  // namespace ser
