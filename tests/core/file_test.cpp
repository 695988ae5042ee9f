// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/core/file.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"

using namespace siena;
namespace fs = std::filesystem;

namespace {
/// A folder of its own for a test, removed at its end.
struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "siena-file-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::permissions(path, fs::perms::owner_all, ignored);
    fs::remove_all(path, ignored);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(path)) found.push_back(entry.path().filename().string());
    return found;
  }
  fs::path path;
};

/// Files of this process may not grow beyond some bytes: a full disk, for tests. Whoever does not say otherwise is killed.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(::rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_DFL)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    ::rlimit limit = old_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  ::rlimit old_{};
};

/// Another process that has written half of a file, and waits.
class HalfWriter {
 public:
  explicit HalfWriter(const fs::path& path) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      detail::TemporaryFile file(path, path.string());
      file.write("half");
      (void)!::write(ends[1], "x", 1);
      while (true) ::pause();
    }
    char written = 0;
    REQUIRE(::read(ends[0], &written, 1) == 1);
    ::close(ends[0]), ::close(ends[1]);
  }
  ~HalfWriter() { kill(); }
  void kill() {
    if (child_ == 0) return;
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }

 private:
  ::pid_t child_ = 0;
};
}  // namespace

TEST_CASE("what was written is read back, byte for byte", "[core][file]") {
  const Folder folder;
  const fs::path path = folder.path / "data.bin";
  SECTION("text") {
    write_file_atomically(path, "two\nlines\n");
    REQUIRE(read_file(path) == "two\nlines\n");
  }
  SECTION("parts, zeros included") {
    write_file_atomically(path, {std::string_view("\0", 1), "\xff\n", std::string_view("\0", 1)});
    REQUIRE(read_file(path) == std::string("\0\xff\n\0", 4));
  }
  SECTION("nothing") {
    write_file_atomically(path, "");
    REQUIRE(fs::exists(path));
    REQUIRE(read_file(path).empty());
  }
  SECTION("sizes around the first guess of the reader") {
    for (const std::size_t size : {4095u, 4096u, 4097u, 100'000u}) {
      std::string text(size, 'x');
      text.back() = 'y';
      write_file_atomically(path, text);
      REQUIRE(read_file(path) == text);
    }
  }
  REQUIRE(folder.names() == std::vector<std::string>{"data.bin"});
}

TEST_CASE("a file is replaced, its permissions and links kept", "[core][file]") {
  const Folder folder;
  const fs::path path = folder.path / "data.txt", link = folder.path / "link.txt";
  write_file_atomically(path, "a long first version");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("data.txt", link);
  write_file_atomically(link, "second");
  REQUIRE(read_file(path) == "second");
  REQUIRE(fs::is_symlink(link));
  REQUIRE(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("a link to a file that is not there yet leads to it", "[core][file]") {
  const Folder folder;
  fs::create_directory(folder.path / "disk");
  const fs::path link = folder.path / "link.txt", link_to_link = folder.path / "again.txt";
  fs::create_symlink("disk/data.txt", link);
  fs::create_symlink(link, link_to_link);
  check_can_write(link_to_link);
  REQUIRE(!fs::exists(folder.path / "disk/data.txt"));
  write_file_atomically(link_to_link, "first");
  REQUIRE(read_file(folder.path / "disk/data.txt") == "first");
  REQUIRE(fs::is_symlink(link));
  REQUIRE(fs::is_symlink(link_to_link));
  write_file_atomically(link, "second");
  REQUIRE(read_file(folder.path / "disk/data.txt") == "second");

  const fs::path nowhere = folder.path / "nowhere.txt", ring = folder.path / "ring.txt";
  fs::create_symlink("no/data.txt", nowhere);
  REQUIRE_THROWS_WITH(write_file_atomically(nowhere, "x"),
                      ContainsSubstring(nowhere.string()) && ContainsSubstring("no folder"));
  fs::create_symlink("ring.txt", ring);
  REQUIRE_THROWS_WITH(write_file_atomically(ring, "x"),
                      ContainsSubstring(ring.string()) && ContainsSubstring("symbolic links"));
  REQUIRE(folder.names().size() == 5);
}

TEST_CASE("what a killed program was writing is removed by the next one, what a living one writes is not", "[core][file]") {
  const Folder folder;
  HalfWriter killed(folder.path / "killed.txt");
  const HalfWriter living(folder.path / "living.txt");
  const fs::path of_another = folder.path / ".siena-another.machine-7-0.tmp";
  std::ofstream(of_another) << "half";
  killed.kill();
  REQUIRE(folder.names().size() == 3);
  for (const std::string& name : folder.names()) REQUIRE(is_temporary_file(name));

  write_file_atomically(folder.path / "data.txt", "x");
  std::vector<std::string> left = folder.names();
  REQUIRE(left.size() == 3);  // the new file, and those of the living one and of the other machine
  REQUIRE(fs::exists(of_another));
  REQUIRE(read_file(folder.path / "data.txt") == "x");
  REQUIRE(!is_temporary_file("data.txt"));
}

TEST_CASE("a name of the greatest length can be written", "[core][file]") {
  const Folder folder;
  const fs::path path = folder.path / std::string(255, 'n');
  write_file_atomically(path, "x");
  REQUIRE(read_file(path) == "x");
}

TEST_CASE("a relative path is written into the working directory", "[core][file]") {
  const Folder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path);
  write_file_atomically("here.txt", "x");
  fs::current_path(before);
  REQUIRE(folder.names() == std::vector<std::string>{"here.txt"});
}

TEST_CASE("files without a size are read to their end", "[core][file]") {
  if (fs::exists("/proc/self/status")) REQUIRE_THAT(read_file("/proc/self/status"), ContainsSubstring("Pid:"));
}

TEST_CASE("reading says which file and why not", "[core][file]") {
  const Folder folder;
  const fs::path missing = folder.path / "missing.txt";
  REQUIRE_THROWS_AS(read_file(missing), DataError);
  REQUIRE_THROWS_WITH(read_file(missing), ContainsSubstring("read_file: expected to read the file '" + missing.string()) &&
                                              ContainsSubstring("No such file or directory"));
  REQUIRE_THROWS_AS(read_file(folder.path), DataError);
  REQUIRE_THROWS_WITH(read_file(folder.path), ContainsSubstring(folder.path.string()) && ContainsSubstring("is a directory"));
  if (fs::exists("/proc/self/mem")) {  // opens, but its first byte cannot be read
    REQUIRE_THROWS_AS(read_file("/proc/self/mem"), DataError);
    REQUIRE_THROWS_WITH(read_file("/proc/self/mem"), ContainsSubstring("/proc/self/mem") && ContainsSubstring("error"));
  }
  if (::geteuid() != 0) {
    const fs::path locked = folder.path / "locked.txt";
    write_file_atomically(locked, "x");
    fs::permissions(locked, fs::perms::none);
    REQUIRE_THROWS_WITH(read_file(locked), ContainsSubstring("Permission denied"));
  }
}

TEST_CASE("writing says which file and why not, and leaves nothing behind", "[core][file]") {
  const Folder folder;
  SECTION("no such folder") {
    const fs::path path = folder.path / "no" / "data.txt";
    REQUIRE_THROWS_AS(write_file_atomically(path, "x"), DataError);
    REQUIRE_THROWS_WITH(write_file_atomically(path, "x"), ContainsSubstring("expected to write '" + path.string()) &&
                                                              ContainsSubstring("no folder '" + (folder.path / "no").string()));
    REQUIRE(folder.names().empty());
  }
  SECTION("a directory in its place") {
    const fs::path path = folder.path / "data";
    fs::create_directory(path);
    REQUIRE_THROWS_AS(write_file_atomically(path, "x"), DataError);
    REQUIRE_THROWS_WITH(write_file_atomically(path, "x"),
                        ContainsSubstring(path.string()) && ContainsSubstring("is a directory"));
    REQUIRE_THROWS_WITH(write_file_atomically(folder.path / "data/", "x"), ContainsSubstring("expected the name of a file"));
    REQUIRE(fs::is_directory(path));
    REQUIRE(folder.names() == std::vector<std::string>{"data"});
  }
  SECTION("no name") { REQUIRE_THROWS_WITH(write_file_atomically("", "x"), ContainsSubstring("the name of a file, got ''")); }
  SECTION("a device") {
    REQUIRE_THROWS_WITH(write_file_atomically("/dev/null", "x"), ContainsSubstring("'/dev/null' to be a regular file"));
    REQUIRE(fs::is_character_file("/dev/null"));
  }
  SECTION("a full disk") {
    const fs::path path = folder.path / "data.txt";
    write_file_atomically(path, "old");
    std::string message;
    {
      const FileSizeLimit limit(5000);
      try {
        write_file_atomically(path, std::string(20'000, 'x'));
      } catch (const DataError& error) {
        message = error.what();
      }
    }
    REQUIRE_THAT(message, ContainsSubstring(path.string()) && ContainsSubstring("File too large"));
    REQUIRE(read_file(path) == "old");
    REQUIRE(folder.names() == std::vector<std::string>{"data.txt"});
  }
  SECTION("no permission") {
    if (::geteuid() == 0) return;
    const fs::path path = folder.path / "data.txt";
    write_file_atomically(path, "old");
    fs::permissions(path, fs::perms::owner_read);
    REQUIRE_THROWS_WITH(write_file_atomically(path, "x"), ContainsSubstring("Permission denied"));
    fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
    REQUIRE_THROWS_WITH(write_file_atomically(folder.path / "new.txt", "x"), ContainsSubstring("Permission denied"));
    REQUIRE(read_file(path) == "old");
    REQUIRE(folder.names() == std::vector<std::string>{"data.txt"});
  }
}

TEST_CASE("of two files that belong together both are written or none", "[core][file]") {
  const Folder folder;
  const fs::path first = folder.path / "first", second = folder.path / "second";
  write_pair_atomically({first, "a"}, {second, "b"});
  {
    const FileSizeLimit limit(1000);
    REQUIRE_THROWS_WITH(write_pair_atomically({first, "new"}, {second, std::string(2000, 'x')}), ContainsSubstring("second'"));
  }
  REQUIRE_THROWS_AS(write_pair_atomically({first, "new"}, {folder.path / "none" / "second", "new"}), DataError);
  REQUIRE(read_file(first) == "a");
  REQUIRE(read_file(second) == "b");
  REQUIRE(folder.names().size() == 2);
  write_pair_atomically({first, "new"}, {second, "too"});
  REQUIRE(read_file(first) + read_file(second) == "newtoo");
}

TEST_CASE("whether a file can be written is known before, and nothing changes", "[core][file]") {
  const Folder folder;
  const auto refused = [](const fs::path& path) {
    std::string message;
    REQUIRE_THROWS_AS(check_can_write(path), DataError);
    try {
      write_file_atomically(path, "x");
    } catch (const DataError& error) {
      message = error.what();
    }
    REQUIRE_THROWS_WITH(check_can_write(path), message);
  };
  for (const fs::path& path : {fs::path(), fs::path("/dev/null"), folder.path, folder.path / "no" / "data.txt"}) refused(path);
  refused(folder.path / std::string(256, 'n'));
  const fs::path old = folder.path / "old.txt";
  write_file_atomically(old, "old");
  check_can_write(old);
  check_can_write(folder.path / "new.txt");
  REQUIRE(read_file(old) == "old");
  REQUIRE(folder.names() == std::vector<std::string>{"old.txt"});
  if (::geteuid() == 0) return;
  fs::permissions(folder.path, fs::perms::owner_read | fs::perms::owner_exec);
  refused(old);  // a file that may be written, where no other may be made
  refused(folder.path / "new.txt");
}

TEST_CASE("threads that write one file leave one whole version", "[core][file]") {
  const Folder folder;
  const fs::path path = folder.path / "data.txt";
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&path, t] {
      for (int i = 0; i < 5; ++i) write_file_atomically(path, std::string(10'000 + 1000 * t, static_cast<char>('a' + t)));
    });
  }
  for (auto& writer : writers) writer.join();
  const std::string text = read_file(path);
  REQUIRE(text.size() == 10'000u + 1000u * static_cast<unsigned>(text[0] - 'a'));
  REQUIRE(text == std::string(text.size(), text[0]));
  REQUIRE(folder.names() == std::vector<std::string>{"data.txt"});
}
