#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/intrusive/unordered_set.hpp>

#include "session/hash_index.h"
#include "session/turns.h"
#include "session/watch.h"
#include "session/watch_budget.h"
#include "session/watch_page.h"
#include "wire/records.h"
#include "wire/requests.h"
#include "znode/hash_key.h"
#include "znode/identity.h"

namespace session {

// The session that owns a watch.
struct Watcher {
  wire::SessionId session;
  znode::Identities identities;  // of its client, as authenticated so far
  bool is_suspended = false;     // its watches are in no index, so no change finds them

  // The size of its events of one transaction. Used by Watches.
  wire::Zxid counted_at;
  std::size_t event_bytes = 0;
};

namespace hooks {

using ById = boost::intrusive::unordered_set_base_hook<
    boost::intrusive::tag<struct ByIdTag>,
    boost::intrusive::link_mode<boost::intrusive::normal_link>>;
// Watches of the same path form a group, so that one of very many is removed in constant time.
using ByPath = boost::intrusive::unordered_set_base_hook<
    boost::intrusive::tag<struct ByPathTag>,
    boost::intrusive::link_mode<boost::intrusive::normal_link>,
    boost::intrusive::optimize_multikey<true>>;

}  // namespace hooks

// A watch that is set. There may be millions, so each is one allocation, texts included.
class SetWatch : public hooks::ById, public hooks::ByPath {
 public:
  SetWatch(const SetWatch&) = delete;
  SetWatch& operator=(const SetWatch&) = delete;

  [[nodiscard]] Watcher& watcher() const { return *watcher_; }
  // The JSON text of its request's id.
  [[nodiscard]] std::string_view id() const { return {text() + path_bytes_, id_bytes_}; }
  [[nodiscard]] std::string_view path() const { return {text(), path_bytes_}; }
  [[nodiscard]] Interest interest() const { return interest_; }
  [[nodiscard]] Watch::Reach reach() const { return reach_; }
  [[nodiscard]] bool once() const { return once_; }
  [[nodiscard]] bool with_data() const { return with_data_; }
  // Its request is not answered yet: no change finds it.
  [[nodiscard]] bool is_reserved() const { return reserved_; }
  [[nodiscard]] wire::Encoding encoding() const;
  // The zxid after which it reports changes, if its request had one.
  [[nodiscard]] std::optional<wire::Zxid> from() const;
  // Rises with every watch set.
  [[nodiscard]] std::uint64_t serial() const { return serial_; }
  // The size of its path and its id, and what else it takes.
  [[nodiscard]] std::size_t charged_bytes() const { return texts() + extra_bytes_; }

 private:
  friend class WatchTable;
  SetWatch(Watcher& watcher, const wire::RequestId& id, const Watch& watch, std::uint64_t serial);
  static SetWatch* make(Watcher& watcher, const wire::RequestId& id, const Watch& watch,
                        std::uint64_t serial);
  static void destroy(SetWatch* watch);
  // The memory directly after the object: path, id, and `from` if there is one.
  [[nodiscard]] const char* text() const { return reinterpret_cast<const char*>(this + 1); }
  [[nodiscard]] std::size_t texts() const { return path_bytes_ + id_bytes_; }
  [[nodiscard]] char* text() { return reinterpret_cast<char*>(this + 1); }

  Watcher* watcher_;
  std::uint64_t serial_;
  std::uint32_t path_bytes_;
  std::uint16_t id_bytes_;
  std::uint16_t extra_bytes_;
  Interest interest_;
  Watch::Reach reach_ : 1;
  bool once_ : 1;
  bool with_data_ : 1;
  bool base64_ : 1;
  bool has_from_ : 1;
  bool reserved_ : 1;
};

// All watches on this server, by session and by path.
class WatchTable {
 public:
  // `key` is for the tables of paths and ids. `budget`, which may be null, is told what the watches
  // of each session take.
  explicit WatchTable(const znode::HashKey& key = {}, WatchBudget* budget = nullptr)
      : key_(key),
        budget_(budget),
        nodes_(TextHash{&key_}),
        subtrees_(TextHash{&key_}),
        turns_(budget) {}
  ~WatchTable() { clear(); }
  WatchTable(const WatchTable&) = delete;
  WatchTable& operator=(const WatchTable&) = delete;

  // Precondition: the session has no watch with this id, and the id is a valid request id.
  // Returns the watch.
  const SetWatch& add(wire::SessionId session, const znode::Identities& identities,
                      const wire::RequestId& id, const Watch& watch);
  // Null if there is none.
  [[nodiscard]] const SetWatch* find(wire::SessionId session, std::string_view id) const;
  void remove(const SetWatch& watch);
  void remove_session(wire::SessionId session);
  void clear();

  // No change finds the session's watches until `resume`. They are set as before.
  void suspend(wire::SessionId session);
  // Returns the watches that changes find again, in the order in which they were set; not those
  // that are reserved. None if the session is not suspended.
  std::vector<const SetWatch*> resume(wire::SessionId session);

  // Replaces the identities of a session. No effect if the session has no watches.
  void identify(wire::SessionId session, const znode::Identities& identities);

  // Sets `found` to the watches that report such a change of `path`, in the order in which they
  // were set. `found` must be empty.
  void find(std::string_view path, wire::EventKind kind, std::vector<const SetWatch*>& found) const;

  // A watch in it is removed from it together with the watch.
  [[nodiscard]] Turns& turns() { return turns_; }
  [[nodiscard]] const Turns& turns() const { return turns_; }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }
  [[nodiscard]] std::size_t size(wire::SessionId session) const;
  // How many watches of exactly this path and reach are set.
  [[nodiscard]] std::size_t size(Watch::Reach reach, std::string_view path) const;
  // The number of different paths, each once for either reach.
  [[nodiscard]] std::size_t paths() const { return groups_.size(); }
  // The watched paths from `position` on: 0, or the `next` of the page before. A page ends once it
  // has `max` paths, or a few more. If watches are set between two pages, a path may be on both.
  // The watches of suspended sessions, and those that are reserved, are on none.
  [[nodiscard]] WatchPage page(std::size_t position, std::size_t max) const;
  // Null if the session has no watches.
  [[nodiscard]] const Watcher* watcher(wire::SessionId session) const;
  // The size of the paths and ids of the session's watches.
  [[nodiscard]] std::size_t text_bytes(wire::SessionId session) const;
  // An estimate of the memory of `watches` watches with their paths and ids.
  [[nodiscard]] static constexpr std::size_t memory(std::size_t watches, std::size_t text_bytes) {
    constexpr std::size_t of_each = 96;
    return watches * of_each + text_bytes;
  }

 private:
  struct TextHash {
    const znode::HashKey* key;
    std::size_t operator()(std::string_view text) const {
      return static_cast<std::size_t>((*key)(text));
    }
  };
  struct IdOf {
    using type = std::string_view;
    std::string_view operator()(const SetWatch& watch) const { return watch.id(); }
  };
  struct PathOf {
    using type = std::string_view;
    std::string_view operator()(const SetWatch& watch) const { return watch.path(); }
  };
  template <class Hook, class KeyOf, template <class, class...> class Container>
  using IndexOf = HashIndex<
      Container<SetWatch, boost::intrusive::base_hook<Hook>, boost::intrusive::key_of_value<KeyOf>,
                boost::intrusive::hash<TextHash>, boost::intrusive::equal<std::equal_to<>>,
                boost::intrusive::power_2_buckets<true>, boost::intrusive::incremental<true>,
                boost::intrusive::linear_buckets<true>>>;
  using ById = IndexOf<hooks::ById, IdOf, boost::intrusive::unordered_set>;
  using ByPath = IndexOf<hooks::ByPath, PathOf, boost::intrusive::unordered_multiset>;

  struct SessionWatches : Watcher {
    explicit SessionWatches(TextHash hash) : watches(hash) {}

    ById watches;
    std::size_t text_bytes = 0;
  };
  struct SessionHash {
    std::size_t operator()(wire::SessionId id) const {
      return std::hash<std::uint64_t>{}(id.value);
    }
  };

  // The watches of the session have changed.
  void charge(const SessionWatches& own) const {
    if (budget_ != nullptr) budget_->set(own.session, memory(own.watches->size(), own.text_bytes));
  }
  ByPath& index_of(Watch::Reach reach) { return reach == Watch::Reach::node ? nodes_ : subtrees_; }
  void remove_from_index(const SetWatch& watch);
  // A hash of the path and the reach of watches.
  [[nodiscard]] std::uint64_t group_of(Watch::Reach reach, std::string_view path) const {
    return 2 * static_cast<std::uint64_t>(key_(path)) + (reach == Watch::Reach::node ? 0 : 1);
  }
  // Adds the paths of one bucket to `paths`.
  void add_bucket(Watch::Reach reach, std::size_t bucket, std::vector<PathWatches>& paths) const;
  // The watch is not set any more.
  void leave_group(const SetWatch& watch);

  znode::HashKey key_;
  WatchBudget* budget_;
  ByPath nodes_;     // watches of exactly their path
  ByPath subtrees_;  // watches of their path and all paths below it
  Turns turns_;      // watches that wait for a turn; they are in nodes_ too
  std::unordered_map<wire::SessionId, SessionWatches, SessionHash> sessions_;
  std::unordered_map<std::uint64_t, std::uint32_t> groups_;  // the size of each: see group_of
  std::size_t size_ = 0;
  std::uint64_t last_serial_ = 0;
};

}  // namespace session
