#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "zab/peer.h"

// An ensemble of peers, links and disks that moves only when it is told to: what transcripts are
// played on.
//
//   ensemble 1 2 3 [observer 4]     starts them, all connected; nothing is delivered yet
//   settle                          delivers everything, until all is quiet
//   settle between servers          but not what they say to themselves
//   submit PAYLOAD to 1             a client's transaction
//   confirm leadership of 1         a read that must be up to date
//   deliver TYPE from 1 to 2        what is under way on that link, up to the first of this type
//   deliver all from 1 to 2
//   under way                       on all links
//   crash 1                         now; or in its next step that asks for anything:
//   crash 1 after send|persist|confirm
//   disk of 1 stops | goes on       what was to be persisted meanwhile is lost in a crash
//   disk of 1: accepted 2 by 3, current 1, history 1:1=a 1:2=b      of a server that is down
//   restart 1
//   cut 1 2, heal 1 2               a link; what is under way on it is lost
//   tick 1 [10], tick all [10]
//   show [1]
class Stage {
 public:
  std::string run(const std::string& command);

 private:
  using Id = std::uint32_t;
  using Link = std::pair<Id, Id>;  // from, to

  struct Batch {
    std::vector<zab::Persist> persist;
    std::vector<zab::Envelope> confirm;
  };
  struct Server {
    std::optional<zab::Peer> peer;  // none: it is down
    zab::Durable disk;
    bool disk_stopped = false;
    std::deque<Batch> unwritten;
    std::string crashes_after;  // send, persist or confirm; of its next step
    std::string delivered;
  };

  std::string create(std::istream& words);
  std::string settle(bool to_itself);
  std::string deliver(const std::string& type, Id from, Id to);
  std::string deliver_next(Link link);
  std::string tick(const std::string& who, int times);
  std::string crash(Id id);
  std::string restart(Id id);
  std::string cut(Id a, Id b);
  std::string heal(Id a, Id b);
  std::string stop_disk(Id id, bool stop);
  std::string fill_disk(Id id, std::istream& words);
  std::string show(Id id);
  std::string show_all();
  std::string under_way() const;

  std::string step(Id id, zab::Event event);
  std::string carry_out(Id id, zab::Effects effects);
  std::string write(Id id);
  void post(Id from, const zab::Envelope& envelope);
  std::string connect(Id a, Id b);

  zab::Ensemble ensemble_{{}};
  std::map<Id, Server> servers_;
  std::map<Link, std::deque<zab::Message>> links_;  // up, in both directions; to itself too
  std::set<Link> cut_;
};
