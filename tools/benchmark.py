"""Times the gated delta rule on the CPU beside PyTorch's chunked form, and prints one table.

Shapes: B=1, T=4096, H=4, K=V=128, float32, two threads. The peer is `torch_chunk_gated_delta_rule` of
transformers' Qwen3-Next at its best chunk size. Every figure comes from this one run.
Run it through tools/benchmark, which sets up its environment.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
THREADS = 2
BATCH, TOKENS, HEADS, DIM = 1, 4096, 4, 128
LONG_TOKENS = 32768
CHUNKS = (16, 32, 64, 128)


def product_units(backward):
    """Products of the chunked gated delta rule at K = V = D and chunk C, in units of C x C x D.

    Forward: K K^T, Q K^T, T B and L U are masked (half each); K~ S, Q~ S and K^^T U are D/C units each.
    Backward: L^T dR, T^T dB, two dL and four of dX, dK from dL are masked (half each); K^ dS, two dR S^T,
    two X~^T dR and U dS^T are D/C units each. Recomputation is not counted.
    """
    wide = DIM / 64
    forward = 4 * 0.5 + 3 * wide
    return forward + (8 * 0.5 + 6 * wide if backward else 0)


def algorithm_flops(backward):
    """FLOPs of the whole call at C = 64."""
    chunk = 64
    return product_units(backward) * 2 * chunk * chunk * DIM * (TOKENS // chunk) * HEADS * BATCH


def median_seconds(function, repeats=7):
    """The median time of `repeats` calls after two unmeasured ones."""
    for _ in range(2):
        function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return sorted(times)[repeats // 2]


def make_inputs(tokens):
    """q, k of unit norm, v normal, g = logsigmoid(N + 2), beta = sigmoid(N)."""
    torch.manual_seed(0)
    normalize = torch.nn.functional.normalize
    q, k = (normalize(torch.randn(BATCH, tokens, HEADS, DIM), dim=-1) for _ in range(2))
    v = torch.randn(BATCH, tokens, HEADS, DIM)
    g = torch.nn.functional.logsigmoid(torch.randn(BATCH, tokens, HEADS) + 2)
    beta = torch.sigmoid(torch.randn(BATCH, tokens, HEADS))
    return [q, k, v, g, beta]


def load_operator():
    torch.ops.load_library(str(ROOT / "build/lib/libSluiceTorch.so"))


def run_sluice(inputs, form="chunk", chunk=64, spec="gated_delta_rule"):
    results, _ = torch.ops.sluice.recurrence(spec, inputs, None, None, form, chunk)
    return results[0]


def gradients_of(function, inputs, cotangent):
    leaves = [x.detach().requires_grad_() for x in inputs]
    return torch.autograd.grad(function(leaves), leaves, cotangent)


def time_pair(function, inputs):
    """(forward, forward and backward) in milliseconds."""
    cotangent = torch.randn_like(inputs[2])
    with torch.no_grad():
        forward = median_seconds(lambda: function(inputs))
    both = median_seconds(lambda: gradients_of(function, inputs, cotangent))
    return 1e3 * forward, 1e3 * both


def measure_peer(inputs):
    from transformers.models.qwen3_next import modeling_qwen3_next as qwen

    peer = getattr(qwen.torch_chunk_gated_delta_rule, "__wrapped__", qwen.torch_chunk_gated_delta_rule)
    return {chunk: time_pair(lambda xs, c=chunk: peer(*xs, chunk_size=c)[0], inputs) for chunk in CHUNKS}


def measure_sgemm():
    """GFLOP/s of a 2048^3 float32 product."""
    a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
    return 2 * 2048**3 / median_seconds(lambda: a @ b) / 1e9


def read_status(field):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"expected {field} in /proc/self/status")


def peak_memory_ratio(form):
    """Peak resident memory of forward and backward over that before, in units of arguments + results + gradients."""
    warm = make_inputs(128)
    gradients_of(lambda xs: run_sluice(xs, form), warm, torch.randn_like(warm[2]))
    inputs = make_inputs(LONG_TOKENS)
    cotangent = torch.randn_like(inputs[2])
    Path("/proc/self/clear_refs").write_text("5")
    before = read_status("VmRSS")
    gradients = gradients_of(lambda xs: run_sluice(xs, form), inputs, cotangent)
    peak = read_status("VmHWM")
    tensors = sum(x.nbytes for x in inputs) + 2 * cotangent.nbytes + sum(x.nbytes for x in gradients)
    return (peak - before) / tensors


def first_result_seconds():
    """Seconds from a spec to its first result, libraries and compiler loaded by another spec before."""
    inputs = make_inputs(64)
    with torch.no_grad():
        run_sluice(inputs[:3], spec="linear_attention", chunk=32)
        start = time.perf_counter()
        run_sluice(inputs)
        return time.perf_counter() - start


def run_part(part, cache):
    """Runs one part in a fresh process with its own package cache."""
    environment = dict(os.environ, SLUICE_CACHE=cache)
    command = [sys.executable, __file__, "--part", part]
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(answer.stdout.strip().splitlines()[-1])


def measure_first_results():
    """(cold, from the disk cache) in seconds. The compiler's libraries are loaded in both cases."""
    with tempfile.TemporaryDirectory() as cache:
        return run_part("first-result", cache), run_part("first-result", cache)


def measure_cached_run():
    """Seconds of a whole `sluice run` whose package is in the disk cache."""
    from safetensors.torch import save_file

    names = ("q", "k", "v", "g", "beta")
    with tempfile.TemporaryDirectory() as folder:
        save_file(dict(zip(names, make_inputs(64))), f"{folder}/in.safetensors")
        command = [str(ROOT / "build/bin/sluice"), "run", "gated_delta_rule"]
        command += ["--in", f"{folder}/in.safetensors", "--out", f"{folder}/out.safetensors"]
        environment = dict(os.environ, SLUICE_CACHE=f"{folder}/cache")
        return median_seconds(lambda: subprocess.run(command, env=environment, check=True), 5)


def measure():
    inputs = make_inputs(TOKENS)
    record = {"date": date.today().isoformat(), "command": "tools/benchmark", "cpu": cpu_name(), "threads": THREADS}
    record["sgemm_gflops"] = measure_sgemm()
    peer = measure_peer(inputs)
    record["torch_chunk_ms"] = {str(c): list(times) for c, times in peer.items()}
    record["sluice_ms"] = {str(c): list(time_pair(lambda xs, c=c: run_sluice(xs, chunk=c), inputs)) for c in CHUNKS}
    for index, name in enumerate(("forward", "forward_backward")):
        ours = record["sluice_ms"]["64"][index]
        record[f"{name}_speedup"] = min(times[index] for times in peer.values()) / ours
        record[f"{name}_sgemm_share"] = algorithm_flops(index == 1) / (ours * 1e6) / record["sgemm_gflops"]
    with tempfile.TemporaryDirectory() as cache:
        for form in ("chunk", "recurrent"):
            record[f"{form}_memory_ratio"] = run_part(f"memory-{form}", cache)
    record["first_result_cold_s"], record["first_result_cached_s"] = measure_first_results()
    record["cached_run_s"] = measure_cached_run()
    return record


def cpu_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def print_table(record):
    rows = [
        ("sgemm 2048^3, GFLOP/s", f"{record['sgemm_gflops']:.0f}", ""),
        *((f"PyTorch chunk {c}, ms", f"{t[0]:.1f}", f"{t[1]:.1f}") for c, t in record["torch_chunk_ms"].items()),
        *((f"sluice chunk {c}, ms", f"{t[0]:.1f}", f"{t[1]:.1f}") for c, t in record["sluice_ms"].items()),
        ("speed-up at chunk 64 over the best", f"{record['forward_speedup']:.2f}", f"{record['forward_backward_speedup']:.2f}"),
        ("share of the sgemm rate", f"{record['forward_sgemm_share']:.0%}", f"{record['forward_backward_sgemm_share']:.0%}"),
        ("memory ratio, chunk form", "", f"{record['chunk_memory_ratio']:.2f}"),
        ("memory ratio, recurrent form", "", f"{record['recurrent_memory_ratio']:.2f}"),
        ("first result: cold, s", f"{record['first_result_cold_s']:.3f}", ""),
        ("first result: disk cache, s", f"{record['first_result_cached_s']:.3f}", ""),
        ("whole cached `sluice run`, s", f"{record['cached_run_s']:.3f}", ""),
    ]
    print(f"{'gated delta rule, B=1 T=4096 H=4 K=V=128 f32':<46}{'forward':>10}{'and back':>10}")
    for name, forward, both in rows:
        print(f"{name:<46}{forward:>10}{both:>10}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    load_operator()
    if options.part == "first-result":
        print(first_result_seconds())
        return
    if options.part:
        print(peak_memory_ratio(options.part.removeprefix("memory-")))
        return
    record = measure()
    print_table(record)
    if options.json:
        temporary = options.json.with_suffix(".partial")
        temporary.write_text(json.dumps(record, indent=2) + "\n")
        temporary.rename(options.json)


if __name__ == "__main__":
    main()
