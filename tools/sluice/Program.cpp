// Resolves SPEC and the options that go with it.
#include "tools/sluice/Program.h"

#include "codegen/Jit.h"
#include "codegen/cuda/HostCompiler.h"
#include "runtime/Error.h"

namespace sluice {

const Spec &Program::text(const std::string &use) const {
  if (!spec)
    throw UserError("expected the text of a recurrence for " + use + ", got a package");
  return *spec;
}

Program loadProgram(const std::string &argument) {
  Program program;
  if (isPackageFile(argument)) {
    program.package = loadPackage(argument);
    const KernelPackage &package = *program.package;
    program.info.name = package.recurrence;
    program.info.arguments = package.arguments;
    program.info.results = package.results;
    program.info.chunkable = package.chunkable;
    program.info.notChunkable = package.notChunkable;
    return program;
  }
  program.spec = loadSpec(argument);
  program.info = getDescription(*program.spec);
  return program;
}

DType parseStorage(const std::string &name) {
  std::optional<DType> dtype = parseDType(name);
  if (!dtype || !isArgumentType(*dtype))
    throw UserError("--dtype: expected f32, f16 or bf16, got " + name);
  return *dtype;
}

void checkBackend(const std::string &name) {
  if (name == "cuda")
    throw UserError("the backend cuda is not available yet: recurrences have no CUDA kernels");
  if (name == "emulated")
    throw UserError("the backend emulated is not available yet: it would compile CUDA kernels with " +
                    findHostCompiler().text() + ", but recurrences have none");
  if (name != "cpu")
    throw UserError("--backend: expected cpu, cuda or emulated, got " + name);
}

CompileOptions optionsFor(const Program &program, const Choices &choices) {
  CompileOptions options;
  if (!program.package) {
    options.chunk = choices.chunk.value_or(options.chunk);
    options.dtype = choices.dtype ? parseStorage(*choices.dtype) : DType::f32;
    return options;
  }
  const KernelPackage &package = *program.package;
  options.target = package.target;
  options.keyDim = package.keyDim;
  options.valueDim = package.valueDim;
  options.chunk = package.chunk;
  options.dtype = package.dtype;
  if (choices.chunk && *choices.chunk != package.chunk)
    throw UserError("--chunk: expected " + std::to_string(package.chunk) +
                    ", which the package was compiled for, got " + std::to_string(*choices.chunk));
  if (choices.dtype && parseStorage(*choices.dtype) != package.dtype)
    throw UserError(std::string("--dtype: expected ") + nameOf(package.dtype) +
                    ", which the package was compiled for, got " + *choices.dtype);
  return options;
}

Form formOf(const Program &program, const std::string &name) {
  if (!name.empty() && name != "chunk" && name != "recurrent")
    throw UserError("--form: expected chunk or recurrent, got " + name);
  if (name == "chunk" && !program.info.chunkable)
    throw UserError("'" + program.info.name + "' has no chunk form: " + program.info.notChunkable);
  bool recurrent = name == "recurrent" || !program.info.chunkable;
  return recurrent ? Form::recurrent : Form::chunk;
}

unsigned entriesOf(Form form, bool gradients) {
  unsigned forward = form == Form::chunk ? chunkForward : recurrentForward;
  return gradients ? forward | forward << 1 : forward;
}

std::unique_ptr<LoadedPackage> loadKernels(const Program &program, const CompileOptions &options) {
  return std::make_unique<LoadedPackage>(program.package ? *program.package
                                                         : getPackage(*program.spec, options));
}

} // namespace sluice
