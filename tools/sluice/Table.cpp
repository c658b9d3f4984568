// Aligns columns.
#include "tools/sluice/Table.h"

#include <algorithm>
#include <cstdio>

namespace sluice {

std::string Table::text(bool numbers) const {
  std::vector<size_t> widths;
  for (const auto &row : rows)
    for (size_t column = 0; column < row.size(); ++column) {
      widths.resize(std::max(widths.size(), column + 1));
      widths[column] = std::max(widths[column], row[column].size());
    }
  std::string text;
  for (const auto &row : rows) {
    std::string line;
    for (size_t column = 0; column < row.size(); ++column) {
      std::string padding(widths[column] - row[column].size(), ' ');
      bool right = numbers && column > 0;
      line += (column ? "  " : "") + (right ? padding + row[column] : row[column] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

static std::string print(const char *format, int digits, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, digits, value);
  return buffer;
}

std::string fixed(double value, int digits) { return print("%.*f", digits, value); }

std::string scientific(double value) { return print("%.*e", 1, value); }

} // namespace sluice
