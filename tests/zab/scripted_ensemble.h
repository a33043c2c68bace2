#pragma once

#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "zab/peer.h"

// An ensemble of peers, links and disks that moves only on command. Transcripts are lists of these
// commands and their output. A server's state is the list of the transactions delivered to it.
//
//   ensemble 1 2 3 [observer 4] [history BYTES] [counter N] [outstanding N] [init N] [sync N]
//          [founding N]
//                                   starts the servers, all connected; delivers nothing yet. The
//                                   options set limits whose defaults would make long transcripts
//   settle                          delivers all messages and answers all reads, until none is left
//   settle between servers          but not the messages of servers to themselves
//   settle without reading          but answers no reads
//   submit PAYLOAD to 1             a client's transaction
//   confirm leadership of 1         a read that must see every acknowledged write
//   hand over 1 [to 2]              server 1 stops leading
//   deliver TYPE from 1 to 2        the messages in transit on that link, up to the first of TYPE
//   deliver all from 1 to 2
//   in transit                      lists the messages in transit and the reads without an answer
//   read for 2                      answers one read for this learner: two transactions of the
//                                   log, or half of a snapshot
//   tick 1 [10], tick all [10]      delivers nothing
//   pass 10 ticks                   of all servers; delivers everything after each
//   cut 1 2, heal 1 2               a link; its messages in transit are lost
//   show [1]
//
// Crashes:
//   crash 1                         now
//   crash 1 after send|persist|confirm
//                                   in its next step that has effects, after this part of them
//   restart 1                       with the content of its disk, and the state of its checkpoint
//
// Disks:
//   disk of 1 stops | resumes       a crash loses everything persisted since the disk stopped
//   checkpoint of 1                 of its state, but not beyond its log
//   purge 1                         the log then begins at the checkpoint
// and of a server that is down:
//   disk of 1: accepted 2 by 3, current 1, history 1:1=a 1:2=b
//   disk of 1 is of another cluster
//   wipe 1                          the disk is empty
//   damage 1 after 1:2              the log after that is lost; the server knows how far it reached
class ScriptedEnsemble {
 public:
  using Id = std::uint32_t;
  // A `settle` that needs more deliveries than this would never end.
  static constexpr int deliveries_max = 100'000;

  // Runs one command and returns its output.
  std::string run(const std::string& command);
  // From now on commands return no output. This is much faster, for tests of the end state only.
  void be_quiet() { quiet_ = true; }

  // The state of a server that tests can see.
  struct View {
    bool up = false;
    zab::RoleStatus role_status;
    std::string delivered;  // " 1:1=a 1:2=b"
  };
  [[nodiscard]] std::map<Id, View> servers() const;
  // Like the command `settle`, with its argument `how`, but at most this many deliveries and reads.
  // Returns the notes, crashes and losses.
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
    Snapshot received;                 // like `disk.received`, once the disk has caught up
    std::map<Id, zab::Read> to_read;   // by learner
    std::map<Id, Snapshot> snapshots;  // by learner: the part that is not read yet
  };

  // Commands (scripted_ensemble.cc).
  std::string create(std::istream& words);
  std::string pass(Id ticks);
  std::string tick(const std::string& who, int times);
  std::string deliver(const std::string& type, Id from, Id to);
  std::string deliver_next(Link link);
  std::string show(Id id) const;
  std::string show_all() const;
  std::string in_transit() const;
  // Commands for crashes, links and disks (scripted_faults.cc). Empty for other commands.
  std::optional<std::string> run_fault(const std::string& command);
  std::string run_disk_command(const std::string& command);
  std::string crash(Id id);
  std::string restart(Id id);
  std::string cut(Id a, Id b);
  std::string heal(Id a, Id b);
  std::string connect(Id a, Id b);
  bool disconnect(Id a, Id b);
  std::string stop_disk(Id id, bool stop);
  std::string checkpoint(Id id);
  std::string purge(Id id);
  std::string change_disk(Id id, std::istream& words);
  std::string fill_disk(Id id, std::istream& words);

  // Steps and their effects (scripted_steps.cc).
  std::string step(Id id, zab::Event event);
  std::string carry_out(Id id, zab::Effects effects);
  std::string write(Id id);
  static void receive(const zab::Persist& persist, Snapshot& snapshot);
  void post(Id from, const zab::Envelope& envelope);
  std::string read_for(Id learner);
  std::string read(Id id, Id learner);
  [[nodiscard]] zab::HistoryRead answer(Id id, const zab::ReadHistory& read) const;
  [[nodiscard]] zab::SnapshotRead answer(Id id, const zab::ReadSnapshot& read);

  zab::Ensemble ensemble_{{}};
  zab::PeerLimits limits_;
  std::map<Id, Server> servers_;
  std::map<Link, std::list<zab::Message>> links_;  // up, in both directions; to itself too
  std::set<Link> cut_;
  bool quiet_ = false;
};
