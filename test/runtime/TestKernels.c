/* Gated linear attention by hand, obeying runtime/KernelTask.h: S <- c S + k v^T, o = w S^T q, where c and w are
 * constants per head. The backward kernel keeps nothing but the state before every 4 tokens.
 * Ports of forward: q k v w c o initial final states; of backward: q k v w c do initial dfinal states, then
 * the gradients dq dk dv dw dc dinitial. */
#include "runtime/KernelTask.h"

#include <string.h>

enum { keyDim = 16, every = 4, maximalBlock = 16 };

typedef struct {
  const float *q, *k, *v;
  int64_t qStride, kStride, vStride, columns;
  float w, c;
} Inputs;

static Inputs inputsOf(const KernelTask *task) {
  void **pointers = task->pointers;
  Inputs in = {pointers[0],      pointers[1],      pointers[2],        task->strides[0],
               task->strides[1], task->strides[2], task->valueColumns, *(float *)pointers[3],
               *(float *)pointers[4]};
  return in;
}

static void loadState(float *state, const float *from, int64_t stride, int64_t columns) {
  for (int i = 0; i < keyDim; ++i)
    for (int64_t j = 0; j < columns; ++j)
      state[i * columns + j] = from ? from[i * stride + j] : 0;
}

static void step(const Inputs *in, int64_t t, float *state) {
  for (int i = 0; i < keyDim; ++i)
    for (int64_t j = 0; j < in->columns; ++j)
      state[i * in->columns + j] = in->c * state[i * in->columns + j] +
                                   in->k[t * in->kStride + i] * in->v[t * in->vStride + j];
}

void test_forward(const KernelTask *task) {
  Inputs in = inputsOf(task);
  float *o = task->pointers[5], *final = task->pointers[7], *saved = task->pointers[8];
  float *state = task->scratch;
  loadState(state, task->pointers[6], task->strides[6], in.columns);
  for (int64_t t = 0; t < task->tokens; ++t) {
    if (saved && t % every == 0)
      memcpy(saved + t / every * keyDim * maximalBlock, state,
             sizeof(float) * keyDim * in.columns);
    step(&in, t, state);
    for (int64_t j = 0; j < in.columns; ++j) {
      float sum = 0;
      for (int i = 0; i < keyDim; ++i)
        sum += in.q[t * in.qStride + i] * state[i * in.columns + j];
      o[t * task->strides[5] + j] = in.w * sum;
    }
  }
  for (int i = 0; final && i < keyDim; ++i)
    memcpy(final + i * task->strides[7], state + i * in.columns, sizeof(float) * in.columns);
}

/* Gradients of token t; states[0] is the one before it, states[1] after. */
static void stepBackward(const Inputs *in, const KernelTask *task, int64_t t, const float *states,
                         float *adjoint) {
  float *dq = task->pointers[9], *dk = task->pointers[10], *dv = task->pointers[11];
  float *dw = task->pointers[12], *dc = task->pointers[13];
  const float *cotangent = task->pointers[5];
  const float *before = states, *after = states + keyDim * in->columns;
  for (int i = 0; i < keyDim; ++i) {
    float sumQ = 0, sumK = 0;
    for (int64_t j = 0; j < in->columns; ++j) {
      int64_t ij = i * in->columns + j;
      float dout = cotangent ? cotangent[t * task->strides[5] + j] : 0;
      float query = in->q[t * in->qStride + i];
      sumQ += in->w * dout * after[ij];
      if (dw)
        *dw += dout * after[ij] * query;
      adjoint[ij] += in->w * dout * query;
      sumK += adjoint[ij] * in->v[t * in->vStride + j];
      if (dv)
        dv[t * task->strides[11] + j] += adjoint[ij] * in->k[t * in->kStride + i];
      if (dc)
        *dc += adjoint[ij] * before[ij];
      adjoint[ij] *= in->c;
    }
    if (dq)
      dq[t * task->strides[9] + i] = sumQ;
    if (dk)
      dk[t * task->strides[10] + i] = sumK;
  }
}

void test_backward(const KernelTask *task) {
  Inputs in = inputsOf(task);
  const float *saved = task->pointers[8];
  float *dv = task->pointers[11], *dinitial = task->pointers[14];
  int64_t size = keyDim * in.columns;
  float *adjoint = task->scratch, *states = adjoint + size;
  loadState(adjoint, task->pointers[7], task->strides[7], in.columns);
  for (int g = 12; g <= 13; ++g)
    if (task->pointers[g])
      *(float *)task->pointers[g] = 0;
  for (int64_t record = (task->tokens - 1) / every; record >= 0; --record) {
    int64_t begin = record * every;
    int64_t end = begin + every < task->tokens ? begin + every : task->tokens;
    memcpy(states, saved + record * keyDim * maximalBlock, sizeof(float) * size);
    for (int64_t t = begin; t < end; ++t) {
      memcpy(states + (t - begin + 1) * size, states + (t - begin) * size, sizeof(float) * size);
      step(&in, t, states + (t - begin + 1) * size);
    }
    for (int64_t t = end - 1; t >= begin; --t) {
      for (int64_t j = 0; dv && j < in.columns; ++j)
        dv[t * task->strides[11] + j] = 0;
      stepBackward(&in, task, t, states + (t - begin) * size, adjoint);
    }
  }
  for (int i = 0; dinitial && i < keyDim; ++i)
    memcpy(dinitial + i * task->strides[14], adjoint + i * in.columns, sizeof(float) * in.columns);
}
