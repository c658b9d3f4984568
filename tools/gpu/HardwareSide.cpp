// Arguments in device memory, events around launches.
#include "tools/gpu/HardwareSide.h"

#include "codegen/cuda/DeviceCompiler.h"
#include "runtime/Error.h"
#include "runtime/cuda/Kernel.h"
#include "runtime/cuda/Stream.h"

#include <algorithm>
#include <chrono>
#include <map>

namespace sluice::gpusuite {

namespace {

/// The arguments of one launch.
struct Uploaded {
  std::map<std::string, cuda::Memory> memories;
  LaunchInputs inputs;
};

class OpenHardware : public Hardware {
public:
  OpenHardware(const Bundle &bundle, std::shared_ptr<cuda::Device> device)
      : bundle(bundle), device(std::move(device)), stream(this->device) {}

  std::string name() const override { return device->properties().name; }
  std::string driverVersion() const override { return device->driver().version(); }
  std::string architecture() const override { return device->properties().architecture(); }
  const cuda::Driver &driver() const override { return device->driver(); }
  std::string chip() const override {
    int major = device->properties().major;
    return major == 8 ? "ampere" : major == 9 ? "hopper" : "";
  }
  std::string lacks(const KernelCase &one, const Sizes &sizes) override {
    try {
      cuda::architectureFor(one.target, device->properties());
    } catch (const UserError &error) {
      return error.what();
    }
    int64_t shared = one.record.sharedBytes.evaluate(sizes), most = device->properties().sharedPerBlock;
    if (shared > most)
      return "expected room for " + std::to_string(shared) + " bytes of shared memory in a block, got " +
             std::to_string(most);
    if (one.record.residency != Residency::cooperative)
      return "";
    Uploaded uploaded = upload(one, sizes, one.makeArguments(sizes, 1));
    BoundLaunch bound = bindLaunch(one.record, uploaded.inputs);
    int64_t blocks = static_cast<int64_t>(bound.residentBlocks);
    int64_t resident = kernelOf(one)->residentBlocks(bound);
    return blocks <= resident ? ""
                              : "expected room for " + std::to_string(blocks) + " blocks at once, got " +
                                    std::to_string(resident);
  }

  void compile(const std::vector<const KernelCase *> &kernels) override {
    std::vector<DeviceJob> jobs;
    for (const KernelCase *one : kernels) {
      try {
        std::string architecture = cuda::architectureFor(one->target, device->properties());
        if (compiled.count({one->source, architecture}))
          continue;
        compiled[{one->source, architecture}];
        DeviceJob &job = jobs.emplace_back();
        job.source = {one->source, bundle.source(one->source), {}};
        job.architecture = architecture;
      } catch (const UserError &) {
        // This device cannot run it.
      }
    }
    try {
      std::vector<DeviceCode> codes = compileForDevice(jobs);
      for (size_t i = 0; i < jobs.size(); ++i)
        compiled[{jobs[i].source.name, jobs[i].architecture}] = codes[i];
    } catch (const UserError &) {
      // The others are in the cache of compiled code by now.
    }
  }

  bool works() override {
    try {
      cuda::Memory(device, 16).fill(0, stream);
      stream.synchronize();
      return true;
    } catch (const UserError &) {
      return false;
    }
  }

  Outcome run(const KernelCase &one, const Sizes &sizes, const Arrays &arguments) override {
    Outcome outcome{name(), arguments, ""};
    try {
      Uploaded uploaded = upload(one, sizes, arguments);
      cuda::launch(*kernelOf(one), bindLaunch(one.record, uploaded.inputs), stream);
      stream.synchronize();
      for (auto &[name, array] : outcome.after)
        if (!array.bytes.empty())
          uploaded.memories.at(name).read(array.bytes.data(), array.bytes.size(), stream);
    } catch (const UserError &error) {
      outcome.problem = error.what();
    }
    return outcome;
  }

  double milliseconds(const KernelCase &one, const Sizes &sizes, const Arrays &arguments, int launches,
                      bool inGraph) override {
    Uploaded uploaded = upload(one, sizes, arguments);
    auto kernel = kernelOf(one);
    BoundLaunch bound = bindLaunch(one.record, uploaded.inputs);
    cuda::Event start(device), end(device);
    auto launchAll = [&] {
      for (int i = 0; i < launches; ++i)
        cuda::launch(*kernel, bound, stream);
    };
    // An idle GPU takes a while to reach its clock.
    auto warm = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
    do {
      launchAll();
      stream.synchronize();
    } while (std::chrono::steady_clock::now() < warm);
    std::unique_ptr<cuda::Graph> graph = inGraph ? std::make_unique<cuda::Graph>(stream, launchAll) : nullptr;
    start.record(stream);
    if (graph)
      graph->launch(stream);
    else
      launchAll();
    end.record(stream);
    stream.synchronize();
    return end.since(start) / launches;
  }

private:
  Uploaded upload(const KernelCase &one, const Sizes &sizes, const Arrays &arguments) {
    Uploaded uploaded;
    uploaded.inputs.sizes = sizes;
    uploaded.inputs.values = one.values;
    for (const auto &[name, array] : arguments) {
      // Memory of no bytes has no address.
      size_t bytes = std::max<size_t>(array.bytes.size(), 16);
      auto &memory = uploaded.memories.emplace(name, cuda::Memory(device, bytes)).first->second;
      if (!array.bytes.empty())
        memory.write(array.bytes.data(), array.bytes.size(), stream);
      uploaded.inputs.tensors[name] = {memory.data(), array.bytes.size()};
    }
    return uploaded;
  }
  std::shared_ptr<const cuda::Kernel> kernelOf(const KernelCase &one) {
    std::string architecture = cuda::architectureFor(one.target, device->properties());
    auto &code = compiled[{one.source, architecture}];
    if (code.cubin.empty())
      code = compileForDevice({one.source, bundle.source(one.source), {}}, architecture);
    auto &kernel = kernels[{one.source, one.record.kernel}];
    if (!kernel)
      kernel = cuda::Kernel::load(device, code.cubin, one.record.kernel);
    return kernel;
  }

  Bundle bundle;
  std::shared_ptr<cuda::Device> device;
  cuda::Stream stream;
  std::map<std::pair<std::string, std::string>, DeviceCode> compiled;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const cuda::Kernel>> kernels;
};

} // namespace

std::unique_ptr<Hardware> Hardware::open(const Bundle &bundle, std::string &why) {
  try {
    return std::make_unique<OpenHardware>(bundle, cuda::Device::open());
  } catch (const UserError &error) {
    why = error.what();
    return nullptr;
  }
}

} // namespace sluice::gpusuite
