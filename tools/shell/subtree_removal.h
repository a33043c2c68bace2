#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/client.h"

namespace shell {

// Deletes a node and all nodes below it in many transactions, children before their parents. Each
// transaction deletes some whole subtrees, and is carried out as a whole or not at all.
class SubtreeRemoval {
 public:
  struct Nodes {
    std::uint64_t deleted = 0;  // so far; fewer if others create nodes meanwhile
    std::uint64_t left = 0;
  };
  // Called before each transaction. If it returns false, the removal ends there.
  using Progress = std::function<bool(const Nodes& nodes)>;

  // `version` is that of the node itself: once the node has another, nothing more is deleted.
  SubtreeRemoval(zabkeeper::Client& client, std::string path, std::int32_t version,
                 Progress progress);

  struct Failure {
    wire::Error error;
    std::string path;
  };
  struct Outcome {
    Nodes nodes;
    bool interrupted = false;
    std::optional<Failure> failure;
    wire::Zxid zxid;  // of the last reply
  };
  [[nodiscard]] Outcome run();

 private:
  // A node whose subtree is deleted in one transaction with others. `weight` estimates its nodes.
  struct Item {
    std::string path;
    std::uint64_t weight = 1;
  };
  using Items = std::vector<Item>;

  // These return false if the removal ends.
  bool remove_below(const std::string& path);
  bool remove(Items items);
  bool remove_one(const Item& item);
  bool go_on();
  bool fail(wire::Error error, const std::string& path);

  // Sends a transaction. Sends it again while a server has no room for it or is lost.
  zabkeeper::Client::AnyReply ask(const Items& items);
  [[nodiscard]] wire::MultiRequest request_for(const Items& items) const;
  // The number of nodes that remain, with the node itself.
  [[nodiscard]] std::uint64_t count();

  zabkeeper::Client& client_;
  const std::string path_;
  const std::int32_t version_;
  const Progress progress_;
  std::uint64_t nodes_at_first_ = 0;
  Outcome outcome_;
  std::size_t items_max_;
};

}  // namespace shell
