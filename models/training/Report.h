// report.html: the curves of a run as one page without scripts or other files.
#pragma once

#include <string>

namespace sluice::models {

/// Writes RUN/report.html from RUN's logs and config.toml.
void writeReport(const std::string &run);

} // namespace sluice::models
