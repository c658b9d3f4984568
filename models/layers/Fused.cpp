// The depthwise convolution and the RMS norm as autograd functions over loops that the compiler vectorises.

#include "models/layers/Fused.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

// One copy of a loop for each level of vector instructions; the loader picks.
#define SLUICE_VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

namespace sluice::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Partial sums of a reduction, so that it vectorises without changing with the width of the vectors.
constexpr int64_t lanes = 16;
// Rows of a norm's weight gradient that are summed together before the blocks are: fixed, whatever the
// threads.
constexpr int64_t rowBlock = 64;
// Channels of a convolution's weight gradient that one task sums.
constexpr int64_t channelBlock = 64;

float total(const float *partial) {
  float sum = 0;
  for (int64_t lane = 0; lane < lanes; ++lane)
    sum += partial[lane];
  return sum;
}

/// to[c] += or = weights[c] * from[c]
SLUICE_VECTORISED void multiplyAdd(float *to, const float *weights, const float *from, int64_t count,
                                   bool first) {
  if (first)
    for (int64_t c = 0; c < count; ++c)
      to[c] = weights[c] * from[c];
  else
    for (int64_t c = 0; c < count; ++c)
      to[c] += weights[c] * from[c];
}

SLUICE_VECTORISED float sumOfSquares(const float *x, int64_t count) {
  float partial[lanes] = {};
  int64_t c = 0;
  for (; c + lanes <= count; c += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      partial[lane] += x[c + lane] * x[c + lane];
  for (int64_t lane = 0; c < count; ++c, ++lane)
    partial[lane] += x[c] * x[c];
  return total(partial);
}

/// sum of a[c] b[c] w[c]
SLUICE_VECTORISED float weightedProduct(const float *a, const float *b, const float *w, int64_t count) {
  float partial[lanes] = {};
  int64_t c = 0;
  for (; c + lanes <= count; c += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      partial[lane] += a[c + lane] * b[c + lane] * w[c + lane];
  for (int64_t lane = 0; c < count; ++c, ++lane)
    partial[lane] += a[c] * b[c] * w[c];
  return total(partial);
}

SLUICE_VECTORISED void scaleRow(float *y, const float *x, const float *w, float scale, int64_t count) {
  for (int64_t c = 0; c < count; ++c)
    y[c] = x[c] * scale * w[c];
}

/// dx = scale (w dy - x correction), dw += dy x scale
SLUICE_VECTORISED void normGradientRow(float *dx, float *dw, const float *dy, const float *x, const float *w,
                                       const float *scales, int64_t count) {
  float scale = scales[0], correction = scales[1];
  for (int64_t c = 0; c < count; ++c) {
    dx[c] = scale * (w[c] * dy[c] - x[c] * correction);
    dw[c] += dy[c] * x[c] * scale;
  }
}

/// [width, C], so that the loops over channels are contiguous.
at::Tensor tapsOf(const at::Tensor &weight) { return weight.detach().t().contiguous(); }

class Convolution : public torch::autograd::Function<Convolution> {
public:
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight) {
    context->save_for_backward({x, weight});
    at::Tensor taps = tapsOf(weight);
    int64_t batch = x.size(0), channels = x.size(2), width = taps.size(0), tokens = x.size(1) - width + 1;
    at::Tensor y = at::empty({batch, tokens, channels}, x.options());
    const float *from = x.data_ptr<float>(), *w = taps.data_ptr<float>();
    float *to = y.data_ptr<float>();
    at::parallel_for(0, batch * tokens, 64, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float *window = from + (row + row / tokens * (width - 1)) * channels;
        for (int64_t tap = 0; tap < width; ++tap)
          multiplyAdd(to + row * channels, w + tap * channels, window + tap * channels, channels, tap == 0);
      }
    });
    return y;
  }

  static variable_list backward(AutogradContext *context, variable_list cotangents) {
    variable_list saved = context->get_saved_variables();
    at::Tensor dy = cotangents[0].contiguous();
    return {inputGradient(dy, saved[0], saved[1]), weightGradient(dy, saved[0], saved[1])};
  }

private:
  /// dx[s] = sum_j w[j] dy[s - j]
  static at::Tensor inputGradient(const at::Tensor &dy, const at::Tensor &x, const at::Tensor &weight) {
    at::Tensor taps = tapsOf(weight), dx = at::empty_like(x);
    int64_t channels = x.size(2), width = taps.size(0), length = x.size(1), tokens = dy.size(1);
    const float *from = dy.data_ptr<float>(), *w = taps.data_ptr<float>();
    float *to = dx.data_ptr<float>();
    at::parallel_for(0, x.size(0) * length, 64, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        int64_t sequence = row / length, position = row % length;
        int64_t firstTap = std::max<int64_t>(0, position - tokens + 1);
        int64_t lastTap = std::min(position, width - 1);
        if (firstTap > lastTap)
          std::fill_n(to + row * channels, channels, 0.0f);
        for (int64_t tap = firstTap; tap <= lastTap; ++tap)
          multiplyAdd(to + row * channels, w + tap * channels,
                      from + (sequence * tokens + position - tap) * channels, channels, tap == firstTap);
      }
    });
    return dx;
  }

  /// dw[j] = sum over sequences and t of dy[t] x[t + j]
  static at::Tensor weightGradient(const at::Tensor &dy, const at::Tensor &x, const at::Tensor &weight) {
    int64_t channels = x.size(2), width = weight.size(1), tokens = dy.size(1), length = x.size(1);
    at::Tensor sums = at::zeros({width, channels}, x.options());
    const float *output = dy.data_ptr<float>(), *input = x.data_ptr<float>();
    float *to = sums.data_ptr<float>();
    int64_t blocks = (channels + channelBlock - 1) / channelBlock;
    at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        int64_t first = block * channelBlock, count = std::min(channelBlock, channels - first);
        for (int64_t row = 0; row < x.size(0) * tokens; ++row) {
          const float *window = input + (row + row / tokens * (length - tokens)) * channels + first;
          for (int64_t tap = 0; tap < width; ++tap)
            multiplyAdd(to + tap * channels + first, output + row * channels + first, window + tap * channels,
                        count, false);
        }
      }
    });
    return sums.t().contiguous();
  }
};

class Norm : public torch::autograd::Function<Norm> {
public:
  static at::Tensor forward(AutogradContext *context, const at::Tensor &x, const at::Tensor &weight,
                            double epsilon) {
    int64_t size = x.size(-1), rows = size ? x.numel() / size : 0;
    at::Tensor y = at::empty_like(x), scales = at::empty({rows}, x.options());
    const float *from = x.data_ptr<float>(), *w = weight.data_ptr<float>();
    float *to = y.data_ptr<float>(), *scale = scales.data_ptr<float>();
    at::parallel_for(0, rows, std::max<int64_t>(1, 16384 / size), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float mean = sumOfSquares(from + row * size, size) / static_cast<float>(size);
        scale[row] = 1 / std::sqrt(mean + static_cast<float>(epsilon));
        scaleRow(to + row * size, from + row * size, w, scale[row], size);
      }
    });
    context->save_for_backward({x, weight, scales});
    return y;
  }

  /// With s = 1 / sqrt(mean(x^2) + epsilon): dx = s (w dy - x s^2 mean(w dy x)), dw = sum over rows of dy x
  /// s.
  static variable_list backward(AutogradContext *context, variable_list cotangents) {
    variable_list saved = context->get_saved_variables();
    at::Tensor x = saved[0], weight = saved[1], dy = cotangents[0].contiguous(), dx = at::empty_like(x);
    int64_t size = x.size(-1), rows = size ? x.numel() / size : 0;
    int64_t blocks = (rows + rowBlock - 1) / rowBlock;
    at::Tensor partial = at::zeros({blocks, size}, x.options());
    const float *input = x.data_ptr<float>(), *output = dy.data_ptr<float>();
    const float *w = weight.data_ptr<float>(), *scale = saved[2].data_ptr<float>();
    float *to = dx.data_ptr<float>(), *sums = partial.data_ptr<float>();
    at::parallel_for(0, blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin * rowBlock; row < std::min(end * rowBlock, rows); ++row) {
        float mean =
            weightedProduct(output + row * size, input + row * size, w, size) / static_cast<float>(size);
        float factors[2] = {scale[row], scale[row] * scale[row] * mean};
        normGradientRow(to + row * size, sums + row / rowBlock * size, output + row * size,
                        input + row * size, w, factors, size);
      }
    });
    return {dx, partial.sum(0), at::Tensor()};
  }
};

} // namespace

at::Tensor depthwiseConvolution(const at::Tensor &x, const at::Tensor &weight) {
  return Convolution::apply(x.to(at::kFloat).contiguous(), weight.to(at::kFloat));
}

at::Tensor rmsNorm(const at::Tensor &x, const at::Tensor &weight, double epsilon) {
  return Norm::apply(x.to(at::kFloat).contiguous(), weight, epsilon);
}

} // namespace sluice::models
