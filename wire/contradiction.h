#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace wire {

// A transaction that cannot be applied, because it was planned for another state than this
// server's. Its bytes came from a disk or from another server, so no invariant of this program is
// broken. Thrown while the transaction is applied; session::Service::apply catches it.
class Contradiction : public std::exception {
 public:
  explicit Contradiction(std::string what) : what_(std::move(what)) {}
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

// Throws Contradiction unless `condition`. `what` names the node or the session.
inline void expect(bool condition, std::string_view what) {
  if (!condition) throw Contradiction(std::string(what));
}

}  // namespace wire
