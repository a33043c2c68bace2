#pragma once

#include <string>

#include "tools/shell/node_copy.h"

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

}  // namespace shell
