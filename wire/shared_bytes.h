#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "wire/bytes.h"

namespace wire {

// Immutable bytes that all copies share: the data in the events of thousands of watches are in
// memory once.
class SharedBytes {
 public:
  SharedBytes() = default;
  SharedBytes(Bytes bytes)  // NOLINT(google-explicit-constructor): it is one, with another owner
      : bytes_(bytes.empty() ? nullptr : std::make_shared<const Bytes>(std::move(bytes))) {}
  SharedBytes(const char* text)  // NOLINT(google-explicit-constructor)
      : SharedBytes(Bytes(text)) {}

  [[nodiscard]] const Bytes& get() const {
    static const Bytes none;
    return bytes_ ? *bytes_ : none;
  }
  operator const Bytes&() const { return get(); }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] std::size_t size() const { return get().size(); }
  [[nodiscard]] bool empty() const { return get().empty(); }

  bool operator==(const SharedBytes& other) const {
    return bytes_ == other.bytes_ || get() == other.get();
  }

 private:
  std::shared_ptr<const Bytes> bytes_;  // null: empty
};

}  // namespace wire
