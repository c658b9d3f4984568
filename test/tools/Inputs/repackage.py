"""repackage.py FROM TO OLD NEW: a copy of a package with OLD in its header replaced by NEW, of the same length, and the
checksum to match."""
import struct
import sys

source, target, old, new = sys.argv[1:]
raw = open(source, "rb").read()
magic = len(b"sluice package 01\n")
rest = raw[magic + 8 :].replace(old.encode(), new.encode(), 1)
checksum = 0xCBF29CE484222325
for byte in rest:
    checksum = (checksum ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
open(target, "wb").write(raw[:magic] + struct.pack("<Q", checksum) + rest)
