/* What a compiled CPU kernel is called with. Plain C: generated code and hand-written test kernels obey it.
 *
 * One call handles one (sequence, value head, value block):  void symbol(const struct KernelTask *)
 *
 * pointers[i] and strides[i] belong to ports[i] of the entry point; a pointer already includes the sequence,
 * head and value-block offset.
 *   per token            element (t, j) at pointer + t * stride + j, stride in elements
 *   per head, scalar     one element
 *   per head, vector     contiguous
 *   matrix, state        row r at pointer + r * stride
 *   saved                record r at pointer + r * recordElements, contiguous f32
 * Null pointers: initialState, cotangent, stateCotangent mean zero; finalState, stateGradient, gradient, and
 * saved in a forward entry point are not stored.
 * A kernel overwrites what it stores and may assume nothing of the contents of scratch, which is aligned to
 * 64 bytes. The runtime does not call a kernel for an empty sequence. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct KernelTask {
  int64_t tokens;       /* of this sequence */
  int64_t valueColumns; /* of this value block, at most the package's valueBlock */
  void *scratch;        /* EntryPoint::scratchBytes bytes of this thread's own */
  void **pointers;
  const int64_t *strides;
} KernelTask;

typedef void (*KernelFunction)(const KernelTask *);

#ifdef __cplusplus
}
#endif
