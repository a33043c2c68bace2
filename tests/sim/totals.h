#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "tests/sim/options.h"

namespace sim {

// Events that must happen in some seeds, or the simulator does not test what it promises.
enum class Rare : std::uint8_t {
  founding,
  unanimous_election,
  handover,
  rollover,
  refused_submit,
  log_read,
  unreadable,
  snapshot_adopted,
  snapshot_abandoned,
  truncation,
  checkpoint,
  purge,
  written_over,
  stale_message,
  duplicate,
  stall,
  partition,
  stray,
  stray_refused,
  sync_failed,
  disk_full,
  start_refused,
  bytes_changed,
  page_zeroed,
  file_cut,
  file_lost,
  files_swapped,
  checkpoint_lost,
  snapshot_lost,
  damage_found,
  damage_harmless,
  damage_again,
  damaged_repaired,
  wiped,
  wiped_repaired,
  foreign_disk,
  foreign_server_seen,
  staged_installed,
  // Only in runs with the service.
  session_expired,
  session_moved,
  write_asked_again,
  write_has_conditions,
  condition_failed,
  other_branch,
  turn_told,
  session_promised,
  list_by_number,
  image_of_the_past,
  clients_sent_away,
  watch_resynced,
  watch_lagged,
  lock_taken,
  lock_awaited,
  lock_shared,
  lock_lost,
  lock_cancelled,
  lock_not_acquired,
  lock_downgraded,
  locks_taken,
  locks_awaited,
  locks_lost,
  locks_cancelled,
  locks_not_acquired,
  barrier_open,
  barrier_lifted,
  barrier_set_again,
  limit_changed,
  leader_told,
  leader_gap,
  tree_told,
  tree_gap,
  tree_unreadable,
  tree_failed,
  presence_told,
  presence_lost,
  presence_updated,
  presence_occupied,
  presence_taken_over,
  presence_superseded,
  presence_failed,
  members_told,
  addition_done,
  addition_done_before,
  addition_failed,
  addition_unknown,
  counter_read,
  counter_ready,
  item_put,
  item_put_before,
  put_failed,
  put_unknown,
  item_taken,
  item_awaited,
  item_taken_again,
  item_not_due,
  item_done,
  done_refused,
  item_given_back,
  item_lost,
  take_cancelled,
  take_failed,
  participants_entered,
  participants_left,
  participant_stopped,
  participant_lost,
  participant_failed,
  token_accepted,
  token_refused,
  oldest_program,
  older_program,
  newest_program,
  older_program_refused,
  program_refused,
  level_changed,
  middle_level,
  does_not_apply,
  snapshot_not_known,
  state_full,
  // Only with greedy users. The events up to watch_refused are counted once for each server, at the
  // end.
  message_not_read,
  message_late,
  requests_not_read,
  request_refused,
  replies_not_read,
  reply_refused,
  client_too_slow,
  watch_refused,
  session_refused,
  too_large,
  list_cut,
  count
};
inline constexpr std::size_t protocol_rare_count = static_cast<std::size_t>(Rare::session_expired);
inline constexpr std::size_t rare_count = static_cast<std::size_t>(Rare::count);

[[nodiscard]] const char* name_of(Rare rare);

// The counters of one run.
struct Totals {
  std::uint64_t steps = 0;      // of peers
  std::uint64_t elections = 0;  // epochs established
  std::uint64_t crashes = 0;
  std::uint64_t commits = 0;
  Time time = 0;
  Time healing = 0;                   // from the end of all faults until all servers were caught up
  std::uint64_t znodes_searched = 0;  // whose operations were searched for a linear order
  std::uint64_t searches_given_up = 0;
  std::array<std::uint64_t, rare_count> rare{};

  void count(Rare what) { rare[static_cast<std::size_t>(what)] += 1; }
};

}  // namespace sim
