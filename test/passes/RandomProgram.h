// Writes random well-formed token programs, one for each seed.
#pragma once

#include <string>

namespace sluice::test {

/// The text of a file with the recurrence @random. About one in six has the recurrent form only. Reads
/// enter writes with coefficients below one and keys have unit length, so that states stay moderate;
/// arguments that are to be drawn as gates begin with g.
std::string writeRandomProgram(unsigned seed);

} // namespace sluice::test
