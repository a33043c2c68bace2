#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client-lib/client.h"
#include "tools/shell/node_copy.h"

namespace shell {

// Creates a subtree in many transactions, several of which are outstanding. Nodes must come after
// their parents. All functions throw Refused; then some of the later nodes may have been created.
class SubtreeWriter {
 public:
  enum class Action : std::uint8_t { create, overwrite, skip, refuse };

  struct Settings {
    std::string top;
    Existing existing = Existing::refuse;
    bool parents = false;   // create the missing parents of the top
    bool sets_acls = true;  // of nodes that are overwritten
    // Nothing is written. `report` is called for each node, in order.
    bool is_dry_run = false;
    std::function<void(const std::string& path, Action action)> report = {};
    // Asked while it waits. If it returns true, Ended is thrown.
    std::function<bool()> is_interrupted = [] { return false; };
  };
  struct Counts {
    std::uint64_t created = 0;
    std::uint64_t overwritten = 0;
    std::uint64_t skipped = 0;
    std::uint64_t refused = 0;  // of a dry run
  };

  SubtreeWriter(zabkeeper::Client& client, Settings settings);

  // `origin` names the node in an error, for example with a line of a file.
  void add(NodeCopy node, std::string origin = {});
  // Waits until all nodes are written.
  void finish();
  // Counts only the nodes that are certainly written.
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  enum class Stage : std::uint8_t { probing, probed, writing, written };
  struct Item;
  struct Batch;
  struct Arrivals;  // shared with the client's thread
  using Items = std::vector<Item>;

  void send_batch();
  void probe(const std::shared_ptr<Batch>& batch);
  void decide(Batch& batch);
  void write(const std::shared_ptr<Batch>& batch);
  // Waits until at most so many batches are outstanding.
  void wait_until(std::size_t outstanding_max);
  void write_probed();
  void conclude_written();
  // Writes items that could not be written in one batch: in smaller parts, and again while a server
  // has no room.
  void write_alone(Items items);
  void count(const Items& items);
  [[nodiscard]] wire::MultiRequest request_for(const Items& items) const;
  // The item that the operation with this index writes.
  static const Item* item_of(const Items& items, std::size_t operation);
  [[noreturn]] static void refuse(const wire::Error& error, const Item* item);

  zabkeeper::Client& client_;
  const Settings settings_;
  const std::shared_ptr<Arrivals> arrivals_;
  std::shared_ptr<Batch> next_;
  std::deque<std::shared_ptr<Batch>> outstanding_;  // in order
  std::size_t outstanding_bytes_ = 0;
  std::size_t items_max_;  // of a batch; less if the server allows less
  // A batch had no room. Nothing more is sent until all that were sent are answered.
  bool lacks_room_ = false;
  Counts counts_;
};

}  // namespace shell
