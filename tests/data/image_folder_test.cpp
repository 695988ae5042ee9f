// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
#include "siena/data/image_folder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "siena/data/image_sample.hpp"
#include "siena/data/tiny_imagenet.hpp"
#include "support/catch.hpp"
#include "support/images.hpp"
#include "support/temporary_folder.hpp"

using namespace siena;
using namespace siena::data;
using test::write_bytes;

namespace {

// `count` images of each of two classes; what an image shows tells which it is.
void add_people(const std::filesystem::path& folder, int count, int shade = 0) {
  for (int i = 0; i < count; ++i) {
    write_bytes(folder / "person" / format("{:03}.png", i), test::png_bytes(test::slope(12, 12, shade + i)));
    write_bytes(folder / "nobody" / format("{:03}.PNG", i), test::png_bytes(test::slope(12, 16, shade + i)));
  }
}

ImageFolderOptions small_images() { return {.size = {.height = 12, .width = 12}}; }

std::multiset<std::vector<std::uint8_t>> images_of(const Dataset& dataset) {
  std::multiset<std::vector<std::uint8_t>> all;
  for (std::int64_t i = 0; i < dataset.size(); ++i) all.emplace(dataset.bytes(i).begin(), dataset.bytes(i).end());
  return all;
}

}  // namespace

TEST_CASE("image folder: a class a folder, split by fractions") {
  const test::TemporaryFolder folder("siena_folder");
  add_people(folder.path, 50);
  const auto data = image_folder(folder.path, small_images());
  REQUIRE(data.classes == std::vector<std::string>{"nobody", "person"});
  REQUIRE(data.shape() == Shape{12, 12, 3});
  REQUIRE(data.test.size() == 10);
  REQUIRE(data.validation.size() == 18);
  REQUIRE(data.train.size() == 72);
  REQUIRE(data.test.normalization().mean == measure(data.train).mean);
  auto all = images_of(data.train);
  all.merge(images_of(data.validation));
  all.merge(images_of(data.test));
  REQUIRE(all.size() == 100);
  int people = 0;
  for (std::int64_t i = 0; i < 10; ++i) people += data.test.label(i);
  REQUIRE(people == 5);
  // An image of its own size is itself.
  const auto expected = test::slope(12, 12, 3).pixels;
  REQUIRE(all.contains(expected));
  const Preparation preparation = data.test.preparation();
  REQUIRE(preparation.classes == data.classes);
  REQUIRE(preparation.colours == Colours::rgb);
  REQUIRE(preparation.resize == small_images().size);
  // A file as a sample: the pixels that the loader made of it, in the order of colours that is asked for.
  const auto file = folder.path / "person" / "007.png";
  const auto pixels = image_sample(file, preparation);
  REQUIRE(all.contains(pixels));
  auto swapped = preparation;
  swapped.colours = Colours::bgr;
  REQUIRE(image_sample(file, swapped)[0] == pixels[2]);
  swapped.resize->width = 11;
  REQUIRE_THROWS_WITH(image_sample(file, swapped), ContainsSubstring("expected a preparation that gives 12x12x3 images"));
  swapped.bytes = false;
  REQUIRE_THROWS_AS(image_sample(file, swapped), ShapeError);

  auto turned = small_images();
  turned.classes = {"person", "nobody"};
  turned.channels = 1;
  turned.seed = 3;
  const auto other = image_folder(folder.path, turned);
  REQUIRE(other.classes[0] == "person");
  REQUIRE(other.train.preparation().classes == other.classes);
  REQUIRE(other.train.preparation().colours == Colours::grey);
  REQUIRE(other.shape() == Shape{12, 12, 1});
  turned.classes = {"person", "dog"};
  REQUIRE_THROWS_WITH(image_folder(folder.path, turned), ContainsSubstring("a folder 'dog'"));
}

TEST_CASE("image folder: as the guide shows it") {
  const test::TemporaryFolder folder("siena_folder_guide");
  add_people(folder.path, 10);
  // clang-format off
  const auto people = data::image_folder(folder.path, {.size = {.height = 96, .width = 96}, .classes = {"nobody", "person"}});
  // clang-format on
  REQUIRE(people.shape() == Shape{96, 96, 3});
}

TEST_CASE("image folder: parts by folder, and what is missing from the training images") {
  const test::TemporaryFolder folder("siena_folder_parts");
  add_people(folder.path / "train", 20);
  add_people(folder.path / "val", 4, 100);
  const auto cut = image_folder(folder.path, small_images());
  REQUIRE(cut.validation.size() == 8);
  REQUIRE(cut.test.size() == 4);
  REQUIRE(cut.train.size() == 36);
  add_people(folder.path / "test", 3, 150);
  const auto data = image_folder(folder.path, small_images());
  REQUIRE(data.test.size() == 6);
  REQUIRE(data.train.size() == 40);
  REQUIRE(images_of(data.test).contains(test::slope(12, 12, 151).pixels));
}

TEST_CASE("image folder: bad files stop the loading, or are left out and counted") {
  const test::TemporaryFolder folder("siena_folder_bad");
  add_people(folder.path, 20);
  write_bytes(folder.path / "person" / "004.png", "");
  write_bytes(folder.path / "person" / "zzz.jpg", "no image");
  write_bytes(folder.path / "person" / "notes.txt", "not looked at");
  auto options = small_images();
  REQUIRE_THROWS_WITH(image_folder(folder.path, options), ContainsSubstring("person") && ContainsSubstring("skip_bad_files"));
  options.skip_bad_files = true;
  const auto data = image_folder(folder.path, options);
  REQUIRE(data.report.skipped.size() == 2);
  REQUIRE(data.report.skipped[0].find("004.png") != std::string::npos);
  REQUIRE(data.train.size() + data.validation.size() + data.test.size() == 39);
  REQUIRE_THROWS_WITH(image_folder(folder.path / "person"), ContainsSubstring("lie in no class folder"));
  REQUIRE_THROWS_WITH(image_folder(folder.path / "nowhere"), ContainsSubstring("nowhere"));
}

TEST_CASE("image folder: parts as people call them") {
  for (const char* name : {"valid", "val", "validation", "dev", "Valid"}) {
    const test::TemporaryFolder folder("siena_folder_names");
    add_people(folder.path / "Train", 10);
    add_people(folder.path / name, 2, 100);
    add_people(folder.path / "testing", 1, 150);
    const auto data = image_folder(folder.path, small_images());
    CHECK(data.train.size() == 20);
    CHECK(data.validation.size() == 4);
    CHECK(data.test.size() == 2);
    CHECK(data.report.notes.empty());
    add_people(folder.path / "eval", 1);
    CHECK_THROWS_WITH(image_folder(folder.path, small_images()),
                      ContainsSubstring("got a folder 'eval' with the same class 'nobody', which nobody reads"));
    std::filesystem::remove_all(folder.path / "eval");
    add_people(folder.path / "test", 1);
    CHECK_THROWS_WITH(image_folder(folder.path, small_images()), ContainsSubstring("got 'test' and 'testing'; keep one"));
  }
  const test::TemporaryFolder folder("siena_folder_beside");  // the same beside classes
  add_people(folder.path, 20);
  add_people(folder.path / "test", 2);
  CHECK_THROWS_WITH(image_folder(folder.path, small_images()), ContainsSubstring("got a folder 'test' with the same class"));
}

TEST_CASE("image folder: what is no class is noted, what was never learnt is refused") {
  const test::TemporaryFolder folder("siena_folder_no_class");
  add_people(folder.path / "train", 10);
  add_people(folder.path / "test", 2);
  std::filesystem::create_directories(folder.path / "train" / "empty");
  add_people(folder.path / "train" / "__MACOSX" / "train", 1);
  write_bytes(folder.path / "train" / ".cache" / "a.png", "no image");
  write_bytes(folder.path / "train" / "notes" / "a.txt", "no image");
  const auto data = image_folder(folder.path, small_images());
  CHECK(data.classes == std::vector<std::string>{"nobody", "person"});
  REQUIRE(data.report.notes.size() == 4);
  for (const char* name : {"empty", "__MACOSX", ".cache", "notes"}) {
    CHECK(std::any_of(data.report.notes.begin(), data.report.notes.end(),
                      [&](const std::string& note) { return note.find(name) != std::string::npos; }));
  }
  auto options = small_images();
  options.classes = {"nobody", "empty"};
  CHECK_THROWS_WITH(image_folder(folder.path, options), ContainsSubstring("train/empty', got none"));
  options.classes = {"nobody", "person", "nobody"};
  CHECK_THROWS_WITH(image_folder(folder.path, options), ContainsSubstring("each class once, got 'nobody' twice"));
  write_bytes(folder.path / "test" / "bird" / "a.png", test::png_bytes(test::slope(12, 12)));
  CHECK_THROWS_WITH(image_folder(folder.path, small_images()),
                    ContainsSubstring("got also 'bird', which nothing was learnt of"));
  options.classes = {"nobody", "person"};
  CHECK(image_folder(folder.path, options).test.size() == 4);
}

TEST_CASE("image folder: what is not read is counted and noted, and what a part lacks") {
  const test::TemporaryFolder folder("siena_folder_unread");
  add_people(folder.path / "train", 10);
  add_people(folder.path / "valid", 2);
  add_people(folder.path / "test", 2);
  std::filesystem::remove_all(folder.path / "test" / "person");
  for (const char* file : {"a.png", "b.JPG", "person/more/a.png", "person/more/still/b.png", "nobody/a.webp", "nobody/b.bmp",
                           "nobody/c.gif", "nobody/d.TIF", "nobody/e.tif"})
    write_bytes(folder.path / "train" / file, "not looked at");
  const auto data = image_folder(folder.path, small_images());
  CHECK(data.train.size() == 20);
  const auto noted = [&](const std::string& text) {
    return std::count_if(data.report.notes.begin(), data.report.notes.end(),
                         [&](const std::string& note) { return note.find(text) != std::string::npos; });
  };
  CHECK(noted("test' holds no files of these classes: person") == 1);
  CHECK(noted("beside the folders of the classes in '" + (folder.path / "train").string() + "' are not read: 2") == 1);
  CHECK(noted("train/person' are not read: 2") == 1);
  for (const char* ending : {".webp", ".bmp", ".gif"}) CHECK(noted(format("files {} in", ending)) == 1);
  CHECK(noted("files .tif in '" + (folder.path / "train" / "nobody").string() + "' are not read: 2") == 1);
  CHECK(data.report.notes.size() == 7);
}

TEST_CASE("image folder: errors say which folder is missing or empty") {
  const test::TemporaryFolder folder("siena_folder_missing");
  add_people(folder.path / "valid", 10);
  CHECK_THROWS_WITH(image_folder(folder.path, small_images()), ContainsSubstring("'train' is missing; found valid"));
  add_people(folder.path / "trian", 10);
  auto named = small_images();
  named.classes = {"person", "nobody"};
  for (const auto& options : {small_images(), named})
    CHECK_THROWS_WITH(image_folder(folder.path, options), ContainsSubstring("'train' is missing; found trian, valid"));
  CHECK_THROWS_WITH(image_folder(folder.path / "trian" / "person", named), ContainsSubstring("lie in no class folder"));
  std::filesystem::rename(folder.path / "trian", folder.path / "train");
  write_bytes(folder.path / "train" / "bird" / "a.bmp", "no image that is read");
  write_bytes(folder.path / "valid" / "bird" / "a.png", test::png_bytes(test::slope(12, 12)));
  CHECK_THROWS_WITH(image_folder(folder.path, small_images()),
                    ContainsSubstring("expected files (.jpg, .jpeg, .png) in '") && ContainsSubstring("train/bird', as in"));
}

TEST_CASE("image folder: too few images to cut a part") {
  const test::TemporaryFolder folder("siena_folder_few");
  add_people(folder.path, 2);
  CHECK_THROWS_WITH(image_folder(folder.path, small_images()),
                    ContainsSubstring("4 images are too few to cut a test part of 10 %; add images or a folder test/"));
  auto options = small_images();
  options.test = 0;
  options.validation = 0.1;
  CHECK_THROWS_WITH(image_folder(folder.path, options), ContainsSubstring("cut a validation part of 10 %"));
  options.validation = 0;
  CHECK(image_folder(folder.path, options).train.size() == 4);
}

TEST_CASE("image folder: classes may be called train or test") {
  const test::TemporaryFolder folder("siena_folder_vehicles");
  const auto add = [&](const char* name, int shade) {
    for (int i = 0; i < 10; ++i)
      write_bytes(folder.path / name / format("{}.png", i), test::png_bytes(test::slope(12, 12, shade + i)));
  };
  add("train", 0);
  add("test", 100);
  CHECK_THROWS_WITH(image_folder(folder.path, small_images()),
                    ContainsSubstring("got 'test, train' with files and no classes"));
  auto options = small_images();
  options.classes = {"train", "test"};
  CHECK(image_folder(folder.path, options).classes == options.classes);
  add("bus", 50);
  CHECK(image_folder(folder.path, small_images()).classes == std::vector<std::string>{"bus", "test", "train"});
  add_people(folder.path / "train", 3);  // now it holds classes, too
  options.classes = {"bus", "train"};
  CHECK(image_folder(folder.path, options).classes == options.classes);
}

TEST_CASE("image folder: pipes and devices are refused, not waited for") {
  const test::TemporaryFolder folder("siena_folder_pipe");
  add_people(folder.path, 10);
  REQUIRE(::mkfifo((folder.path / "person" / "pipe.png").c_str(), 0600) == 0);
  std::filesystem::create_symlink("/dev/zero", folder.path / "person" / "zero.jpg");
  auto options = small_images();
  CHECK_THROWS_WITH(image_folder(folder.path, options), ContainsSubstring("a device, a pipe or a socket"));
  options.skip_bad_files = true;
  CHECK(image_folder(folder.path, options).report.skipped.size() == 2);
}

TEST_CASE("image folder: sizes that cannot be are refused before anything is read") {
  const test::TemporaryFolder folder("siena_folder_sizes");
  add_people(folder.path, 1);
  for (const std::int64_t size : {std::int64_t{0}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min(),
                                  std::numeric_limits<std::int64_t>::max(), std::int64_t{1} << 32}) {
    CHECK_THROWS_AS(image_folder(folder.path, {.size = {.height = size}}), ArgumentError);
    CHECK_THROWS_WITH(image_folder(folder.path, {.size = {.width = size}}),
                      ContainsSubstring("expected 1 to 2^14 pixels a side"));
  }
  for (const int channels : {0, -1, 2, std::numeric_limits<int>::max()}) {
    CHECK_THROWS_AS(image_folder(folder.path, {.channels = channels}), ArgumentError);
  }
}

TEST_CASE("Tiny ImageNet as it is distributed") {
  const test::TemporaryFolder folder("siena_tiny");
  write_bytes(folder.path / "wnids.txt", "n02\nn01\n");
  std::string annotations;
  for (int i = 0; i < 20; ++i) {
    const auto image = [&](int shade) { return test::jpeg_bytes(test::slope(64, 64, shade)); };
    write_bytes(folder.path / "train" / "n01" / "images" / format("n01_{}.JPEG", i), image(i));
    write_bytes(folder.path / "train" / "n02" / "images" / format("n02_{}.JPEG", i), image(100 + i));
    if (i >= 4) continue;
    write_bytes(folder.path / "val" / "images" / format("val_{}.JPEG", i), image(i % 2 == 0 ? i : 100 + i));
    annotations += format("val_{}.JPEG\t{}\t0\t32\t44\t62\n", i, i % 2 == 0 ? "n01" : "n02");
  }
  const auto list = folder.path / "val" / "val_annotations.txt";
  write_bytes(list, annotations);
  const auto data = tiny_imagenet(folder.path);
  REQUIRE(data.classes == std::vector<std::string>{"n02", "n01"});
  REQUIRE(data.test.preparation().classes == data.classes);
  REQUIRE(data.shape() == Shape{64, 64, 3});
  REQUIRE(data.train.size() == 36);
  REQUIRE(data.validation.size() == 4);
  REQUIRE(data.test.size() == 4);
  for (std::int64_t i = 0; i < 4; ++i) {
    REQUIRE(data.test.label(i) == (i + 1) % 2);
    REQUIRE((data.test.bytes(i)[0] > 50) == (data.test.label(i) == 0));
  }
  REQUIRE(tiny_imagenet(folder.path, {.size = {.height = 28, .width = 28, .shorter_side = 32}}).shape() == Shape{28, 28, 3});

  write_bytes(list, annotations + "val_9.JPEG\tn01\t0\t0\t1\t1\n");
  REQUIRE_THROWS_WITH(tiny_imagenet(folder.path), ContainsSubstring("val_9.JPEG"));
  REQUIRE(tiny_imagenet(folder.path, {.skip_bad_files = true}).report.skipped.size() == 1);
  write_bytes(list, "val_0.JPEG\tn77\n");
  REQUIRE_THROWS_WITH(tiny_imagenet(folder.path), ContainsSubstring("val_annotations.txt', got 'val_0.JPEG"));
  std::filesystem::remove(list);
  REQUIRE_THROWS_WITH(tiny_imagenet(folder.path), ContainsSubstring("val_annotations.txt"));
  REQUIRE_THROWS_WITH(tiny_imagenet(folder.path / "val"), ContainsSubstring("wnids.txt"));
  write_bytes(folder.path / "wnids.txt", "n02\nn02\n");
  REQUIRE_THROWS_WITH(tiny_imagenet(folder.path), ContainsSubstring("'n02' twice"));
}
