// The operator sluice::recurrence and its autograd formula.
#include "runtime/torch/Recurrence.h"

#include "runtime/Error.h"
#include "runtime/Launch.h"
#include "runtime/torch/Convert.h"
#include "runtime/torch/Packages.h"

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace sluice {
namespace {

using OptionalTensor = std::optional<at::Tensor>;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// One call: what is computed, on what. Tensors are dense.
struct Call {
  std::string spec, form;
  int64_t chunk = 64;
  std::shared_ptr<const RecurrenceInfo> info;
  std::vector<at::Tensor> arguments;
  at::Tensor initialState, cuSeqlens; // undefined if not given

  ViewMap inputs() const {
    ViewMap views;
    for (size_t index = 0; index < arguments.size(); ++index)
      views[info->arguments[index].name] = viewOf(arguments[index]);
    if (initialState.defined())
      views["initial_state"] = viewOf(initialState);
    if (cuSeqlens.defined())
      views["cu_seqlens"] = viewOf(cuSeqlens);
    return views;
  }
};

at::Tensor dense(const std::string &name, const at::Tensor &tensor) {
  if (!tensor.defined())
    throw UserError("expected a tensor '" + name + "', got none");
  if (!tensor.device().is_cpu())
    throw UserError("expected '" + name + "' on the cpu, got it on " + tensor.device().str());
  return tensor.contiguous();
}

Call makeCall(const std::string &spec, at::TensorList arguments, const OptionalTensor &initialState,
              const OptionalTensor &cuSeqlens, const std::string &form, int64_t chunk) {
  if (form != "auto" && form != "chunk" && form != "recurrent")
    throw UserError("expected form auto, chunk or recurrent, got '" + form + "'");
  Call call{spec, form, chunk, describeRecurrence(spec), {}, {}, {}};
  if (arguments.size() != call.info->arguments.size())
    throw UserError("expected " + std::to_string(call.info->arguments.size()) + " arguments for " +
                    call.info->name + ", got " + std::to_string(arguments.size()));
  for (size_t index = 0; index < arguments.size(); ++index)
    call.arguments.push_back(dense(call.info->arguments[index].name, arguments[index]));
  if (initialState && initialState->defined())
    call.initialState = dense("initial_state", *initialState);
  if (cuSeqlens && cuSeqlens->defined())
    call.cuSeqlens = dense("cu_seqlens", *cuSeqlens);
  return call;
}

/// The type that keys, values and results are stored as: that of the arguments if they agree.
DType packageType(const Call &call) {
  std::optional<DType> type;
  for (size_t index = 0; index < call.arguments.size(); ++index) {
    const TensorSpec &spec = call.info->arguments[index];
    if (spec.gate || spec.perHead || (spec.kind != Kind::key && spec.kind != Kind::value))
      continue;
    DType own = typeOf(call.arguments[index]);
    type = !type || *type == own ? own : DType::f32;
  }
  return type && isArgumentType(*type) ? *type : DType::f32;
}

Form formOf(const Call &call, bool gradients, int64_t tokens) {
  if (call.form == "auto") {
    bool single = tokens == 1 && !gradients;
    return call.info->chunkable && !single ? Form::chunk : Form::recurrent;
  }
  return call.form == "chunk" ? Form::chunk : Form::recurrent;
}

struct Compiled {
  std::shared_ptr<const LoadedPackage> package;
  RunOptions options;
  Sizes sizes;
};

Compiled compile(const Call &call, bool gradients) {
  Compiled result;
  Signature signature{call.info->arguments, call.info->results};
  result.sizes = checkTensors(signature, call.inputs(), false);
  result.options.form = formOf(call, gradients, result.sizes.tokens);
  result.options.threads = at::get_num_threads();
  bool chunked = result.options.form == Form::chunk;
  if (chunked && !call.info->chunkable)
    throw UserError("expected form recurrent: " + call.info->notChunkable);
  CompileOptions options;
  options.keyDim = result.sizes.keyDim;
  options.valueDim = result.sizes.valueDim;
  options.chunk = call.chunk;
  options.dtype = packageType(call);
  options.entries = chunked ? chunkForward : recurrentForward;
  if (gradients)
    options.entries |= chunked ? chunkBackward : recurrentBackward;
  result.package = loadPackageFor(call.spec, options);
  return result;
}

at::Tensor emptyLike(const TensorView &view) {
  return at::empty(view.shape, at::TensorOptions().dtype(torchType(view.dtype)));
}

/// The results and, last, the final state.
variable_list runForwardOf(const Call &call, const Compiled &compiled, std::shared_ptr<const Saved> *saved) {
  const KernelPackage &package = compiled.package->package();
  ViewMap outputs = forwardOutputs(signatureOf(package), compiled.sizes, package.dtype);
  variable_list tensors;
  auto allocateOutput = [&](const std::string &name) {
    tensors.push_back(emptyLike(outputs.at(name)));
    outputs[name] = viewOf(tensors.back());
  };
  for (const TensorSpec &result : call.info->results)
    allocateOutput(result.name);
  allocateOutput("final_state");
  std::shared_ptr<const Saved> kept =
      runForward(*compiled.package, call.inputs(), outputs, compiled.options, saved != nullptr);
  if (saved)
    *saved = kept;
  return tensors;
}

/// What the backward pass needs, in a form that the autograd context can hold.
struct Kept : torch::CustomClassHolder {
  Call call; // without tensors: these are saved variables
  Compiled compiled;
  std::shared_ptr<const Saved> saved;
};

class RecurrenceFunction : public torch::autograd::Function<RecurrenceFunction> {
public:
  static variable_list forward(AutogradContext *context, at::TensorList arguments,
                               const OptionalTensor &initialState, const OptionalTensor &cuSeqlens,
                               const std::string &spec, const std::string &form, int64_t chunk) {
    auto kept = c10::make_intrusive<Kept>();
    Call call = makeCall(spec, arguments, initialState, cuSeqlens, form, chunk);
    kept->compiled = compile(call, /*gradients=*/true);
    variable_list outputs = runForwardOf(call, kept->compiled, &kept->saved);
    variable_list tensors = call.arguments;
    tensors.push_back(call.initialState);
    tensors.push_back(call.cuSeqlens);
    context->save_for_backward(tensors);
    context->set_materialize_grads(false);
    call.arguments.clear();
    call.initialState = call.cuSeqlens = at::Tensor();
    kept->call = std::move(call);
    context->saved_data["kept"] = c10::IValue::make_capsule(kept);
    return outputs;
  }

  static variable_list backward(AutogradContext *context, variable_list cotangents) {
    // The kernels' gradients are not themselves differentiated; without this they would silently be
    // constants.
    if (at::GradMode::is_enabled())
      throw UserError("expected first-order gradients of a recurrence, got create_graph=True");
    auto kept = c10::static_intrusive_pointer_cast<Kept>(context->saved_data["kept"].toCapsule());
    Call call = kept->call;
    variable_list tensors = context->get_saved_variables();
    size_t count = call.info->arguments.size();
    call.arguments.assign(tensors.begin(), tensors.begin() + static_cast<int64_t>(count));
    call.initialState = tensors[count];
    call.cuSeqlens = tensors[count + 1];
    return gradients(context, call, *kept, cotangents);
  }

private:
  /// One gradient for each argument, the initial state, cu_seqlens, and the three that are no tensors.
  static variable_list gradients(AutogradContext *context, const Call &call, const Kept &kept,
                                 const variable_list &cotangents) {
    ViewMap inputs = call.inputs();
    std::vector<at::Tensor> alive;
    auto addCotangent = [&](const std::string &name, const at::Tensor &value, DType type) {
      if (!value.defined())
        return;
      alive.push_back(value.to(torchType(type)).contiguous());
      inputs["d" + name] = viewOf(alive.back());
    };
    size_t results = call.info->results.size(), count = call.info->arguments.size();
    for (size_t index = 0; index < results; ++index)
      addCotangent(call.info->results[index].name, cotangents[index], kept.compiled.package->package().dtype);
    addCotangent("final_state", cotangents[results], DType::f32);

    variable_list wanted(count + 5);
    ViewMap outputs;
    auto want = [&](size_t slot, const std::string &name, const at::Tensor &like) {
      if (!like.defined() || !context->needs_input_grad(slot))
        return;
      wanted[slot] = at::empty(like.sizes(), like.options().requires_grad(false));
      outputs["d" + name] = viewOf(wanted[slot]);
    };
    for (size_t index = 0; index < count; ++index)
      want(index, call.info->arguments[index].name, call.arguments[index]);
    want(count, "initial_state", call.initialState);
    if (alive.empty()) {
      for (at::Tensor &gradient : wanted)
        if (gradient.defined())
          gradient.zero_();
      return wanted;
    }
    RunOptions options = kept.compiled.options;
    options.threads = at::get_num_threads();
    runBackward(*kept.compiled.package, inputs, *kept.saved, outputs, options);
    return wanted;
  }
};

using Outputs = std::tuple<std::vector<at::Tensor>, at::Tensor>;

Outputs split(variable_list outputs) {
  at::Tensor state = outputs.back();
  outputs.pop_back();
  return {std::move(outputs), std::move(state)};
}

Outputs recurrenceCpu(std::string spec, at::TensorList arguments, const OptionalTensor &initialState,
                      const OptionalTensor &cuSeqlens, std::string form, int64_t chunk) {
  Call call = makeCall(spec, arguments, initialState, cuSeqlens, form, chunk);
  return split(runForwardOf(call, compile(call, /*gradients=*/false), nullptr));
}

Outputs recurrenceAutograd(std::string spec, at::TensorList arguments, const OptionalTensor &initialState,
                           const OptionalTensor &cuSeqlens, std::string form, int64_t chunk) {
  bool gradients = initialState && initialState->requires_grad();
  for (const at::Tensor &argument : arguments)
    gradients |= argument.requires_grad();
  at::AutoDispatchBelowADInplaceOrView below;
  if (!gradients || !at::GradMode::is_enabled())
    return recurrenceCpu(spec, arguments, initialState, cuSeqlens, form, chunk);
  return split(RecurrenceFunction::apply(arguments, initialState, cuSeqlens, spec, form, chunk));
}

TORCH_LIBRARY(sluice, library) {
  library.def("recurrence(str spec, Tensor[] arguments, Tensor? initial_state=None, Tensor? cu_seqlens=None, "
              "str form=\"auto\", int chunk=64) -> (Tensor[] results, Tensor final_state)");
}
TORCH_LIBRARY_IMPL(sluice, CPU, library) { library.impl("recurrence", &recurrenceCpu); }
TORCH_LIBRARY_IMPL(sluice, Autograd, library) { library.impl("recurrence", &recurrenceAutograd); }

} // namespace

RecurrenceResult recurrence(const std::string &spec, const std::vector<at::Tensor> &arguments,
                            const RecurrenceOptions &options) {
  using Schema = Outputs(std::string, at::TensorList, const OptionalTensor &, const OptionalTensor &,
                         std::string, int64_t);
  static auto operation =
      c10::Dispatcher::singleton().findSchemaOrThrow("sluice::recurrence", "").typed<Schema>();
  auto [results, state] =
      operation.call(spec, arguments, options.initialState, options.cuSeqlens, options.form, options.chunk);
  return {std::move(results), std::move(state)};
}

} // namespace sluice
