#include <cstdint>
#include <utility>
#include <vector>

#include "tools/shell/child_pages.h"
#include "tools/shell/omissions.h"
#include "tools/shell/print.h"
#include "tools/shell/regular_flush.h"
#include "tools/shell/requests.h"
#include "tools/shell/tree_walk.h"
#include "wire/field_writer.h"
#include "wire/json_text.h"

// The commands that list nodes.
namespace shell {
namespace {

using Json = wire::json::JsonSyntax;

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

// Prints a table in parts, while its rows are found. Later rows may make columns wider.
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

// Prints names in the form that the options of `ls` ask for. With `jsonl`, `field` is the field of
// the name.
class NameList {
 public:
  NameList(const char* field, const Ls& ls, Format format, std::ostream& out)
      : field_(field),
        ls_(ls),
        format_(format),
        out_(out),
        table_({"NAME", "VERSION", "BYTES", "CHILDREN", "CHANGED", ""},
               {false, true, true, true, false, false}, out) {}

  void add(const std::string& name, const std::optional<wire::Stat>& stat) {
    if (format_ == Format::jsonl) {
      out_ << child_json(field_, name, stat);
    } else if (!ls_.details) {
      out_ << name << (ls_.null ? '\0' : '\n');
    } else if (format_ == Format::raw) {
      out_ << raw_line(stat ? details_of(name, *stat) : Row{name});
    } else {
      table_.add(stat ? details_of(name, *stat) : Row{name});
    }
  }
  void finish() {
    if (ls_.details && format_ == Format::table) table_.finish();
  }

 private:
  const char* field_;
  const Ls& ls_;
  Format format_;
  std::ostream& out_;
  GrowingTable table_;
};

// Prints a JSON array, each item at once. If the command fails, it prints a newline, so that the
// error begins on a new line.
class JsonArray {
 public:
  JsonArray(const char* field, std::ostream& out) : out_(out) { out_ << "{\"" << field << "\":["; }
  ~JsonArray() {
    if (is_complete_) return;
    try {
      out_ << '\n';
    } catch (...) {  // only the first failure is reported
    }
  }
  JsonArray(const JsonArray&) = delete;
  JsonArray& operator=(const JsonArray&) = delete;

  void add_string(std::string_view text) {
    item_.clear();
    wire::json::append_string(text, item_);
    print_item();
  }
  void add_object(const auto& value) {
    item_.clear();
    {
      wire::ObjectWriter<Json> object(item_);
      wire::FieldWriter<Json>(object).write(value);
    }
    print_item();
  }
  // `rest`: further fields, each with a comma before it.
  void finish(const std::string& rest = {}) {
    is_complete_ = true;
    out_ << ']' << rest << "}\n";
  }

 private:
  void print_item() {
    if (!std::exchange(is_first_, false)) out_ << ',';
    out_ << item_;
  }

  std::ostream& out_;
  std::string item_;
  bool is_first_ = true;
  bool is_complete_ = false;
};

// The fields of a reply after its children.
std::string fields_behind(const ChildPages::Page& page) {
  std::string text;
  {
    wire::ObjectWriter<Json> object(text);
    {
      wire::ObjectWriter<Json> stat(object.field("stat"));
      wire::FieldWriter<Json>(stat).write(page.reply.stat);
    }
    object.boolean("more", false);
    object.hex("zxid", page.zxid.bits());
  }
  return ',' + text.substr(1, text.size() - 2);
}

// The remarks on a node of a tree, e.g. " (ephemeral, 12 bytes)".
std::string marks_of(const WalkedNode& node, bool sizes) {
  if (!node.stat) return {};
  std::vector<std::string> marks;
  if (!node.stat->ephemeral_owner.none()) marks.emplace_back("ephemeral");
  if (sizes) {
    marks.push_back(count_text(static_cast<std::uint64_t>(node.stat->data_length), "byte"));
    if (node.has_children()) {
      const auto children = static_cast<std::uint64_t>(node.stat->num_children);
      marks.push_back(count_text(children, "child", "children"));
    }
  }
  std::string text;
  for (const std::string& mark : marks) text += (text.empty() ? " (" : ", ") + mark;
  return text.empty() ? text : text + ')';
}

// Draws nodes in the order of a walk.
class TreeDrawing {
 public:
  TreeDrawing(bool sizes, std::ostream& out) : sizes_(sizes), out_(out) {}

  void add(const WalkedNode& node) {
    if (node.depth == 0) {
      out_ << node.path << marks_of(node, sizes_) << '\n';
      return;
    }
    indents_.resize(node.depth);
    out_ << indents_.back() << (node.is_last ? "└── " : "├── ") << node.name
         << marks_of(node, sizes_) << '\n';
    indents_.push_back(indents_.back() + (node.is_last ? "    " : "│   "));
    ++nodes_;
    if (node.stat) bytes_ += static_cast<std::uint64_t>(node.stat->data_length);
  }
  void finish() {
    out_ << count_text(nodes_, "node") << " below";
    if (sizes_) out_ << ", " << count_text(bytes_, "byte") << " of data";
    out_ << '\n';
  }

 private:
  bool sizes_;
  std::ostream& out_;
  std::vector<std::string> indents_{""};  // for the children of the last node and its ancestors
  std::uint64_t nodes_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

void Runner::on(const Ls& ls) {
  if (ls.recursive) return list_below(absolute(ls.path), ls);
  ChildPages pages(client_(), absolute(ls.path), {.stat = ls.details});
  ChildPages::Page page = pages.next();
  const auto for_each_page = [&](auto add) {
    for (;; page = pages.next()) {
      for (const wire::Child& child : page.reply.children) add(child);
      out_.flush();
      if (!page.reply.more) return;
      if (interrupted) throw Interrupted{};
    }
  };
  if (common_.format == Format::json) {
    JsonArray children("children", out_);
    for_each_page([&](const wire::Child& child) {
      ls.details ? children.add_object(child) : children.add_string(child.name);
    });
    children.finish(fields_behind(page));
  } else {
    NameList list("name", ls, common_.format, out_);
    for_each_page([&](const wire::Child& child) { list.add(child.name, child.stat); });
    list.finish();
  }
}

void Runner::list_below(const std::string& path, const Ls& ls, std::size_t depth_max) {
  Omissions omissions(err_);
  TreeWalk walk(client_(), path, {.depth_max = depth_max}, omissions);
  (void)walk.next();  // `path` itself
  RegularFlush flush(out_);
  const auto for_each_node = [&](auto add) {
    while (const auto node = walk.next()) {
      add(*node);
      flush.tick();
    }
  };
  if (common_.format == Format::json) {
    JsonArray paths("paths", out_);
    for_each_node([&](const WalkedNode& node) { paths.add_string(node.path); });
    paths.finish();
  } else {
    NameList list("path", ls, common_.format, out_);
    for_each_node([&](const WalkedNode& node) { list.add(node.path, node.stat); });
    list.finish();
  }
  exit_code_ = omissions.finish();
}

void Runner::on(const Tree& tree) {
  const std::string path = absolute(tree.path);
  if (json_) return list_below(path, Ls{.recursive = true}, tree.depth_max);
  Omissions omissions(err_);
  TreeWalk walk(client_(), path, {.depth_max = tree.depth_max}, omissions);
  RegularFlush flush(out_);
  TreeDrawing drawing(tree.sizes, out_);
  while (const auto node = walk.next()) {
    drawing.add(*node);
    flush.tick();
  }
  drawing.finish();
  exit_code_ = omissions.finish();
}

}  // namespace shell
