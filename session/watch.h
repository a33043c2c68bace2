#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/replies.h"
#include "wire/requests.h"

namespace session {

// The kinds of change that a watch reports.
struct Interest {
  bool created : 1 = false;
  bool changed : 1 = false;
  bool deleted : 1 = false;
  bool children : 1 = false;

  [[nodiscard]] bool includes(wire::EventKind kind) const;
  bool operator==(const Interest&) const = default;
};

struct Watch {
  std::string path;
  Interest interest;
  enum class Reach : std::uint8_t { node, subtree };
  Reach reach = Reach::node;
  bool once = false;
  bool with_data = false;
  std::optional<wire::Zxid> from;  // report changes after this zxid; unset: after now
  wire::Encoding encoding = wire::Encoding::text_if_utf8;  // of the events' data
  bool reserved = false;                                   // of a request that is not answered yet
  std::uint16_t extra_bytes = 0;  // that it takes besides: charged like its texts

  bool operator==(const Watch&) const = default;
};

// The watch that a request sets: a watch request, or a read with `watch`. None for other requests.
[[nodiscard]] std::optional<Watch> watch_of(const wire::Request& request);

}  // namespace session
