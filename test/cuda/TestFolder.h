// What the tests of CUDA share: folders of their own, environment variables for a while, errors as text.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace sluice::test {

/// An empty folder below the build folder, of this process alone: two runs do not disturb each other.
std::string emptyFolder(const std::string &name);

/// Sets a variable, or removes it for an empty value, until the end of the scope.
class Environment {
public:
  Environment(std::string name, const std::string &value);
  ~Environment();
  Environment(const Environment &) = delete;

private:
  std::string name;
  std::optional<std::string> before;
};

/// The message of the UserError that the action throws, which must be one line; "no error" without.
std::string errorOf(const std::function<void()> &action);

} // namespace sluice::test
