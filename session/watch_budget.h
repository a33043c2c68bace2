#pragma once

#include <cstddef>

#include "wire/records.h"
#include "wire/result.h"

namespace session {

// The limits of the memory of watches, except those of a single session. The server implements
// them: see Watches::Options.
class WatchBudget {
 public:
  virtual ~WatchBudget() = default;

  // Whether the watches of the session may take `bytes` in all. The error is TooManyWatches and
  // says whose limit it is.
  [[nodiscard]] virtual wire::Result<void> check(wire::SessionId session, std::size_t bytes) = 0;
  // The watches of the session take `bytes` in all from now on.
  virtual void set(wire::SessionId session, std::size_t bytes) = 0;

  // The same, for the indexes of turns (turns.h) of all sessions together. A refusal is counted
  // only by `count_refused_index`: some are found out without a request, and others more than once.
  [[nodiscard]] virtual wire::Result<void> check_indexes(std::size_t bytes) = 0;
  virtual void count_refused_index() = 0;
  virtual void set_indexes(std::size_t bytes) = 0;
};

}  // namespace session
