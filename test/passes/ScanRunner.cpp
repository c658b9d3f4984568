// The loops over steps: cuts tensors into padded steps, carries the state, keeps saved records.

#include "test/passes/ScanRunner.h"

#include <algorithm>
#include <stdexcept>

using namespace mlir;
using namespace sluice::recur;
using namespace sluice::test;

namespace {

using Arrays = std::vector<Array>;

/// Copies the part of `from` that starts at row `row` into `to`, as far as both reach.
void copyRows(const Array &from, int64_t row, Array &to) {
  for (int64_t r = 0; r < to.rows() && row + r < from.rows(); ++r)
    for (int64_t c = 0; c < std::min(to.columns(), from.columns()); ++c)
      to.at(r, c) = from.at(row + r, c);
}

class ScanRunner {
public:
  ScanRunner(ScanOp scan, const Sequence &sequence) : scan(scan), sequence(sequence) {}

  int64_t countSteps() { return (sequence.tokens + step() - 1) / step(); }
  int64_t step() { return scan.getStep(); }

  /// The inputs of step `index`, saved ones from `saved`.
  Arrays gatherInputs(int64_t index, const Tensors &saved) {
    Arrays inputs;
    for (PortAttr port : scan.getInputs().getAsRange<PortAttr>())
      inputs.push_back(port.getRole() == Role::Saved ? saved.at(port.getName().str()) : gather(port, index));
    return inputs;
  }

  Array gather(PortAttr port, int64_t index) {
    Array x(scan.getPortType(port).getShape());
    bool perToken = port.getExtent() == Extent::PerToken;
    if (port.getRole() == Role::Mask) {
      int64_t real = port.getKind() == Kind::Scalar ? sequence.tokens - index * step()
                     : port.getKind() == Kind::Key  ? sequence.keyDim
                                                    : sequence.valueDim;
      std::fill_n(x.data.begin(), std::clamp<int64_t>(real, 0, x.size()), 1.0);
      return x;
    }
    const Tensors &tensors = port.getRole() == Role::Cotangent ? sequence.cotangents : sequence.inputs;
    const Array &from = tensors.at(port.getName().str());
    if (perToken && step() == 1)
      std::copy_n(from.data.begin() + index * from.columns(), from.columns(), x.data.begin());
    else if (x.shape.empty())
      x.data = from.data;
    else
      copyRows(from, perToken ? index * step() : 0, x);
    return x;
  }

  /// The unpadded shape of a port's whole tensor.
  Array allocate(PortAttr port) {
    std::vector<int64_t> shape;
    if (port.getExtent() == Extent::PerToken)
      shape.push_back(sequence.tokens);
    Kind kind = port.getKind();
    if (kind == Kind::Key || kind == Kind::Matrix || kind == Kind::State)
      shape.push_back(sequence.keyDim);
    if (kind == Kind::Value || kind == Kind::Matrix || kind == Kind::State)
      shape.push_back(sequence.valueDim);
    return Array(shape);
  }

  void scatter(const Array &x, int64_t index, Array &whole) {
    int64_t columns = whole.columns(), padded = x.size() / std::min<int64_t>(step(), x.size());
    for (int64_t r = 0; r < step() && index * step() + r < sequence.tokens; ++r)
      for (int64_t c = 0; c < columns; ++c)
        whole.at(index * step() + r, c) = x.data[r * padded + c];
  }

  Array crop(PortAttr port, const Array &x) {
    Array whole = allocate(port);
    if (whole.shape.empty())
      whole.data = x.data;
    else
      copyRows(x, 0, whole);
    return whole;
  }

  /// The initial values of what is carried; `start` is the state or its cotangent, unpadded.
  Arrays startCarried(const Array &start) {
    Arrays carried;
    for (PortAttr port : scan.getCarried().getAsRange<PortAttr>())
      carried.emplace_back(scan.getPortType(port).getShape());
    copyRows(start, 0, carried.front());
    return carried;
  }

  /// One step: replaces `carried`, stores outputs; returns those that are saved.
  Tensors run(int64_t index, Arrays inputs, Arrays &carried, Tensors &results, std::string prefix) {
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    Arrays yielded = evaluate(scan.getBody().front(), inputs);
    Tensors saved;
    int64_t count = scan.getOutputs().size();
    for (int64_t i = 0; i < count; ++i) {
      PortAttr port = scan.getOutput(i);
      if (port.getRole() == Role::Saved) {
        saved[port.getName().str()] = yielded[i];
        continue;
      }
      Array &whole = results.try_emplace(prefix + port.getName().str(), allocate(port)).first->second;
      scatter(yielded[i], index, whole);
    }
    carried.assign(yielded.begin() + count, yielded.end());
    return saved;
  }

private:
  ScanOp scan;
  const Sequence &sequence;
};

/// The states before the steps, from every n-th one, which is all that the forward would store.
void recomputeStates(ScanOp adjoint, ScanRunner &runner, std::vector<Tensors> &saved) {
  int64_t every = adjoint.getCheckpoint();
  for (int64_t step = 0; step < int64_t(saved.size()); ++step)
    if (step % every != 0) {
      Arrays inputs = runner.gatherInputs(step - 1, saved[step - 1]);
      saved[step]["state"] = evaluate(adjoint.getRecompute().front(), inputs).front();
    }
}

} // namespace

Tensors sluice::test::runScans(ScanOp forward, ScanOp adjoint, const Sequence &sequence) {
  Tensors results;
  ScanRunner runner(forward, sequence);
  Arrays carried = runner.startCarried(sequence.inputs.at("initial_state"));
  std::vector<Tensors> saved;
  for (int64_t index = 0; index < runner.countSteps(); ++index)
    saved.push_back(runner.run(index, runner.gatherInputs(index, {}), carried, results, ""));
  results["final_state"] = runner.crop(forward.getCarriedPort(0), carried[0]);
  if (!adjoint)
    return results;

  ScanRunner reverse(adjoint, sequence);
  if (adjoint.getCheckpoint() > 1)
    recomputeStates(adjoint, reverse, saved);
  carried = reverse.startCarried(sequence.cotangents.at("final_state"));
  for (int64_t index = reverse.countSteps() - 1; index >= 0; --index)
    reverse.run(index, reverse.gatherInputs(index, saved[index]), carried, results, "d");
  results["dinitial_state"] = reverse.crop(adjoint.getCarriedPort(0), carried[0]);
  for (int64_t i = 1; i < int64_t(carried.size()); ++i) {
    PortAttr port = adjoint.getCarriedPort(i);
    results["d" + port.getName().str()] = reverse.crop(port, carried[i]);
  }
  return results;
}
