#include "tests/sim/totals.h"

namespace sim {

const char* name_of(Rare rare) {
  switch (rare) {
    case Rare::founding: return "cluster founded";
    case Rare::unanimous_election: return "elected by all voters, unsound ones too";
    case Rare::handover: return "leadership handed over";
    case Rare::rollover: return "epoch's counter used up";
    case Rare::refused_submit: return "submit refused";
    case Rare::log_read: return "log read for a learner";
    case Rare::unreadable: return "log unreadable for a learner";
    case Rare::snapshot_adopted: return "snapshot adopted";
    case Rare::snapshot_abandoned: return "snapshot begun anew";
    case Rare::truncation: return "history truncated";
    case Rare::checkpoint: return "checkpoint taken";
    case Rare::purge: return "log purged";
    case Rare::written_over: return "segment file recycled";
    case Rare::stale_message: return "message of an earlier link dropped";
    case Rare::duplicate: return "notification duplicated";
    case Rare::stall: return "link stalled one way";
    case Rare::partition: return "partition";
    case Rare::stray: return "stray message";
    case Rare::stray_refused: return "stray message refused with a note";
    case Rare::sync_failed: return "write or sync failed";
    case Rare::disk_full: return "disk full";
    case Rare::start_refused: return "start failed, disk full";
    case Rare::bytes_changed: return "bytes of the log changed";
    case Rare::page_zeroed: return "page of the log zeroed";
    case Rare::file_cut: return "file of the log cut";
    case Rare::file_lost: return "file of the log lost";
    case Rare::checkpoint_lost: return "checkpoint lost";
    case Rare::snapshot_lost: return "adopted snapshot lost";
    case Rare::damage_again: return "damage to a damaged log";
    case Rare::files_swapped: return "files of the log swapped";
    case Rare::damage_found: return "damage found at the start";
    case Rare::damage_harmless: return "damage without consequence";
    case Rare::damaged_repaired: return "damaged server repaired";
    case Rare::wiped: return "disk wiped";
    case Rare::wiped_repaired: return "wiped server repaired";
    case Rare::foreign_disk: return "disk of another cluster";
    case Rare::foreign_server_seen: return "server of another cluster seen";
    case Rare::staged_installed: return "staged snapshot installed at the start";
    case Rare::session_expired: return "session expired";
    case Rare::session_moved: return "session moved";
    case Rare::write_asked_again: return "write repeated";
    case Rare::write_has_conditions: return "write with conditions";
    case Rare::turn_told: return "turn told by an event";
    case Rare::session_promised: return "session promised to be kept";
    case Rare::list_by_number: return "list of children by numbers";
    case Rare::condition_failed: return "write refused, a condition did not hold";
    case Rare::other_branch: return "other branch of a multi done";
    case Rare::image_of_the_past: return "image taken during transactions";
    case Rare::clients_sent_away: return "snapshot adopted, clients redirected";
    case Rare::watch_resynced: return "watch from before a snapshot set";
    case Rare::watch_lagged: return "no room for an event, watches suspended";
    case Rare::lock_taken: return "lock taken";
    case Rare::lock_awaited: return "lock taken after waiting for it";
    case Rare::lock_shared: return "lock held by several readers, or places";
    case Rare::lock_lost: return "lock lost";
    case Rare::lock_cancelled: return "acquisition of a lock cancelled";
    case Rare::lock_not_acquired: return "lock not acquired at once";
    case Rare::lock_downgraded: return "write lock downgraded";
    case Rare::limit_changed: return "limit of a semaphore changed meanwhile";
    case Rare::leader_told: return "leader told to an observer";
    case Rare::leader_gap: return "leaders missing, gap told to an observer";
    case Rare::tree_told: return "change of a tree told to a follower";
    case Rare::tree_gap: return "versions missing, gap told to a follower";
    case Rare::tree_unreadable: return "node left out by a follower";
    case Rare::tree_failed: return "follower of a tree failed";
    case Rare::presence_told: return "presence told";
    case Rare::presence_lost: return "node of a presence deleted by another";
    case Rare::presence_updated: return "data of a presence updated";
    case Rare::presence_occupied: return "presence waits for another owner";
    case Rare::presence_taken_over: return "node of a former presence taken over";
    case Rare::presence_superseded: return "presence ended by a later one";
    case Rare::presence_failed: return "presence failed";
    case Rare::members_told: return "members of a group told";
    case Rare::token_accepted: return "token accepted";
    case Rare::token_refused: return "token of an earlier holder refused";
    case Rare::oldest_program: return "start of the oldest program";
    case Rare::older_program: return "start of an older program that knows levels";
    case Rare::newest_program: return "start of the newest program";
    case Rare::older_program_refused: return "start of an older program refused";
    case Rare::program_refused: return "link refused to an older program";
    case Rare::level_changed: return "level changed by an operator";
    case Rare::middle_level: return "level changed to one between";
    case Rare::does_not_apply: return "transaction not known to the program";
    case Rare::snapshot_not_known: return "snapshot not known to the program";
    case Rare::state_full: return "write refused because the state is full";
    case Rare::message_not_read: return "no room for the rest of a message";
    case Rare::message_late: return "message too slow, connection closed";
    case Rare::requests_not_read: return "no room for more requests, not read from";
    case Rare::request_refused: return "request refused, no room for it";
    case Rare::replies_not_read: return "replies wait, not read from";
    case Rare::reply_refused: return "read refused, no room for its reply";
    case Rare::client_too_slow: return "client too slow, connection closed";
    case Rare::watch_refused: return "watch refused, no room for it";
    case Rare::session_refused: return "session refused, too many of an address";
    case Rare::too_large: return "request refused as too large";
    case Rare::list_cut: return "list ended early";
    case Rare::count: break;
  }
  return "";
}

}  // namespace sim
