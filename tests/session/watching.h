#pragma once

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "session/service.h"

// Requests that set watches, and events as text, for tests.
namespace session {

inline wire::WatchRequest watch_request(std::string path, wire::WatchScope scope) {
  wire::WatchRequest request;
  request.path = std::move(path);
  request.scope = scope;
  return request;
}

inline const wire::ReadOptions with_watch{.consistency = {}, .watch = true};

// "created /a, changed /a"
inline std::string events_text(const std::vector<wire::WatchEvent>& events) {
  std::string text;
  for (const wire::WatchEvent& event : events) {
    if (!text.empty()) text += ", ";
    text += std::string(name(event.kind)) + ' ' + event.path;
  }
  return text;
}

// The events of a transaction; checks that they have its zxid.
inline std::string events_text(const Applied& applied) {
  std::vector<wire::WatchEvent> events;
  for (const Delivery& delivery : applied.events) {
    CHECK(delivery.event.zxid == applied.zxid);
    events.push_back(delivery.event);
  }
  return events_text(events);
}

}  // namespace session
