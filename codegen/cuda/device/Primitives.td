// The table of primitives: for each what it is called, where it is declared, who may call it, what is complete on
// return, how it can be mutated and which instruction it is. Types and macros of kernel sources are listed too. Tests
// hold both headers to it (test/device); the kinds of mutation of the emulator and the ops of the tile dialect come
// from it. `llvm-tblgen --dump-json` reads it; primitive_table.py writes Primitives.inc for C++.

include "PrimitiveBase.td"
include "ThreadPrimitives.td"
include "MemoryPrimitives.td"
include "MathPrimitives.td"
include "CopyPrimitives.td"
include "MbarrierPrimitives.td"
include "MatrixPrimitives.td"
