#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "session/number_set.h"
#include "session/sibling_set.h"
#include "session/watch_budget.h"
#include "wire/requests.h"
#include "wire/result.h"
#include "znode/changes.h"
#include "znode/sibling.h"
#include "znode/tree.h"

namespace session {

class SetWatch;

// When it is the turn of nodes among their siblings: fewer than `limit` siblings of some kinds are
// before the node (znode/sibling.h). Not replicated. The numbers in a folder, the parent of such
// nodes, are indexed from the first question about it on; those of a large folder in parts, see
// `index_more`. Folders in which nobody waits stay indexed for some time, if they are not too many.
// Lists of children by their numbers have indexes of their own, which have the names. If the budget
// ends, folders in which nobody waits are dropped. If that is not enough, the folder that grows is
// dropped, and those who wait in it are told to ask again.
class Turns {
 public:
  // A folder in which nobody waits, and about which nobody asks, stays indexed for so many ticks.
  static constexpr std::uint64_t unused_ticks = 16;
  // So many children are indexed at once, about 2 ms of work.
  static constexpr std::size_t part_children = 4096;
  // The memory of the index for each child and each kind, about. For lists see SiblingSet.
  static constexpr std::size_t child_bytes = 160;
  static constexpr std::size_t kind_bytes = 320;

  // Watches with so many different options may wait in one folder: each costs time at each
  // deletion.
  static constexpr std::size_t groups_max = 1024;

  // A watch whose turn it is. Or, if it is lost, one that must ask again: its index has no room.
  struct Due {
    const SetWatch* watch = nullptr;
    wire::TurnOptions options;
    bool is_lost = false;
  };

  // The memory that a watch with these options takes, about.
  [[nodiscard]] static std::uint16_t bytes_of(const wire::TurnOptions& options);

  // `budget` is told the memory of all indexes. It may be null, and outlives this.
  explicit Turns(WatchBudget* budget) : budget_(budget) {}

  // Whether there is room to wait for that turn among the children of the parent of `path`. The
  // error is TooManyWatches.
  [[nodiscard]] wire::Result<void> check(const znode::Tree& tree, std::string_view path,
                                         const wire::TurnOptions& options);
  // Whether it is the turn of the node, which exists and has a number. Unknown while its folder is
  // being indexed.
  [[nodiscard]] std::optional<bool> is_turn(const znode::Tree& tree, std::string_view path,
                                            const wire::TurnOptions& options);
  // The watch, of a node that exists and has a number, waits for its turn.
  void add(const znode::Tree& tree, const SetWatch& watch, const wire::TurnOptions& options);
  // No effect if it does not wait.
  void remove(const SetWatch& watch);
  void clear();

  // A transaction has created or deleted nodes. Call `take_due` next.
  void changed(const std::vector<znode::Change>& changes);
  // The watches that are lost, and then those whose turn it is now, both in the order in which they
  // were set. They wait no more.
  [[nodiscard]] std::vector<Due> take_due();
  // The client of a watch that was due may not read the node: it waits for `tick`.
  void bar(Due due);
  // One heartbeat interval has passed. Those watches whose client `may_read` now wait again, and
  // are due at once if it is their turn. Call `take_due` next.
  using MayRead = std::function<bool(const SetWatch&)>;
  void tick(const znode::Tree& tree, const MayRead& may_read);

  // The children of a folder that have numbers. Null while they are being indexed: then `is_known`
  // becomes true at the end. While somebody keeps `is_known`, the folder is not dropped in favour
  // of others. The error is TooManyWatches, if there is no room; `count_refused` counts it.
  struct Siblings {
    const SiblingSet* all = nullptr;
    std::shared_ptr<const bool> is_known = {};
  };
  [[nodiscard]] wire::Result<Siblings> siblings(const znode::Tree& tree, std::string_view path);
  void count_refused() const;

  // Whether some folder is not fully indexed, and there may be room to go on. Or a large folder was
  // dropped, and its memory is not free yet.
  [[nodiscard]] bool is_indexing() const {
    return !dropped_.empty() || stalled_ < unfinished_.size();
  }
  // Frees another part of what was dropped, or indexes another part. Call `take_due` next.
  void index_more(const znode::Tree& tree);
  // So many children were looked at for indexes.
  [[nodiscard]] std::uint64_t looked_at() const { return looked_at_; }

 private:
  using GroupKey = std::pair<std::int32_t, std::vector<std::string>>;
  // Watches with equal options, by the numbers of their nodes.
  using Group = std::set<std::pair<std::uint32_t, const SetWatch*>>;
  // A folder has one index for turns and one for lists, each made when somebody asks for it.
  enum class Use : std::uint8_t { turns, lists };
  struct Folder {
    Use use = Use::turns;
    NumberSet all;                                        // for turns
    SiblingSet names;                                     // for lists
    std::map<std::string, NumberSet, std::less<>> kinds;  // for turns
    std::map<GroupKey, Group> groups;
    std::optional<std::string> next = "";  // names up to this one are indexed; none: all are
    std::uint64_t used = 0;                // a place in `unused_`, while nobody waits in it
    std::uint64_t used_at = 0;             // the tick
    bool must_check = false;               // it is in `must_check_`
    bool lacks_room = false;               // its last part has ended for lack of room
    std::shared_ptr<bool> is_known = {};   // set once a list waits for the index

    // Whether a list waits for the index, or was not performed since.
    [[nodiscard]] bool is_awaited() const { return is_known && is_known.use_count() > 1; }
    void end_wait() {
      if (is_known) *is_known = true;
    }
  };
  using Folders = std::map<std::string, Folder, std::less<>>;
  struct Waiting {
    Folders::iterator folder;
    std::uint32_t number = 0;
    std::map<GroupKey, Group>::iterator group;
  };

  // Begins to index the folder if it is not indexed.
  Folders::iterator folder_at(const znode::Tree& tree, std::string_view path, Use use);
  // Returns false if it has ended for lack of room.
  bool index_part(const znode::Tree& tree, Folders::iterator folder);
  // For so many more bytes. The error is TooManyWatches. Drops folders in which nobody waits, the
  // oldest first, if that helps, but not `keep`.
  [[nodiscard]] wire::Result<void> make_room(std::size_t bytes, const Folder* keep);
  void count_child(Folder& folder, std::string_view name, bool is_there);
  void count_kind(Folder& folder, const znode::Sibling& sibling, bool is_there);
  // What a child may add to the index, at most.
  [[nodiscard]] static std::size_t bytes_of(Use use, std::string_view name);
  [[nodiscard]] static std::size_t bytes_of(const Folder& folder);
  // Counts a change in the folder, if it is indexed.
  void changed(Use use, std::string_view path, bool is_there);
  void check_soon(Folders::iterator folder);
  [[nodiscard]] static bool is_turn(const Folder& folder, std::uint32_t number,
                                    const wire::TurnOptions& options);
  // Adds the watches of the group that are due.
  static void find_due(const Folder& folder, const GroupKey& key, const Group& group,
                       std::vector<Due>& due);
  // Nobody waits in the folder, and it was used now.
  void set_unused(Folders::iterator folder);
  void drop(Folders::iterator folder);
  // The memory of a large folder that was dropped becomes free in parts.
  void free_part();
  // Drops a folder that has no room. The watches in it are lost.
  void give_up(Folders::iterator folder);
  void charge() const;
  [[nodiscard]] Folders& folders(Use use) {
    return use == Use::turns ? turn_folders_ : list_folders_;
  }

  WatchBudget* budget_;
  Folders turn_folders_;
  Folders list_folders_;
  std::vector<Folders::iterator> unfinished_;
  std::vector<Folders::iterator> must_check_;
  std::map<std::uint64_t, Folders::iterator> unused_;  // the one that was used last is the last
  std::uint64_t uses_ = 0;
  std::uint64_t ticks_ = 0;
  std::unordered_map<const SetWatch*, Waiting> waiting_;
  std::vector<Due> lost_;                // until `take_due`
  std::map<std::uint64_t, Due> barred_;  // by the serial number of the watch
  std::uint64_t next_barred_ = 0;        // where the next tick goes on
  std::size_t indexed_ = 0;              // children, in all folders
  std::size_t bytes_ = 0;                // the memory of all indexes
  std::list<Folders::node_type> dropped_;
  std::size_t dropped_bytes_ = 0;  // the memory of those
  std::uint64_t looked_at_ = 0;
  std::size_t stalled_ = 0;  // so many folders had no room, one after the other
};

}  // namespace session
