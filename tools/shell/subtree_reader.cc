#include "tools/shell/subtree_reader.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <ranges>
#include <utility>
#include <variant>

#include "client-lib/block.h"
#include "tools/shell/inbox.h"
#include "tools/shell/refused.h"
#include "tools/shell/words.h"

namespace shell {
namespace {

using wire::ErrorCode;
using zabkeeper::Error;

constexpr std::size_t children_max = 1'000;  // of a page
constexpr std::size_t page_bytes = std::size_t{1} << 20;
constexpr std::size_t pages_max = 64;
constexpr std::size_t pages_bytes_max = std::size_t{8} << 20;
// If more nodes than this wait to be listed, only one is listed at a time, the deepest. So their
// number is bounded.
constexpr std::size_t tasks_max = 20'000;

bool is_skipped(std::string_view top, std::string_view name) {
  return top == "/" && name == "zookeeper";  // belongs to the servers
}

wire::WatchRequest watch_of_subtree(const std::string& top) {
  wire::WatchRequest request;
  request.path = top;
  request.scope = wire::WatchScope::subtree;
  return request;
}

std::string below(const std::string& parent, const std::string& name) {
  return parent == top_of_subtree ? name : parent + '/' + name;
}

}  // namespace

// Children of a node, with their ACLs. The client's thread fills a page. It does not touch the page
// after it has put it into the inbox for the last time.
struct SubtreeReader::Page {
  Task task;
  std::size_t bytes = 0;  // as they were counted when it was asked for
  std::optional<Error> error = {};
  wire::ChildrenReply reply = {};
  enum class ChildState : std::uint8_t { kept, deleted, unreadable };
  std::vector<ChildState> states = {};  // of each child
  std::vector<std::optional<wire::Acl>> acls = {};
  std::atomic<std::size_t> acls_awaited = 0;
  bool is_continued = false;
};

struct SubtreeReader::Arrivals {
  struct Arrival {
    std::shared_ptr<Page> page;
    bool is_complete = false;
  };

  Inbox<Arrival> inbox;
  std::atomic<std::uint64_t> changes = 0;
};

SubtreeReader::SubtreeReader(zabkeeper::Client& client, std::string path, Settings settings)
    : client_(client),
      top_(std::move(path)),
      settings_(std::move(settings)),
      arrivals_(std::make_shared<Arrivals>()) {}

SubtreeReader::~SubtreeReader() {
  if (watch_) client_.async_unwatch(*watch_, [](const Error&, const wire::EmptyReply&) {});
}

wire::Zxid SubtreeReader::begin() {
  // A sync, so that the reader sees all changes that were acknowledged before.
  const auto synced = client_.ask(wire::SyncRequest{"/"});
  if (synced.result.has_error()) throw Refused{synced.result.error(), top_};
  const auto reply = client_.ask(
      watch_of_subtree(top_),
      [arrivals = arrivals_](const zabkeeper::Result<wire::WatchEvent>&) { ++arrivals->changes; });
  if (reply.result.has_error()) throw Refused{reply.result.error(), top_};
  const auto& watch = std::get<wire::WatchReply>(*reply.result);
  watch_ = watch.watch;
  if (!watch.stat) throw Refused{{ErrorCode::no_node, {}}, top_, Effect::read, reply.zxid};
  return reply.zxid;
}

std::uint64_t SubtreeReader::changes() const { return arrivals_->changes; }

std::vector<NodeCopy> SubtreeReader::next() {
  if (!std::exchange(top_was_read_, true)) return read_top();
  for (;;) {
    send_tasks();
    if (outstanding_ == 0) return {};
    const std::shared_ptr<Page> page = wait_for_page();
    if (!page) continue;
    std::vector<NodeCopy> nodes = on_complete(*page);
    if (!nodes.empty()) {
      send_tasks();  // before the caller does something with the nodes
      return nodes;
    }
  }
}

std::vector<NodeCopy> SubtreeReader::read_top() {
  // This uses a handler, because handlers and events keep their order. So all events of earlier
  // changes are counted before the reply.
  auto reply = zabkeeper::block<wire::GetReply>(
      [&](auto handler) { client_.async_get(top_, std::move(handler)); });
  if (reply.has_error()) throw Refused{reply.error(), top_};
  std::optional<wire::Acl> acl;
  if (settings_.with_acls) {
    auto found = client_.call(wire::GetAclRequest{top_});
    if (found.has_error()) throw Refused{found.error(), top_};
    if (found->acl != wire::open_acl()) acl = std::move(found->acl);
  }
  if (reply->stat.num_children > 0) {
    tasks_.push_back({std::string(top_of_subtree), std::nullopt,
                      static_cast<std::size_t>(reply->stat.num_children)});
  }
  send_tasks();
  std::vector<NodeCopy> nodes;
  nodes.push_back(copy_of(std::string(top_of_subtree), {{}, reply->stat, std::move(reply->data)},
                          std::move(acl)));
  return nodes;
}

std::size_t SubtreeReader::bytes_of(const Task& task) const {
  return std::min<std::size_t>(task.children + 1, page_children()) * child_bytes_;
}

std::uint32_t SubtreeReader::page_children() const {
  return static_cast<std::uint32_t>(
      std::clamp(page_bytes / child_bytes_, std::size_t{1}, children_max));
}

void SubtreeReader::send_tasks() {
  const std::size_t max = tasks_.size() > tasks_max ? 1 : pages_max;
  while (!tasks_.empty() && outstanding_ < max) {
    const std::size_t bytes = bytes_of(tasks_.back());
    if (outstanding_ > 0 && outstanding_bytes_ + bytes > pages_bytes_max) return;
    Task task = std::move(tasks_.back());
    tasks_.pop_back();
    send(std::move(task));
  }
}

void SubtreeReader::send(Task task) {
  wire::ChildrenRequest request{
      path_below(top_, task.path), /*with_stat=*/true,
      /*with_data=*/true,          task.after,         page_children(), {}};
  const auto page = std::make_shared<Page>();
  page->bytes = bytes_of(task);
  page->task = std::move(task);
  ++outstanding_;
  outstanding_bytes_ += page->bytes;
  client_.async_call(std::move(request),
                     [page, arrivals = arrivals_, with_acls = settings_.with_acls](
                         const Error& error, wire::ChildrenReply reply) {
                       if (error) page->error = error;
                       page->reply = std::move(reply);
                       const bool is_complete = !with_acls || page->reply.children.empty();
                       arrivals->inbox.put({page, is_complete});
                     });
}

std::shared_ptr<SubtreeReader::Page> SubtreeReader::wait_for_page() {
  const auto arrival = arrivals_->inbox.take();
  if (settings_.is_interrupted()) throw Ended{exit_interrupted, "interrupted"};
  if (!arrival) return nullptr;
  if (arrival->is_complete) return arrival->page;
  // The next page is requested before the ACLs of this one, so that the server is never idle.
  const wire::ChildrenReply& listed = arrival->page->reply;
  const bool has_leaves_only = std::ranges::none_of(listed.children, [](const wire::Child& child) {
    return child.stat && child.stat->num_children > 0;
  });
  if (listed.more && has_leaves_only) {
    arrival->page->is_continued = true;
    tasks_.push_back(rest_of(*arrival->page));
    send_tasks();
  }
  ask_for_acls(arrival->page);
  return nullptr;
}

void SubtreeReader::ask_for_acls(const std::shared_ptr<Page>& page) {
  const std::vector<wire::Child>& children = page->reply.children;
  page->acls.resize(children.size());
  page->states.resize(children.size());
  // The count begins at one, so that no reply completes the page before all ACLs are requested.
  page->acls_awaited = 1;
  const auto count_down = [page, arrivals = arrivals_] {
    if (--page->acls_awaited == 0) arrivals->inbox.put({page, true});
  };
  const std::string parent = path_below(top_, page->task.path);
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (!children[i].stat || is_left_out(children[i])) continue;
    ++page->acls_awaited;
    client_.async_call(
        wire::GetAclRequest{join(parent, children[i].name)},
        [page = page.get(), i, count_down](const Error& error, wire::AclReply reply) {
          if (error.code == ErrorCode::no_node) {
            page->states[i] = Page::ChildState::deleted;
          } else if (error.code == ErrorCode::no_auth) {
            page->states[i] = Page::ChildState::unreadable;
          } else if (error) {
            page->error = error;
          } else if (reply.acl != wire::open_acl()) {
            page->acls[i] = std::move(reply.acl);
          }
          count_down();
        });
  }
  count_down();
}

std::vector<NodeCopy> SubtreeReader::on_complete(Page& page) {
  --outstanding_;
  outstanding_bytes_ -= page.bytes;
  if (page.error) {
    // Deleted after it was listed: one of the changes that are counted.
    if (page.error->code == ErrorCode::no_node && page.task.path != top_of_subtree) return {};
    if (page.error->code == ErrorCode::no_auth)
      return leave_out(page.task.path), std::vector<NodeCopy>{};
    throw Refused{*page.error, page.error->path};
  }
  page.states.resize(page.reply.children.size());
  page.acls.resize(page.reply.children.size());
  if (page.reply.more && !page.is_continued && !page.reply.children.empty()) {
    tasks_.push_back(rest_of(page));
  }
  return copies_of(page);
}

std::vector<NodeCopy> SubtreeReader::copies_of(Page& page) {
  std::vector<NodeCopy> nodes;
  nodes.reserve(page.reply.children.size());
  std::vector<Task> tasks;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < page.reply.children.size(); ++i) {
    wire::Child& child = page.reply.children[i];
    const std::string path = below(page.task.path, child.name);
    if (is_skipped(top_, path) || page.states[i] == Page::ChildState::deleted) continue;
    if (!child.stat || page.states[i] == Page::ChildState::unreadable) {
      leave_out(path);
      continue;
    }
    if (is_left_out(child)) {
      ++remarks_.ephemerals;
      continue;
    }
    bytes += child.data ? child.data->size() : 0;
    if (child.stat->num_children > 0) {
      tasks.push_back({path, std::nullopt, static_cast<std::size_t>(child.stat->num_children)});
    }
    nodes.push_back(copy_of(path, std::move(child), std::move(page.acls[i])));
  }
  std::ranges::move(std::views::reverse(tasks), std::back_inserter(tasks_));
  constexpr std::size_t stat_bytes = 512;
  const std::size_t average = stat_bytes + bytes / std::max<std::size_t>(nodes.size(), 1);
  child_bytes_ = std::max(average, child_bytes_ / 2);
  return nodes;
}

NodeCopy SubtreeReader::copy_of(std::string path, wire::Child&& child,
                                std::optional<wire::Acl>&& acl) {
  const wire::Stat& stat = *child.stat;
  if (acl && has_hidden_hash(*acl)) ++remarks_.hidden_hashes;
  NodeCopy node{std::move(path), child.data ? std::move(*child.data) : wire::Bytes()};
  node.kind = stat.container                ? NodeCopy::Kind::container
              : stat.ttl_ms                 ? NodeCopy::Kind::ttl
              : stat.ephemeral_owner.none() ? NodeCopy::Kind::persistent
                                            : NodeCopy::Kind::ephemeral;
  node.ttl_ms = stat.ttl_ms;
  node.acl = std::move(acl);
  node.mzxid = stat.mzxid;
  return node;
}

SubtreeReader::Task SubtreeReader::rest_of(const Page& page) {
  const std::size_t listed = page.reply.children.size();
  return {page.task.path, page.reply.children.back().name,
          page.task.children > listed ? page.task.children - listed : listed};
}

bool SubtreeReader::is_left_out(const wire::Child& child) const {
  return !settings_.with_ephemerals && child.stat && !child.stat->ephemeral_owner.none();
}

void SubtreeReader::leave_out(const std::string& relative) {
  if (remarks_.unreadable++ == 0) remarks_.first_unreadable = path_below(top_, relative);
}

}  // namespace shell
