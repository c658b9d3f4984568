// A stand-in for an NVRTC that is too old: it knows its version and nothing else.
#define FAKE extern "C" __attribute__((visibility("default"))) int

FAKE nvrtcVersion(int *major, int *minor) {
  *major = 12;
  *minor = 3;
  return 0;
}
FAKE nvrtcGetErrorString() { return 0; }
FAKE nvrtcGetNumSupportedArchs() { return 1; }
FAKE nvrtcGetSupportedArchs() { return 1; }
FAKE nvrtcCreateProgram() { return 1; }
FAKE nvrtcDestroyProgram() { return 1; }
FAKE nvrtcCompileProgram() { return 1; }
FAKE nvrtcGetProgramLogSize() { return 1; }
FAKE nvrtcGetProgramLog() { return 1; }
FAKE nvrtcGetCUBINSize() { return 1; }
FAKE nvrtcGetCUBIN() { return 1; }
FAKE nvrtcGetPTXSize() { return 1; }
FAKE nvrtcGetPTX() { return 1; }
