// (see Passes.h)
