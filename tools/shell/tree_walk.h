#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/client.h"
#include "tools/shell/omissions.h"
#include "wire/records.h"

namespace shell {

struct WalkedNode {
  std::string path;
  std::string name;                 // empty: of the node where the walk begins
  std::size_t depth = 0;            // 0: where the walk begins
  bool is_last = true;              // no sibling follows
  std::optional<wire::Stat> stat;   // none: it may not be read
  std::optional<wire::Bytes> data;  // if asked for, and it may be read

  [[nodiscard]] bool has_children() const { return stat && stat->num_children > 0; }
};

// A node, and all nodes below it: a parent before its children, and children in the order of their
// names. The tree may be of any size, and may change meanwhile: the walk goes on, and a node that
// exists all the time is visited. Some requests are sent before their replies are needed.
class TreeWalk {
 public:
  struct Options {
    bool with_data = false;
    std::size_t depth_max = std::numeric_limits<std::size_t>::max();
  };

  TreeWalk(const zabkeeper::Client& client, std::string root, Options options,
           Omissions& omissions);
  ~TreeWalk();
  TreeWalk(const TreeWalk&) = delete;
  TreeWalk& operator=(const TreeWalk&) = delete;

  // The next node; nothing after the last one. Throws Refused if the root cannot be read or the
  // walk cannot go on. Throws Interrupted after an interrupt.
  std::optional<WalkedNode> next();

 private:
  struct Level;

  WalkedNode root();
  void descend();
  WalkedNode take_child(Level& level);
  // Whether the level has a child to visit.
  bool fill(Level& level);
  void look_ahead(Level& level);
  [[nodiscard]] std::size_t held_bytes() const;

  const zabkeeper::Client& client_;
  const std::string root_;
  const Options options_;
  Omissions& omissions_;
  bool has_begun_ = false;
  bool may_descend_ = false;    // below the last node that was visited
  std::vector<Level> levels_;   // from the root to the last node that was visited
  std::size_t page_bytes_ = 0;  // of the last page, about
  std::size_t ahead_ = 0;       // requests of all levels for nodes that are not visited yet
};

}  // namespace shell
