#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/shell/location.h"
#include "tools/shell/node_copy.h"
#include "wire/records.h"

// The commands that change many nodes, or carry them to another place, as values.
namespace shell {

struct Export {
  std::string path;
  std::string file = "-";  // standard output
  bool no_acls = false;
  bool ephemerals = false;
};
struct Import {
  std::string file;  // `-`: standard input
  std::string path;  // empty: that of the export
  Existing existing = Existing::refuse;
  bool parents = false;
  bool dry_run = false;
  bool partial = false;  // even if the end of the export is missing
  bool no_acls = false;
};

struct Copy {
  std::string from;
  std::string to;
  bool recursive = false;
  bool parents = false;
};
struct Move {
  std::string from;
  std::string to;
  bool parents = false;
  bool in_parts = false;  // where it does not fit into one transaction
};

// Keeps one subtree equal to another.
struct Mirror {
  Location from = {};
  Location to = {};
  bool deletes = false;  // nodes of `to` that `from` does not have
  bool parents = false;
  bool once = false;
  bool dry_run = false;
  bool no_acls = false;
};

struct AclCommand {
  std::string path;
  bool sets = false;  // else it prints the ACL
  wire::Acl acl = {};
  bool recursive = false;
  std::int32_t version = wire::any_version;  // of the ACL
};
struct QuotaLimit {
  std::optional<std::int64_t> max;  // none: removes the limit
};
// Without limits: prints the quota.
struct Quota {
  std::string path;
  std::optional<QuotaLimit> nodes = {};
  std::optional<QuotaLimit> bytes = {};
};

// A script of operations that are one transaction.
struct Multi {
  std::string file = "-";  // standard input
};

// Opens a node's data in an editor, and sets what was edited.
struct Edit {
  std::string path;
};

}  // namespace shell
