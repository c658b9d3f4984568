# Prints the first and the last held-out evaluation of a run, for tools/demo.
# Usage: before_after.py RUN/evaluation.jsonl
import json
import sys

evaluations = [json.loads(line) for line in open(sys.argv[1])]
for evaluation in (evaluations[0], evaluations[-1]):
    print(f"step {evaluation['step']:4}: {evaluation['bits_per_byte']:.3f} bits per byte")
