#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/client.h"
#include "tools/shell/begun_request.h"
#include "tools/shell/node_copy.h"
#include "tools/shell/omissions.h"
#include "tools/shell/refused.h"
#include "tools/shell/tree_diff.h"
#include "wire/records.h"

namespace shell {

// Writes one subtree, the copy, so that it equals another, the original. Both may be of different
// ensembles. Ephemeral nodes are left out. Of a node that both have, only the data are compared.
// All functions throw Refused, Ended, or Interrupted; then a part of the changes may be done. It is
// safe to call them again.
class Mirroring {
 public:
  enum class Action : std::uint8_t { create, set, remove };
  struct Side {
    zabkeeper::Client& client;
    std::string top;
    std::string servers;  // for errors; empty: the ensemble of the command
  };
  struct Settings {
    bool deletes_others = false;  // nodes of the copy that the original does not have
    bool with_acls = true;        // of nodes that are created
    bool parents = false;         // create the missing parents of the copy
    bool is_dry_run = false;      // only report
    // A node of the copy was written, or would be.
    std::function<void(Action action, const std::string& path)> report;
    // A node of the copy should be deleted, but has nodes that the original never had.
    std::function<void(const std::string& path)> keep;
  };
  Mirroring(Side original, Side copy, Settings settings);

  // Compares both subtrees, and writes each difference. The omissions are nodes that are not
  // compared.
  void equalize(Omissions& of_original, Omissions& of_copy);
  // Gives these nodes the present state of the original. The paths are as in NodeCopy. Refuses with
  // NoNode if the top of the original is gone: the copy stays.
  void update(const std::vector<std::string>& paths);

 private:
  struct Node {
    std::string path;
    wire::Bytes data;
    wire::Stat stat;
  };
  using Nodes = std::vector<Node>;
  enum class Retry : std::uint8_t { with_parent, none };

  [[nodiscard]] bool copy_exists();
  void write(const NodeDifference& difference);
  void flush();
  void set(const Nodes& nodes);
  void create(Nodes nodes, Retry retry);
  void create_parent_and(Node node);
  void remove(const std::vector<std::string>& paths);
  void remove_subtree(const std::string& path);
  [[nodiscard]] std::vector<std::optional<wire::Acl>> acls_of(Nodes& nodes);
  // Throws Refused for an error.
  [[noreturn]] void refuse(const Side& side, const wire::Error& error, const std::string& path,
                           Effect effect) const;
  void report(Action action, const std::string& path) const;

  Side original_;
  Side copy_;
  Settings settings_;
  Nodes created_;  // of the differences that are not written yet
  Nodes set_;
  std::string removed_;  // a subtree of the copy; empty: none
};

}  // namespace shell
