// Safetensors files: what is written is read; every way that a header can lie is an error of one line.

#include "runtime/Error.h"
#include "runtime/Safetensors.h"
#include "test/runtime/TestPackage.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::HasSubstr;

class Safetensors : public testing::Test {
protected:
  std::string folder = test::freshFolder(
      std::string("safetensors-") + testing::UnitTest::GetInstance()->current_test_info()->name());
  std::string path = folder + "/x.safetensors";

  void writeRaw(const std::string &header, const std::string &data) {
    uint64_t length = header.size();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char *>(&length), 8);
    file << header << data;
  }

  std::string errorOfReading() {
    try {
      readSafetensors(path);
    } catch (const UserError &error) {
      std::string message = error.what();
      EXPECT_EQ(message.find('\n'), std::string::npos);
      EXPECT_THAT(message, HasSubstr(path));
      return message;
    }
    return "no error";
  }

  std::string errorOf(const std::string &header, size_t dataBytes) {
    writeRaw(header, std::string(dataBytes, 'x'));
    return errorOfReading();
  }
};

TEST_F(Safetensors, RoundTrip) {
  TensorMap tensors;
  tensors["b"] = converted(Tensor::zeros(DType::f32, {3}).view(), DType::bf16);
  tensors["a"] = Tensor::zeros(DType::i64, {2, 1});
  tensors["a"].data<int64_t>()[1] = -5;
  tensors["empty"] = Tensor::empty(DType::f32, {0, 4});
  tensors["scalar"] = Tensor::zeros(DType::f64, {});
  tensors["scalar"].data<double>()[0] = 2.5;
  writeSafetensors(path, tensors, {{"step", "7"}}, Durability::synced);
  SafetensorsFile file = readSafetensors(path);
  EXPECT_EQ(file.metadata.at("step"), "7");
  ASSERT_EQ(file.tensors.size(), 4u);
  EXPECT_EQ(file.tensors["a"].data<int64_t>()[1], -5);
  EXPECT_EQ(file.tensors["b"].dtype, DType::bf16);
  EXPECT_EQ(file.tensors["empty"].shape, (Shape{0, 4}));
  EXPECT_EQ(file.tensors["scalar"].data<double>()[0], 2.5);
  EXPECT_TRUE(file.tensors["scalar"].shape.empty());
}

TEST_F(Safetensors, OverwritingWhatIsMappedIsSafe) {
  TensorMap tensors;
  tensors["x"] = Tensor::zeros(DType::f32, {100});
  writeSafetensors(path, tensors);
  TensorMap mapped = readSafetensors(path).tensors;
  mapped["x"].data<float>()[0] = 3;
  writeSafetensors(path, mapped);
  EXPECT_EQ(readSafetensors(path).tensors["x"].data<float>()[0], 3);
}

TEST_F(Safetensors, MisalignedTensorsAreCopied) {
  writeRaw(R"({"h":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
           R"("x":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}  )",
           std::string("\x00\x3c\x00\x00\x80\x3f", 6));
  TensorMap tensors = readSafetensors(path).tensors;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensors["x"].data()) % 4, 0u);
  EXPECT_EQ(tensors["x"].data<float>()[0], 1);
}

TEST_F(Safetensors, Unreadable) {
  EXPECT_THROW(readSafetensors(folder + "/none"), UserError);
  EXPECT_THROW(readSafetensors(folder), UserError);
}

TEST_F(Safetensors, Truncated) {
  std::ofstream(path) << "abc";
  EXPECT_THAT(errorOfReading(), HasSubstr("expected at least the 8 bytes"));
  std::ofstream(path, std::ios::trunc).close();
  EXPECT_THAT(errorOfReading(), HasSubstr("got 0"));
  TensorMap tensors;
  tensors["x"] = Tensor::zeros(DType::f32, {100});
  for (int64_t kept : {20, 100, 200, 350}) {
    writeSafetensors(path, tensors);
    std::filesystem::resize_file(path, kept);
    EXPECT_THAT(errorOfReading(), HasSubstr("the file is truncated")) << kept;
  }
}

TEST_F(Safetensors, HeaderThatIsNoJson) {
  EXPECT_THAT(errorOf("hello", 0), HasSubstr("expected a header of JSON"));
  EXPECT_THAT(errorOf("[1]", 0), HasSubstr("expected a JSON object as the header, got array"));
  EXPECT_THAT(errorOf("{\"x\":", 0), HasSubstr("expected a header of JSON"));
  EXPECT_THAT(errorOf("{\"\xff\":1}", 0), HasSubstr("expected a header of JSON"));
}

TEST_F(Safetensors, HeaderLength) {
  uint64_t length = uint64_t(1) << 63;
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char *>(&length), 8);
  EXPECT_THAT(errorOfReading(), HasSubstr("header of at most 100000000 bytes"));
}

TEST_F(Safetensors, LyingHeader) {
  const std::string f32 = R"({"x":{"dtype":"F32","shape":)";
  EXPECT_THAT(errorOf(f32 + R"([2],"data_offsets":[0,4]}})", 4),
              HasSubstr("tensor 'x': expected 8 bytes for its dtype and shape, got offsets 0 to 4"));
  EXPECT_THAT(errorOf(f32 + R"([1],"data_offsets":[4,0]}})", 4), HasSubstr("got offsets 4 to 0"));
  EXPECT_THAT(errorOf(f32 + R"([-1],"data_offsets":[0,4]}})", 4), HasSubstr("non-negative integer"));
  EXPECT_THAT(errorOf(f32 + R"([1.5],"data_offsets":[0,4]}})", 4), HasSubstr("non-negative integer"));
  EXPECT_THAT(errorOf(f32 + R"([18446744073709551615],"data_offsets":[0,4]}})", 4),
              HasSubstr("non-negative integer"));
  EXPECT_THAT(errorOf(f32 + R"([4611686018427387904,4],"data_offsets":[0,0]}})", 0),
              HasSubstr("fewer than 2^63 bytes"));
  EXPECT_THAT(errorOf(f32 + R"([1],"data_offsets":[4,8]}})", 8), HasSubstr("at offset 0, got 4"));
  EXPECT_THAT(errorOf(f32 + R"([1],"data_offsets":[0,4]}})", 8),
              HasSubstr("expected 4 bytes of data, got 8"));
  EXPECT_THAT(errorOf(f32 + R"("two","data_offsets":[0,4]}})", 4), HasSubstr("array as shape"));
  EXPECT_THAT(errorOf(f32 + R"([1]}})", 4), HasSubstr("field 'data_offsets'"));
  EXPECT_THAT(errorOf(f32 + R"([1],"data_offsets":[0]}})", 4), HasSubstr("two data_offsets"));
}

TEST_F(Safetensors, Overlap) {
  EXPECT_THAT(errorOf(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                      R"("y":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
                      6),
              HasSubstr("tensor 'y': expected data of its own, got an overlap with tensor 'x'"));
}

TEST_F(Safetensors, NameTwice) {
  EXPECT_THAT(errorOf(R"({"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                      R"("x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                      8),
              HasSubstr("each name once"));
}

TEST_F(Safetensors, UnknownTypes) {
  EXPECT_THAT(errorOf(R"({"x":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}})", 4),
              HasSubstr("tensor 'x': expected dtype F32, F16, BF16, F64 or I64, got I32"));
  EXPECT_THAT(errorOf(R"({"x":{"dtype":3,"shape":[1],"data_offsets":[0,4]}})", 4),
              HasSubstr("expected a string as dtype"));
  EXPECT_THAT(errorOf(R"({"x":3})", 0), HasSubstr("expected an object in the header"));
  EXPECT_THAT(errorOf(R"({"__metadata__":{"a":1}})", 0), HasSubstr("strings in __metadata__"));
}

TEST_F(Safetensors, FailedWritesLeaveNothing) {
  TensorMap tensors;
  tensors["x"] = Tensor::zeros(DType::f32, {1});
  EXPECT_THROW(writeSafetensors(folder + "/none/x", tensors), UserError);
  EXPECT_THROW(writeSafetensors(folder, tensors), UserError);
  EXPECT_THROW(writeSafetensors("/dev/full", tensors), UserError);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  {
    AtomicFile abandoned(path);
    abandoned.write("half");
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(Safetensors, WritesThroughLinks) {
  TensorMap tensors;
  tensors["x"] = Tensor::zeros(DType::f32, {1});
  std::ofstream(folder + "/real") << "old";
  std::filesystem::create_symlink("real", path);
  writeSafetensors(path, tensors);
  EXPECT_TRUE(std::filesystem::is_symlink(path));
  EXPECT_EQ(readSafetensors(folder + "/real").tensors.size(), 1u);
}

} // namespace
} // namespace sluice
