// TensorBoard event files without protobuf: four fields of tensorflow.Event are all that a scalar needs.
// https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto

#include "models/training/Log.h"

#include <array>
#include <chrono>
#include <cstring>
#include <unistd.h>

namespace sluice::models {
namespace {

// Wire types of protobuf's encoding.
enum WireType : unsigned { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

std::string encodeVarint(uint64_t value) {
  std::string text;
  for (; value >= 0x80; value >>= 7)
    text.push_back(static_cast<char>(value | 0x80));
  text.push_back(static_cast<char>(value));
  return text;
}

std::string encodeTag(unsigned field, WireType type) { return encodeVarint(field << 3 | type); }

template <typename T> std::string encodeRaw(T value) {
  std::string text(sizeof(T), '\0');
  std::memcpy(text.data(), &value, sizeof(T));
  return text;
}

std::string encodeBytes(unsigned field, const std::string &value) {
  return encodeTag(field, bytes) + encodeVarint(value.size()) + value;
}

/// Event.wall_time = 1 (double), Event.step = 2 (int64).
std::string encodeEvent(int64_t step) {
  double seconds = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return encodeTag(1, fixed64) + encodeRaw(seconds) + encodeTag(2, varint) +
         encodeVarint(static_cast<uint64_t>(step));
}

/// "Masked", as the format calls it: a checksum of data that holds checksums is weak without it.
uint32_t maskedChecksum(std::string_view text) {
  uint32_t checksum = crc32c(text);
  return ((checksum >> 15) | (checksum << 17)) + 0xa282ead8u;
}

std::string eventFile(const std::string &run) {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return run + "/events.out.tfevents." +
         std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now).count()) + "." +
         std::to_string(getpid()) + ".sluice";
}

} // namespace

uint32_t crc32c(std::string_view text) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> entries;
    for (uint32_t index = 0; index < 256; ++index) {
      uint32_t value = index;
      for (int bit = 0; bit < 8; ++bit)
        value = value & 1 ? value >> 1 ^ 0x82f63b78u : value >> 1;
      entries[index] = value;
    }
    return entries;
  }();
  uint32_t value = ~0u;
  for (unsigned char byte : text)
    value = table[(value ^ byte) & 0xff] ^ value >> 8;
  return ~value;
}

TensorBoard::TensorBoard(const std::string &run) : file(eventFile(run)) {
  // Event.file_version = 3
  record(encodeEvent(0) + encodeBytes(3, "brain.Event:2"));
}

void TensorBoard::scalar(const std::string &tag, int64_t step, double value) {
  // Event.summary = 5, Summary.value = 1, Value.tag = 1, Value.simple_value = 2
  std::string entry = encodeBytes(1, tag) + encodeTag(2, fixed32) + encodeRaw(static_cast<float>(value));
  record(encodeEvent(step) + encodeBytes(5, encodeBytes(1, entry)));
}

void TensorBoard::record(const std::string &event) {
  std::string length = encodeRaw(static_cast<uint64_t>(event.size()));
  file.append(length + encodeRaw(maskedChecksum(length)) + event + encodeRaw(maskedChecksum(event)));
}

} // namespace sluice::models
