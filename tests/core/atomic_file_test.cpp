#include "ser/core/atomic_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "ser/core/parallel.h"
#include "support/errors.h"
#include "support/temp_folder.h"

namespace ser {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(AtomicFile, CommitReplacesTheOldFile) {
  const TempFolder folder;
  const fs::path path = folder.add("f", "old");
  AtomicFile file(path);
  file.write("ne");
  file.write("w");
  EXPECT_EQ(read_file(path, kMostBytes), "old");
  file.commit();
  EXPECT_EQ(read_file(path, kMostBytes), "new");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, WithoutCommitTheOldFileStays) {
  const TempFolder folder;
  const fs::path path = folder.add("f", "old");
  { AtomicFile(path).write("new"); }
  EXPECT_EQ(read_file(path, kMostBytes), "old");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, PermissionsFollowTheUmask) {
  const TempFolder folder;
  const mode_t before = ::umask(027);
  write_file(folder / "f", "x");
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "f").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(AtomicFile, KeepsThePermissionsOfWhatItReplaces) {
  const TempFolder folder;
  const fs::path path = folder.add("f", "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  write_file(path, "new");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(AtomicFile, ManyThreadsWriteTheSameFile) {
  const TempFolder folder;
  const MoreThreadsThanCores more(7);
  parallel_for(50, 7,
               [&](std::size_t i) { write_file(folder / "f", std::string(1000, 'a' + i % 26)); });
  const std::string text = read_file(folder / "f", kMostBytes);
  EXPECT_EQ(text.size(), 1000u);
  EXPECT_EQ(text, std::string(1000, text[0]));
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, SaysWhichFolderIsMissing) {
  const TempFolder folder;
  EXPECT_ERROR(AtomicFile(folder / "gone/f"),
               AllOf(HasSubstr("gone/f: expected a folder"), HasSubstr("found none")));
  EXPECT_ERROR(AtomicFile(folder.path()), HasSubstr("expected a file to write, found a folder"));
}

TEST(AtomicFile, NothingIsBesideItWhileItIsWritten) {
  const TempFolder folder;
  AtomicFile file(folder / "f");
  file.write("x");
  EXPECT_EQ(files_in(folder.path()), 0u);
  file.commit();
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, ALinkIsWrittenThrough) {
  const TempFolder folder;
  fs::create_directory(folder / "there");
  folder.add("there/f", "old");
  fs::create_symlink("there/f", folder / "link");
  fs::create_symlink("link", folder / "second");
  write_file(folder / "second", "new");
  EXPECT_EQ(read_file(folder / "there/f", kMostBytes), "new");
  EXPECT_TRUE(fs::is_symlink(folder / "second") && fs::is_symlink(folder / "link"));
  fs::create_symlink("there/g", folder / "dangling");
  write_file(folder / "dangling", "first");
  EXPECT_EQ(read_file(folder / "there/g", kMostBytes), "first");
}

TEST(AtomicFile, TheLongestNamesWork) {
  const TempFolder folder;
  const std::string name(255, 'n');
  write_file(folder / name, "old");
  write_file(folder / name, "new");
  EXPECT_EQ(read_file(folder / name, kMostBytes), "new");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, AFullDiskNamesTheFile) {
  EXPECT_ERROR(write_file("/dev/full", "x"),
               HasSubstr("/dev/full: writing failed: No space left on device"));
}

TEST(AtomicFile, AnOpenStreamIsWrittenToWhereItStands) {
  const TempFolder folder;
  const int descriptor = ::open((folder / "f").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::write(descriptor, "before ", 7), 7);
  write_file("/dev/fd/" + std::to_string(descriptor), "after");
  ::close(descriptor);
  EXPECT_EQ(read_file(folder / "f", kMostBytes), "before after");
}

TEST(AtomicFile, DevicesAreWrittenToAndStay) {
  write_file("/dev/null", "x");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(ReadFile, RefusesMissingAndLargeFiles) {
  const TempFolder folder;
  EXPECT_EQ(read_file(folder.add("f", "12345"), 5), "12345");
  EXPECT_ERROR(read_file(folder / "f", 4), HasSubstr("expected at most 4 bytes"));
  EXPECT_ERROR(read_file(folder / "gone", 4), HasSubstr("gone: opening failed: No such file"));
  EXPECT_ERROR(read_file(folder.path(), 4), HasSubstr("Is a directory"));
}

TEST(MappedFile, HasTheBytesOfTheFile) {
  const TempFolder folder;
  const MappedFile file(folder.add("f", "abc"));
  ASSERT_EQ(file.bytes().size(), 3u);
  EXPECT_EQ(file.bytes()[2], std::byte{'c'});
  file.let_go();
  EXPECT_EQ(file.bytes()[2], std::byte{'c'});
  EXPECT_TRUE(MappedFile(folder.add("empty")).bytes().empty());
  EXPECT_ERROR(MappedFile(folder.path()), HasSubstr("expected a regular file"));
  EXPECT_ERROR(MappedFile(folder / "gone"), HasSubstr("opening failed"));
}

TEST(SpoolFile, OfADeviceOrStreamIsElsewhere) {
  for (const char* near : {"/dev/null", "/dev/stdout", "/dev/fd/1"}) {
    SpoolFile spool(near);
    spool.append(std::as_bytes(std::span("abc", 3)));
    std::array<std::byte, 3> read{};
    EXPECT_EQ(spool.read_at(0, read), 3u);
    EXPECT_EQ(read[2], std::byte{'c'});
  }
  ::setenv("TMPDIR", "/no/such/folder", 1);
  EXPECT_EQ(temporary_folder(), "/tmp");
  ::unsetenv("TMPDIR");
}

TEST(SpoolFile, CopiesAnyRangeAndLeavesNothing) {
  const TempFolder folder;
  std::vector<std::byte> bytes(3 << 20);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 >> 3);
  {
    SpoolFile spool(folder / "f");
    EXPECT_EQ(files_in(folder.path()), 0u);
    for (std::size_t at = 0; at < bytes.size(); at += 100000)
      spool.append(std::span(bytes).subspan(at, std::min<std::size_t>(100000, bytes.size() - at)));
    EXPECT_EQ(spool.size(), bytes.size());
    AtomicFile file(folder / "f");
    spool.copy_to(file, 5, bytes.size() - 3);
    file.commit();
  }
  EXPECT_EQ(files_in(folder.path()), 1u);
  const MappedFile copy(folder / "f");
  EXPECT_TRUE(std::ranges::equal(copy.bytes(), std::span(bytes).subspan(5, bytes.size() - 8)));
}

}  // namespace
}  // namespace ser
