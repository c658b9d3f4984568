"""Prints, for every pointwise op, a wrong use for each of its constraints, with the diagnostic expected."""
import re
import sys

FILE = """// CONSTRAINT: recur.{op} C1
func.func @test(%x: i32) {{
  // expected-error@+1 {{{{operand #0 must be f32, a key, a value, a matrix or a static f32 tensor}}}}
  %0 = "recur.{op}"({wrong}) : ({types_wrong}) -> i32
  return
}}

// -----

// CONSTRAINT: recur.{op} C2
func.func @test(%x: !recur.key) {{
  // expected-error@+1 {{{{requires the same type for all operands and results}}}}
  %0 = "recur.{op}"({mixed}) : ({types_mixed}) -> !recur.value
  return
}}
"""

CONSTANT = """// CONSTRAINT: recur.constant C1
func.func @test() {
  // expected-error@+1 {{result #0 must be f32, a key, a value, a matrix or a static f32 tensor}}
  %0 = "recur.constant"() <{value = 1.0 : f32}> : () -> i32
  return
}
"""


def main(definitions):
    text = open(definitions).read()
    ops = re.findall(r'def \w+ : Recur_(Unary|Binary)Op<"(\w+)"', text)
    parts = [CONSTANT]
    for form, op in ops:
        count = 1 if form == "Unary" else 2
        parts.append(FILE.format(
            op=op, wrong=", ".join(["%x"] * count), types_wrong=", ".join(["i32"] * count),
            mixed=", ".join(["%x"] * count), types_mixed=", ".join(["!recur.key"] * count)))
    print("\n// -----\n\n".join(parts))


main(sys.argv[1])
