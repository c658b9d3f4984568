// A package as one file: magic, checksum of the rest, header length, JSON header, code, and the binaries of the
// device kernels in their order and that of their architectures' names.
#include "runtime/KernelPackage.h"

#include "runtime/Error.h"
#include "runtime/Files.h"
#include "runtime/KernelPackageJson.h"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

namespace sluice {

namespace {

// The last two characters are the version of the layout.
constexpr std::string_view magic = "sluice package 01\n";
constexpr size_t fixedBytes = magic.size() + 16;

[[noreturn]] void failAt(const std::string &path, const std::string &message) {
  throw UserError(path + ": " + message);
}

uint64_t numberAt(std::string_view bytes, size_t offset) {
  uint64_t value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::string bytesOf(uint64_t value) {
  return std::string(reinterpret_cast<const char *>(&value), sizeof value);
}

} // namespace

const EntryPoint *KernelPackage::find(const std::string &entry) const {
  for (const EntryPoint &candidate : entries)
    if (candidate.name == entry)
      return &candidate;
  return nullptr;
}

const DeviceKernel *KernelPackage::findKernel(const std::string &name) const {
  for (const DeviceKernel &candidate : kernels)
    if (candidate.name == name)
      return &candidate;
  return nullptr;
}

void savePackage(const KernelPackage &package, const std::string &path) {
  // A spec's text need not be valid UTF-8.
  std::string header =
      toJson(package).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string rest = bytesOf(header.size()) + header + package.code;
  for (const DeviceKernel &kernel : package.kernels)
    for (const auto &[architecture, binary] : kernel.binaries)
      rest += binary.cubin;
  AtomicFile file(path);
  file.write(magic);
  file.write(bytesOf(hash(rest)));
  file.write(rest);
  file.commit();
}

bool isPackageFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::string start(magic.size(), '\0');
  return file.read(start.data(), static_cast<std::streamsize>(start.size())) && start == magic;
}

KernelPackage loadPackage(const std::string &path) {
  std::string bytes = readFile(path);
  if (bytes.size() < fixedBytes || bytes.compare(0, magic.size(), magic) != 0)
    failAt(path, "expected a sluice package, got something else");
  uint64_t headerBytes = numberAt(bytes, magic.size() + 8);
  if (hash(std::string_view(bytes).substr(magic.size() + 8)) != numberAt(bytes, magic.size()) ||
      headerBytes > bytes.size() - fixedBytes)
    failAt(path, "the package is damaged: its checksum does not match its contents");
  KernelPackage package;
  try {
    package = packageFromJson(nlohmann::json::parse(bytes.substr(fixedBytes, headerBytes)),
                              std::string_view(bytes).substr(fixedBytes + headerBytes));
  } catch (const nlohmann::json::exception &) {
    failAt(path, "the package is damaged: its header cannot be read");
  }
  std::string missing = missingCpuFeature(package.cpuFeatures);
  if (!missing.empty())
    failAt(path, "the package was made for another CPU: this one lacks " + missing);
  return package;
}

} // namespace sluice
