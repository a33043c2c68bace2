#pragma once

#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "zab/peer.h"

// An ensemble of peers, links and disks that moves only when it is told to: what transcripts are
// played on. A server's state is the list of what was delivered to it.
//
//   ensemble 1 2 3 [observer 4] [history OCTETS] [counter N] [outstanding N] [init N] [sync N]
//          [founding N]
//                                   starts them, all connected; nothing is delivered yet. Then the
//                                   limits of which the core's own would make long stories
//   settle                          delivers everything and reads everything, until all is quiet
//   settle between servers          but not what they say to themselves
//   settle without reading          but answers no reads
//   submit PAYLOAD to 1             a client's transaction
//   confirm leadership of 1         a read that must be up to date
//   hand over 1                     it is to lead no more
//   deliver TYPE from 1 to 2        what is under way on that link, up to the first of this type
//   deliver all from 1 to 2
//   under way                       on all links, and what is to be read
//   read for 2                      answers what was asked to be read for this learner, once: two
//                                   transactions of the log, or half of a snapshot
//   tick 1 [10], tick all [10]      and nothing is delivered
//   pass 10 ticks                   of all, and everything is delivered after each
//   cut 1 2, heal 1 2               a link; what is under way on it is lost
//   show [1]
//
// Crashes:
//   crash 1                         now; or in its next step that asks for anything:
//   crash 1 after send|persist|confirm
//   restart 1                       with what is on its disk, and its state as of the checkpoint
//
// Disks:
//   disk of 1 stops | goes on       what was to be persisted meanwhile is lost in a crash
//   checkpoint of 1                 its state is on disk, as far as the log has what is in it
//   purge 1                         the log begins at the checkpoint now
// and of a server that is down:
//   disk of 1: accepted 2 by 3, current 1, history 1:1=a 1:2=b
//   disk of 1 is of another cluster
//   wipe 1                          the disk is empty
//   damage 1 after 1:2              has lost the log after that, and knows how far it reached
class Stage {
 public:
  using Id = std::uint32_t;
  static constexpr int deliveries_max = 100'000;  // a story that has not settled by then never will

  std::string run(const std::string& command);
  // From now on nothing is told of what happens: much faster, for those who only look at the end.
  void be_quiet() { quiet_ = true; }

  // What can be seen of a server.
  struct View {
    bool up = false;
    zab::RoleStatus role_status;
    std::string delivered;  // " 1:1=a 1:2=b"
  };
  [[nodiscard]] std::map<Id, View> servers() const;
  // What `settle` does, but at most so many deliveries and reads. Returns what matters of it.
  std::string deliver_all(const std::string& how, int at_most = deliveries_max);
  [[nodiscard]] bool connected(Id a, Id b) const { return links_.contains({a, b}); }

 private:
  using Link = std::pair<Id, Id>;  // from, to

  struct Batch {
    std::vector<zab::Persist> persist;
    std::vector<zab::Envelope> confirm;
  };
  // The state at a point, or the first bytes of it.
  struct Snapshot {
    zab::Point at;
    std::string bytes;
  };
  struct Disk {
    zab::Durable durable;
    std::string checkpoint;  // the state at `durable.applied`
    Snapshot received;       // not adopted yet
  };
  struct Server {
    std::optional<zab::Peer> peer;  // none: it is down
    Disk disk;
    bool disk_stopped = false;
    std::vector<Batch> unwritten;
    std::string crashes_after;  // send, persist or confirm; of its next step
    std::string delivered;
    Snapshot received;                 // as on disk, once that has caught up
    std::map<Id, zab::Read> to_read;   // by learner
    std::map<Id, Snapshot> snapshots;  // by learner: what is still to be read
  };

  std::string create(std::istream& words);
  std::string pass(Id ticks);
  std::string deliver(const std::string& type, Id from, Id to);
  std::string deliver_next(Link link);
  std::string read_for(Id learner);
  std::string read(Id id, Id learner);
  std::string tick(const std::string& who, int times);
  std::string crash(Id id);
  std::string restart(Id id);
  std::string cut(Id a, Id b);
  std::string heal(Id a, Id b);
  std::string stop_disk(Id id, bool stop);
  std::string checkpoint(Id id);
  std::string purge(Id id);
  std::string change_disk(Id id, std::istream& words);
  std::string fill_disk(Id id, std::istream& words);
  std::string show(Id id) const;
  std::string show_all() const;
  std::string under_way() const;

  std::string step(Id id, zab::Event event);
  std::string carry_out(Id id, zab::Effects effects);
  std::string write(Id id);
  static void receive(const zab::Persist& persist, Snapshot& snapshot);
  void post(Id from, const zab::Envelope& envelope);
  std::string connect(Id a, Id b);
  bool disconnect(Id a, Id b);
  [[nodiscard]] zab::HistoryRead answer(Id id, const zab::ReadHistory& read) const;
  [[nodiscard]] zab::SnapshotRead answer(Id id, const zab::ReadSnapshot& read);

  zab::Ensemble ensemble_{{}};
  zab::PeerLimits limits_;
  std::map<Id, Server> servers_;
  std::map<Link, std::list<zab::Message>> links_;  // up, in both directions; to itself too
  std::set<Link> cut_;
  bool quiet_ = false;
};
