#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/shell/print.h"
#include "tools/shell/requests.h"
#include "tools/shell/words.h"

// The commands that list nodes.
namespace shell {
namespace {

constexpr std::uint32_t page_children = 1'000;

Row details_of(const std::string& name, const wire::Stat& stat) {
  return {name,
          'v' + std::to_string(stat.version),
          std::to_string(stat.data_length),
          std::to_string(stat.num_children),
          time_text(stat.mtime),
          stat.container                ? "container"
          : stat.ttl_ms                 ? "ttl"
          : stat.ephemeral_owner.none() ? ""
                                        : "ephemeral"};
}

bool has_children(const wire::Child& child) { return child.stat && child.stat->num_children > 0; }

// Prints a table while its rows are found. Columns grow where later rows need it.
class GrowingTable {
 public:
  GrowingTable(Row titles, std::vector<bool> right, std::ostream& out)
      : table_(std::move(right)), rows_{std::move(titles)}, out_(out) {}

  void add(Row row) {
    rows_.push_back(std::move(row));
    if (rows_.size() == rows_max) print();
  }
  void finish() {
    const bool is_empty = is_first_ && rows_.size() == 1;
    if (!is_empty) print();
  }

 private:
  static constexpr std::size_t rows_max = 1'000;

  void print() {
    out_ << table_.text(rows_);
    rows_.clear();
    is_first_ = false;
  }

  Table table_;
  std::vector<Row> rows_;
  bool is_first_ = true;
  std::ostream& out_;
};

}  // namespace

wire::ChildrenReply Runner::for_each_child(const std::string& path, bool with_stat,
                                           const Visit& visit) {
  wire::ChildrenRequest request{path, with_stat, false, {}, page_children, {}};
  for (;;) {
    wire::ChildrenReply reply = ask(request, path, Echo::quiet);
    const std::vector<wire::Child> children = std::exchange(reply.children, {});
    const bool is_last_page = !reply.more || children.empty();
    for (std::size_t i = 0; i < children.size(); ++i) {
      visit(children[i], is_last_page && i + 1 == children.size());
    }
    if (is_last_page) return reply;
    request.after = children.back().name;
  }
}

void Runner::look_below(const std::string& path, const std::function<void()>& action) try {
  action();
} catch (const Refused& refused) {
  const wire::ErrorCode code = refused.error.code;
  if (refused.path == path && code == wire::ErrorCode::no_node) {
    if (vanished_++ == 0) first_vanished_ = path;
  } else if (refused.path == path && code == wire::ErrorCode::no_auth) {
    err_ << error_text(refused.error, path) << "; what is below it is left out\n";
    exit_code_ = exit_code(code, Effect::read);
  } else {
    throw;
  }
}

void Runner::remark_vanished() {
  if (vanished_ == 0) return;
  err_ << first_vanished_;
  if (vanished_ > 1) err_ << " and " << vanished_ - 1 << " more";
  err_ << (vanished_ == 1 ? " was" : " were") << " deleted while the list was made\n";
}

void Runner::list_below(const std::string& path, const VisitPath& visit) {
  for_each_child(path, /*with_stat=*/true, [&](const wire::Child& child, bool) {
    const std::string whole = join(path, child.name);
    visit(whole, child);
    if (has_children(child)) look_below(whole, [&] { list_below(whole, visit); });
  });
}

// The pages as one reply, whose stat is that of the last page.
void Runner::list_as_reply(const Ls& ls, const std::string& path) {
  std::vector<wire::Child> children;
  wire::ChildrenReply reply = for_each_child(
      path, ls.details, [&](const wire::Child& child, bool) { children.push_back(child); });
  reply.children = std::move(children);
  print_json(wire::Reply{{}, last_zxid_, {}, wire::ReplyBody(std::move(reply))});
}

void Runner::on(const Ls& ls) {
  const std::string path = absolute(ls.path);
  if (common_.format == Format::json && !ls.recursive) return list_as_reply(ls, path);

  GrowingTable table({"NAME", "VERSION", "BYTES", "CHILDREN", "CHANGED", ""},
                     {false, true, true, true, false, false}, out_);
  nlohmann::json paths = nlohmann::json::array();
  const auto add = [&](const std::string& name, const wire::Child& child) {
    if (common_.format == Format::jsonl) {
      out_ << child_json(ls.recursive ? "path" : "name", name, child.stat);
    } else if (json_) {
      paths.push_back(name);
    } else if (!ls.details) {
      out_ << name << (ls.null ? '\0' : '\n');
    } else if (common_.format == Format::raw && child.stat) {
      out_ << raw_line(details_of(name, *child.stat));
    } else {
      table.add(child.stat ? details_of(name, *child.stat) : Row{name});
    }
  };
  if (ls.recursive) {
    list_below(path, add);
  } else {
    for_each_child(path, ls.details,
                   [&](const wire::Child& child, bool) { add(child.name, child); });
  }
  if (common_.format == Format::json) {
    out_ << json_line({{"paths", std::move(paths)}});
  } else if (ls.details && common_.format == Format::table) {
    table.finish();
  }
  remark_vanished();
}

void Runner::print_tree(const std::string& path, const std::string& indent, std::size_t& count) {
  for_each_child(path, /*with_stat=*/true, [&](const wire::Child& child, bool is_last) {
    const bool is_ephemeral = child.stat && !child.stat->ephemeral_owner.none();
    out_ << indent << (is_last ? "└── " : "├── ") << child.name
         << (is_ephemeral ? " (ephemeral)" : "") << '\n';
    ++count;
    if (!has_children(child)) return;
    const std::string whole = join(path, child.name);
    look_below(whole, [&] { print_tree(whole, indent + (is_last ? "    " : "│   "), count); });
  });
}

void Runner::on(const Tree& tree) {
  const std::string path = absolute(tree.path);
  if (json_) return on(Ls{.path = path, .recursive = true});
  out_ << path << '\n';
  std::size_t count = 0;
  print_tree(path, "", count);
  out_ << count << (count == 1 ? " node below\n" : " nodes below\n");
  remark_vanished();
}

}  // namespace shell
