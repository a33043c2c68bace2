#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/records.h"
#include "wire/requests.h"

namespace zabkeeper {

// The digits at the end of the name of a sequential node.
inline constexpr std::size_t number_digits = 10;
// The kinds of the nodes of a read and a write lock.
inline constexpr std::string_view reader_kind = "read-";
inline constexpr std::string_view writer_kind = "write-";

// How the nodes of a lock are named. Clients with other names on one path do not count each other
// correctly, so all clients of a path use one family.
enum class LockNames : std::uint8_t {
  own,      // <32 hex digits>-lock-<number>
  curator,  // _c_<UUID>-lock-<number>: with Curator's InterProcessMutex
  kazoo,    // <32 hex digits>__lock__<number>: with kazoo's Lock
};

// The queue in which one acquisition waits: its node among its siblings.
struct QueueOptions {
  std::string path;  // the parent of the nodes
  // The begin of the node's name, by which it is found again after a lost reply. No other node has
  // the same mark, ever.
  std::string mark;
  std::string kind;                 // what follows the mark; then comes the number
  std::vector<std::string> among;   // the kinds that the node waits for; none: all siblings
  bool is_limit_in_parent = false;  // a semaphore: the parent's data say how many may hold
  // The lock is acquired at once or not at all. Where the parent has more than 4096 children, a
  // free lock may be reported as not acquired.
  bool only_now = false;
  wire::Bytes data = {};              // of the node
  std::optional<wire::Acl> acl = {};  // of the node, and of missing parents; none: open
};

// `id`: 32 lower-case hex digits, random, another one for each acquisition. Else these abort.

// One holder. Fair: in the order of the creation of the nodes.
[[nodiscard]] QueueOptions lock_queue(std::string path, std::string_view id,
                                      LockNames names = LockNames::own);
// One writer, or many readers. A reader waits only for the writers before it, a writer for all.
[[nodiscard]] QueueOptions write_queue(std::string path, std::string_view id);
[[nodiscard]] QueueOptions read_queue(std::string path, std::string_view id);
// As many holders as the data of `path` say: see semaphore_limit.
[[nodiscard]] QueueOptions semaphore_queue(std::string path, std::string_view id);

// The request that sets the limit of a semaphore, and creates its node if that is missing. The
// limit is from 1 to wire::turn_limit_max; else every acquisition fails.
[[nodiscard]] wire::SetRequest semaphore_limit(std::string path, std::int32_t limit);
// The limit that these data say: a number of at most seven digits, in decimal. Nothing for others.
[[nodiscard]] std::optional<std::int32_t> limit_of(std::string_view data);

// An id has so many lower-case hex digits.
inline constexpr std::size_t id_digits = 32;
[[nodiscard]] bool is_id(std::string_view text);
// Aborts if this is not an id.
void check_id(std::string_view id);
// The path of the child.
[[nodiscard]] std::string below(const std::string& path, std::string_view name);

}  // namespace zabkeeper
