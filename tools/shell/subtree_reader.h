#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/client.h"
#include "tools/shell/node_copy.h"

namespace shell {

// Reads a node and all nodes below it: parents before children, page by page, with many requests
// outstanding. It keeps a bounded part of the subtree in memory. All functions throw Refused.
//
// A watch of the whole subtree counts the changes that are made meanwhile. If there are none, all
// nodes are as they were at one zxid. A change of only an ACL causes no event, so it is not
// counted.
class SubtreeReader {
 public:
  struct Settings {
    bool with_acls = true;
    bool with_ephemerals = false;
    // Asked while it waits. If it returns true, `next` throws Ended.
    std::function<bool()> is_interrupted = [] { return false; };
  };

  SubtreeReader(zabkeeper::Client& client, std::string path, Settings settings);
  ~SubtreeReader();
  SubtreeReader(const SubtreeReader&) = delete;
  SubtreeReader& operator=(const SubtreeReader&) = delete;

  // Begins to watch. Returns the zxid of the state that the watch begins with. Call it first.
  wire::Zxid begin();
  // Some nodes; none at the end.
  std::vector<NodeCopy> next();

  // Whether nodes may follow. After the first call of `next`: whether the top has children.
  [[nodiscard]] bool has_more() const { return !tasks_.empty() || outstanding_ > 0; }

  // Remarks on the nodes that `next` has read so far.
  struct Remarks {
    std::uint64_t ephemerals = 0;  // left out
    std::uint64_t unreadable = 0;  // left out, with all that is below them
    std::string first_unreadable;
    std::uint64_t hidden_hashes = 0;  // nodes whose ACL has one
  };
  [[nodiscard]] const Remarks& remarks() const { return remarks_; }
  // Changes in the subtree since `begin`, up to the state of the last page. An unknown number of
  // changes counts as one.
  [[nodiscard]] std::uint64_t changes() const;

 private:
  // Children of a node to be listed: those after `after`.
  struct Task {
    std::string path;  // below the top
    std::optional<std::string> after = {};
    std::size_t children = 0;  // about
  };
  struct Page;
  struct Arrivals;  // shared with the client's thread

  std::vector<NodeCopy> read_top();
  void send_tasks();
  void send(Task task);
  [[nodiscard]] std::size_t bytes_of(const Task& task) const;
  [[nodiscard]] std::uint32_t page_children() const;
  // Returns null if no page is complete yet.
  std::shared_ptr<Page> wait_for_page();
  void ask_for_acls(const std::shared_ptr<Page>& page);
  std::vector<NodeCopy> on_complete(Page& page);
  // Also notes which of them have children.
  std::vector<NodeCopy> copies_of(Page& page);
  NodeCopy copy_of(std::string path, wire::Child&& child, std::optional<wire::Acl>&& acl);
  [[nodiscard]] static Task rest_of(const Page& page);
  [[nodiscard]] bool is_left_out(const wire::Child& child) const;
  void leave_out(const std::string& relative);

  zabkeeper::Client& client_;
  const std::string top_;
  const Settings settings_;
  const std::shared_ptr<Arrivals> arrivals_;
  std::optional<wire::RequestId> watch_;
  bool top_was_read_ = false;
  std::vector<Task> tasks_;  // the last one is next
  std::size_t outstanding_ = 0;
  std::size_t outstanding_bytes_ = 0;  // about
  std::size_t child_bytes_ = 1024;     // about, from the last pages
  Remarks remarks_;
};

}  // namespace shell
