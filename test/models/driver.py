"""Trains, evaluates, generates and stops through the driver, as a person would; fails with an assertion.

Usage: driver.py SLUICE FOLDER
"""
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

sluice, folder = sys.argv[1], sys.argv[2]
CONFIG = """[model]
layers = 2
width = 32
mlp_width = 48
[gated_delta_net]
heads = 2
key_dim = 16
value_dim = 16
chunk = 16
[tokenizer]
vocabulary = 300
[data]
path = "text"
held_out_fraction = 0.2
[training]
steps = 12
batch = 2
sequence = 40
warmup_steps = 2
[evaluation]
tokens = 200
[checkpoint]
every = 4
keep = 0
"""


def path(*names):
    return os.path.join(folder, *names)


def call(*arguments, **options):
    return subprocess.run([sluice, *arguments], capture_output=True, text=True, timeout=300, **options)


def train(run, *arguments, **options):
    return call("train", path("run.toml"), "--out", path(run), *arguments, **options)


def succeeds(result):
    assert result.returncode == 0, (result.returncode, result.stderr)
    return result.stdout


def fails(result, *parts):
    assert result.returncode == 2, (result.returncode, result.stdout, result.stderr)
    assert result.stderr.count("\n") == 1 and result.stderr.startswith("sluice: "), result.stderr
    for part in parts:
        assert part in result.stderr, (part, result.stderr)


def read(*names):
    with open(path(*names), "rb") as file:
        return file.read()


def records(run, name="metrics.jsonl"):
    lines = read(run, name).decode().splitlines() if os.path.exists(path(run, name)) else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def sameCheckpoint(first, second, step):
    for name in ("model.safetensors", "optimizer.safetensors", "state.json"):
        names = ("checkpoints", f"step-{step}", name)
        assert read(first, *names) == read(second, *names), (first, second, name)


def makeText():
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(path("text"))
    words = "the people of these states and their union have seen peace with all nations".split()
    draw = random.Random(1)
    for index in range(20):
        with open(path("text", f"{index}.txt"), "w") as file:
            file.write(" ".join(draw.choice(words) for _ in range(300)) + ".\n")
    with open(path("run.toml"), "w") as file:
        file.write(CONFIG)


def trainsEvaluatesGenerates():
    output = succeeds(train("whole"))
    assert "step 12/12" in output and "bits per byte" in output, output
    metrics = records("whole")
    assert [record["step"] for record in metrics] == list(range(1, 13))
    assert set(metrics[0]) == {"step", "loss", "lr", "grad_norm", "tokens_per_second"}
    for name in ("config.toml", "report.html", "tokenizer.model", "checkpoints/step-12/model.safetensors"):
        assert os.path.exists(path("whole", name)), name
    assert "bits per byte" in succeeds(call("eval", path("whole"), "--json", path("eval.json")))
    result = json.loads(read("eval.json"))
    assert result["step"] == 12 and 0 < result["bits_per_byte"] < 8 and result["documents"] > 0, result
    ask = ("generate", path("whole"), "--prompt", "the people", "--tokens", "8", "--seed", "5")
    text = succeeds(call(*ask))
    assert text.startswith("the people") and text == succeeds(call(*ask)), text


def resumesAfterBeingKilled():
    process = subprocess.Popen([sluice, "train", path("run.toml"), "--out", path("killed"), "--set",
                                "logging.every=1"], stdout=subprocess.DEVNULL)
    while not os.path.exists(path("killed", "checkpoints", "step-4")) and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.wait()
    shutil.rmtree(path("killed", "checkpoints", "step-12"), ignore_errors=True)
    assert "resuming after step" in succeeds(train("killed", "--resume"))
    sameCheckpoint("whole", "killed", 12)
    assert [(m["step"], m["loss"]) for m in records("killed")] == [(m["step"], m["loss"]) for m in records("whole")]


def stopsOnSignals():
    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        run = f"signal{int(number)}"
        process = subprocess.Popen([sluice, "train", path("run.toml"), "--out", path(run), "--set",
                                    "training.steps=1000000"], stdout=subprocess.PIPE, text=True)
        while len(records(run)) < 3 and process.poll() is None:
            time.sleep(0.01)
        if number == signal.SIGTERM:
            fails(train(run, "--resume", "--set", "training.steps=1000000"), "only writer")
        process.send_signal(number)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == code, (process.returncode, output)
        last = records(run)[-1]["step"]
        assert f"step-{last}" in os.listdir(path(run, "checkpoints")), output


def mistakesAreOneLine():
    def bad(text, *parts):
        with open(path("bad.toml"), "w") as file:
            file.write(text)
        fails(call("train", path("bad.toml"), "--out", path("bad")), *parts)
        assert not os.path.exists(path("bad"))

    bad("[training]\nstep = 3\n", "bad.toml:2: unknown key 'training.step'")
    bad("[training]\nsteps = 0\n", "bad.toml:2: expected training.steps to be from 1")
    bad("[data]\npath = \"nothing\"\n", "expected data.path to be a folder of .txt files")
    fails(train("bad", "--set", "model.layers=none"), "--set model.layers: expected model.layers to be an integer")
    fails(train("bad", "--frobnicate"), "frobnicate")
    fails(call("train", path("absent.toml"), "--out", path("bad")), "absent.toml")
    fails(call("train"), "CONFIG")
    fails(train("whole"), "expected an empty folder")
    fails(train("bad", "--resume"), "expected a run to resume")
    fails(train("whole", "--resume", "--set", "training.batch=3"), "training.batch = 2, got 3")
    fails(call("eval", path("text")), "expected a run with a checkpoint")
    fails(call("generate", path("whole")), "--prompt")
    assert not os.path.exists(path("bad"))


def fullDiskKeepsTheLastCheckpoint():
    """A limit on the size of files stands in for the disk."""
    shutil.copytree(path("whole"), path("full"))
    for step in (8, 12):
        shutil.rmtree(path("full", "checkpoints", f"step-{step}"))
    size = len(read("full", "checkpoints", "step-4", "model.safetensors"))
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
    fails(train("full", "--resume", preexec_fn=limit), "checkpoint of step 8 not saved", "step-4")
    assert os.listdir(path("full", "checkpoints")) == ["step-4"]
    succeeds(train("full", "--resume"))
    sameCheckpoint("whole", "full", 12)


makeText()
trainsEvaluatesGenerates()
resumesAfterBeingKilled()
stopsOnSignals()
mistakesAreOneLine()
fullDiskKeepsTheLastCheckpoint()
