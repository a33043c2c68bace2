#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

#include "zab/history.h"

inline zab::Payload payload(const std::string& text) {
  return std::make_shared<const wire::Bytes>(text);
}

inline zab::Zxid at(std::uint32_t epoch, std::uint64_t counter) { return {{epoch}, counter}; }

// A history whose transactions all have the same payload.
inline zab::History history(std::initializer_list<zab::Zxid> zxids, const std::string& text = "x") {
  zab::History made;
  for (const zab::Zxid zxid : zxids) made.append(zxid, payload(text));
  return made;
}
