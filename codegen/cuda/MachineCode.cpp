// Reads the log of ptxas and the attribute sections of cubins, and applies the gates.
#include "codegen/cuda/MachineCode.h"

#include "runtime/Error.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <regex>
#include <set>
#include <sstream>

namespace sluice {

namespace {

int64_t numberIn(const std::smatch &match, int group) { return std::stoll(match[group].str()); }

/// The bytes of a cubin, read with bounds.
class Elf {
public:
  explicit Elf(const std::string &bytes) : bytes(bytes) {
    header = at<Elf64_Ehdr>(0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
      fail();
    for (int i = 0; i < header.e_shnum; ++i)
      sections.push_back(at<Elf64_Shdr>(header.e_shoff + uint64_t(i) * header.e_shentsize));
    if (header.e_shstrndx >= sections.size())
      fail();
  }

  std::string nameOf(const Elf64_Shdr &section) const {
    return text(sections[header.e_shstrndx].sh_offset + section.sh_name);
  }

  std::string symbol(const Elf64_Shdr &table, uint32_t index) const {
    if (table.sh_link >= sections.size())
      fail();
    auto entry = at<Elf64_Sym>(table.sh_offset + uint64_t(index) * sizeof(Elf64_Sym));
    return text(sections[table.sh_link].sh_offset + entry.st_name);
  }

  template <typename T> T at(uint64_t offset) const {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T))
      fail();
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  }

  [[noreturn]] static void fail() { throw UserError("expected a cubin, got something else"); }

  std::vector<Elf64_Shdr> sections;

private:
  std::string text(uint64_t offset) const {
    if (offset >= bytes.size())
      fail();
    return std::string(bytes.data() + offset, strnlen(bytes.data() + offset, bytes.size() - offset));
  }

  const std::string &bytes;
  Elf64_Ehdr header;
};

// Attributes are a format, a number and 16 bits: the value itself, or with format 4 the length of what
// follows. Numbered as cuobjdump's EIATTR_... In .nv.info, a function's symbol and a figure; in
// .nv.info.KERNEL, figures of that kernel.
constexpr uint8_t sizedFormat = 4;
constexpr uint8_t maxThreads = 0x05, frameSize = 0x11, parameterInfo = 0x17, registerCount = 0x2f;
constexpr std::string_view infoSection = ".nv.info";

/// Calls `take(attribute, offset)` for every attribute with a length; its contents lie at the offset.
template <typename Take> void forEachAttribute(const Elf &elf, const Elf64_Shdr &section, Take take) {
  for (uint64_t offset = section.sh_offset, end = offset + section.sh_size; offset < end;) {
    auto format = elf.at<uint8_t>(offset), attribute = elf.at<uint8_t>(offset + 1);
    auto size = elf.at<uint16_t>(offset + 2);
    offset += 4;
    if (format != sizedFormat)
      continue;
    take(attribute, offset);
    offset += size;
  }
}

void readFunctions(const Elf &elf, const Elf64_Shdr &section, std::map<std::string, CodeFigures> &figures) {
  if (section.sh_link >= elf.sections.size())
    Elf::fail();
  const Elf64_Shdr &symbols = elf.sections[section.sh_link];
  forEachAttribute(elf, section, [&](uint8_t attribute, uint64_t offset) {
    if (attribute != frameSize && attribute != registerCount)
      return;
    CodeFigures &found = figures[elf.symbol(symbols, elf.at<uint32_t>(offset))];
    (attribute == frameSize ? found.stackBytes : found.registers) = elf.at<uint32_t>(offset + 4);
  });
}

void readKernel(const Elf &elf, const Elf64_Shdr &section, CodeFigures &figures) {
  forEachAttribute(elf, section, [&](uint8_t attribute, uint64_t offset) {
    if (attribute == maxThreads)
      figures.maxThreads = elf.at<uint32_t>(offset);
    if (attribute != parameterInfo)
      return;
    // Index, then ordinal and offset of 16 bits, then flags with the size in the upper 14 bits.
    auto ordinal = elf.at<uint16_t>(offset + 4);
    if (figures.parameterBytes.size() <= ordinal)
      figures.parameterBytes.resize(ordinal + 1);
    figures.parameterBytes[ordinal] = elf.at<uint32_t>(offset + 8) >> 18;
  });
}

/// What a launch passes for the parameter.
int64_t bytesOf(const ParameterRecord &parameter) {
  switch (parameter.kind) {
  case ParameterRecord::Kind::tensorMap:
    return 128;
  case ParameterRecord::Kind::value:
    return 4;
  case ParameterRecord::Kind::size:
    return parameter.dtype == DType::i32 || parameter.dtype == DType::u32 ? 4 : 8;
  case ParameterRecord::Kind::tensor:
  case ParameterRecord::Kind::workspace:
    return 8;
  }
  __builtin_unreachable();
}

const std::regex entryLine("Compiling entry function '([^']+)'");

[[noreturn]] void failGate(const std::string &kernel, const std::string &message) {
  throw UserError("kernel '" + kernel + "': " + message);
}

} // namespace

std::map<std::string, KernelResources> resourcesOfLog(const std::string &log) {
  static const std::regex function("Function properties for (\\S+)");
  static const std::regex spillLine(
      "(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads");
  static const std::regex usedLine("Used (\\d+) registers");
  static const std::regex barriers("used (\\d+) barriers"), shared("(\\d+) bytes smem");
  std::map<std::string, KernelResources> resources;
  std::map<std::string, int> figures;
  std::istringstream lines(log);
  std::string line, kernel, described;
  std::smatch match;
  while (std::getline(lines, line)) {
    if (std::regex_search(line, match, entryLine)) {
      kernel = match[1];
      resources[kernel] = {};
    } else if (std::regex_search(line, match, function)) {
      described = match[1];
    } else if (!kernel.empty() && std::regex_search(line, match, spillLine)) {
      // Functions that were not inlined come after the entry point that calls them.
      KernelResources &all = resources[kernel];
      all.stackBytes = std::max(all.stackBytes, numberIn(match, 1));
      all.spillStoreBytes += numberIn(match, 2);
      all.spillLoadBytes += numberIn(match, 3);
      figures[kernel] |= described == kernel ? 1 : 0;
    } else if (!kernel.empty() && std::regex_search(line, match, usedLine)) {
      resources[kernel].registers = numberIn(match, 1);
      if (std::regex_search(line, match, barriers))
        resources[kernel].barriers = numberIn(match, 1);
      if (std::regex_search(line, match, shared))
        resources[kernel].sharedBytes = numberIn(match, 1);
      figures[kernel] |= 2;
    }
  }
  for (const auto &[name, unused] : resources)
    if (figures[name] != 3)
      failGate(name, "expected registers, stack and spills in the assembler's log, got none");
  return resources;
}

std::map<std::string, CodeFigures> figuresOfCubin(const std::string &cubin) {
  Elf elf(cubin);
  std::map<std::string, CodeFigures> figures;
  for (const Elf64_Shdr &section : elf.sections) {
    std::string name = elf.nameOf(section);
    if (name == infoSection)
      readFunctions(elf, section, figures);
    else if (name.starts_with(std::string(infoSection) + "."))
      readKernel(elf, section, figures[name.substr(infoSection.size() + 1)]);
  }
  return figures;
}

std::vector<std::string> lossWarnings(const std::string &log, const std::string &kernel) {
  static const std::regex code("\\((C75\\d\\d)\\)\\s*(.*)"), function("function '([^']+)'");
  std::set<std::string> others;
  for (std::sregex_iterator entry(log.begin(), log.end(), entryLine), end; entry != end; ++entry)
    others.insert((*entry)[1]);
  others.erase(kernel);
  std::vector<std::string> warnings;
  std::istringstream lines(log);
  std::string line;
  std::smatch match, named;
  while (std::getline(lines, line))
    if (std::regex_search(line, match, code) &&
        (!std::regex_search(line, named, function) || !others.count(named[1])))
      warnings.push_back(match[1].str() + ": " + match[2].str());
  return warnings;
}

int64_t registerBound(int64_t threads, int64_t blocks) {
  return std::min<int64_t>(65536 / (threads * blocks) / 8 * 8, 255);
}

void checkResources(const std::string &kernel, const KernelResources &resources) {
  if (resources.spillStoreBytes > 0 || resources.spillLoadBytes > 0)
    failGate(kernel, "expected no spills, got " + std::to_string(resources.spillStoreBytes) +
                         " bytes stored and " + std::to_string(resources.spillLoadBytes) + " loaded");
  if (resources.stackBytes > 0)
    failGate(kernel, "expected no stack frame, got " + std::to_string(resources.stackBytes) + " bytes");
}

void checkResources(const std::string &kernel, const KernelResources &resources, const LaunchRecord &record,
                    int64_t threads) {
  checkResources(kernel, resources);
  if (threads < 1 || record.blocksPerSm < 1)
    failGate(kernel, "expected at least 1 thread and 1 block per multiprocessor, got " +
                         std::to_string(threads) + " and " + std::to_string(record.blocksPerSm));
  int64_t bound = registerBound(threads, record.blocksPerSm);
  if (resources.registers > bound)
    failGate(kernel, "expected at most " + std::to_string(bound) + " registers for " +
                         std::to_string(record.blocksPerSm) + " blocks of " + std::to_string(threads) +
                         " threads on a multiprocessor, got " + std::to_string(resources.registers));
  int64_t wanted = 0, atLaunch = (resources.registers + 7) / 8 * 8 * threads;
  for (const RoleRecord &role : record.roles)
    wanted += role.threads * (role.registers > 0 ? role.registers : resources.registers);
  if (wanted > atLaunch)
    failGate(kernel, "expected roles of at most " + std::to_string(atLaunch) + " registers together, what " +
                         std::to_string(threads) + " threads get at launch, got " +
                         std::to_string(wanted));
}

int64_t blocksPerSmOfPtx(const std::string &ptx, const std::string &kernel) {
  size_t entry = ptx.find(".entry " + kernel + "(");
  if (entry == std::string::npos)
    throw UserError("expected an entry point '" + kernel + "' in the PTX, got none");
  // Directives stand between the parameters and the body.
  static const std::regex directive("\\.minnctapersm\\s+(\\d+)");
  std::smatch match;
  std::string head = ptx.substr(entry, ptx.find('{', entry) - entry);
  return std::regex_search(head, match, directive) ? numberIn(match, 1) : 0;
}

void checkBlocksPerSm(const std::string &kernel, int64_t blocks, const LaunchRecord &record) {
  if (blocks != record.blocksPerSm)
    failGate(kernel, "expected launch bounds of " + std::to_string(record.blocksPerSm) +
                         " blocks per multiprocessor, as the record states, got " +
                         (blocks ? std::to_string(blocks) : "none"));
}

void checkInterface(const std::string &kernel, const CodeFigures &figures, const LaunchRecord &record) {
  if (figures.maxThreads == 0 || figures.maxThreads != record.threads.constant().value_or(figures.maxThreads))
    failGate(kernel, "expected launch bounds of " + record.threads.text() +
                         " threads, as the record states, got " +
                         (figures.maxThreads ? std::to_string(figures.maxThreads) : "none"));
  if (figures.parameterBytes.size() != record.parameters.size())
    failGate(kernel, "expected the record's " + std::to_string(record.parameters.size()) +
                         " parameters, got " + std::to_string(figures.parameterBytes.size()));
  for (size_t i = 0; i < record.parameters.size(); ++i)
    if (bytesOf(record.parameters[i]) != figures.parameterBytes[i])
      failGate(kernel, "expected a parameter '" + record.parameters[i].name + "' of " +
                           std::to_string(bytesOf(record.parameters[i])) +
                           " bytes, as the record states, got " + std::to_string(figures.parameterBytes[i]));
}

} // namespace sluice
