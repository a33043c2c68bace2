#include <cstdint>
#include <string>
#include <unistd.h>
#include <vector>

#include "tools/shell/omissions.h"
#include "tools/shell/print.h"
#include "tools/shell/progress.h"
#include "tools/shell/requests.h"
#include "tools/shell/subtree_sizes.h"
#include "tools/shell/tree_walk.h"
#include "wire/json_text.h"

// The command that adds up the bytes and nodes of subtrees.
namespace shell {
namespace {

std::string sum_line(const SubtreeSizes::Sum& sum) {
  std::string text;
  {
    wire::ObjectWriter<wire::json::JsonSyntax> object(text);
    object.string("path", sum.path);
    object.integer("bytes", sum.bytes);
    object.integer("nodes", sum.nodes);
  }
  return text + '\n';
}

}  // namespace

void Runner::on(const Du& du) {
  Omissions omissions(err_);
  TreeWalk walk(client_(), absolute(du.path), {}, omissions);
  SubtreeSizes sizes({du.depth, du.rows});
  Progress progress(STDERR_FILENO);
  std::uint64_t nodes = 0;
  while (const auto node = walk.next()) {
    sizes.add(*node);
    if (++nodes % 1'024 == 0) progress.show(count_text(nodes, "node"));
  }
  progress.clear();
  SubtreeSizes::Report report = sizes.finish();
  report.rows.push_back(std::move(report.total));

  if (json_) {
    for (const SubtreeSizes::Sum& sum : report.rows) out_ << sum_line(sum);
  } else if (common_.format == Format::raw) {
    for (const SubtreeSizes::Sum& sum : report.rows) {
      out_ << raw_line({std::to_string(sum.bytes), std::to_string(sum.nodes), sum.path});
    }
  } else {
    std::vector<Row> rows{{"BYTES", "NODES", "PATH"}};
    for (const SubtreeSizes::Sum& sum : report.rows) {
      rows.push_back({std::to_string(sum.bytes), std::to_string(sum.nodes), sum.path});
    }
    rows.back().back() += " (total)";
    out_ << table(rows, {true, true, false});
  }
  if (report.left_out > 0) {
    err_ << count_text(report.left_out, "smaller subtree") << " not shown; -n shows more\n";
  }
  exit_code_ = omissions.finish();
}

}  // namespace shell
