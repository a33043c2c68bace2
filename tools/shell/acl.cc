#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/shell/acl_words.h"
#include "tools/shell/inbox.h"
#include "tools/shell/print.h"
#include "tools/shell/progress.h"
#include "tools/shell/requests.h"
#include "tools/shell/words.h"

namespace shell {
namespace {

using wire::ErrorCode;
using zabkeeper::Error;

constexpr std::uint32_t acl_page_children = 500;

// Sets the ACL of a node and of all nodes below it. A node comes after the nodes below it, because
// its new ACL may forbid this client to list them.
class SubtreeAcl {
 public:
  SubtreeAcl(zabkeeper::Client& client, wire::Acl acl)
      : client_(client), acl_(std::move(acl)), progress_(STDERR_FILENO) {}

  // Throws Refused. A node that may not be read or changed is only counted.
  void set(const std::string& top) {
    set_below(top);
    set_all({top});
    progress_.clear();
  }
  [[nodiscard]] std::uint64_t done() const { return done_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] const std::string& first_refused() const { return first_refused_; }

 private:
  // A reply for each node of a page. Shared with the client's thread.
  struct Page {
    std::vector<Error> errors;
    std::atomic<std::size_t> awaited = 0;
    Inbox<bool> complete;
  };

  void set_below(const std::string& path) {
    wire::ChildrenRequest request{path, /*with_stat=*/true, false, {}, acl_page_children, {}};
    for (;;) {
      const auto reply = client_.call(request);
      if (reply.has_error() && reply.error().code == ErrorCode::no_node) return;
      if (reply.has_error() && reply.error().code == ErrorCode::no_auth) return note(path);
      if (reply.has_error()) throw Refused{reply.error(), path};
      std::vector<std::string> paths;
      for (const wire::Child& child : reply->children) {
        const std::string whole = join(path, child.name);
        if (whole == "/zookeeper") continue;
        if (!child.stat || child.stat->num_children > 0) set_below(whole);
        paths.push_back(whole);
      }
      set_all(paths);
      if (!reply->more || reply->children.empty()) return;
      request.after = reply->children.back().name;
    }
  }

  void set_all(const std::vector<std::string>& paths) {
    if (interrupted) throw Ended{exit_interrupted, "interrupted"};
    if (paths.empty()) return;
    const auto page = std::make_shared<Page>();
    page->errors.resize(paths.size());
    page->awaited = paths.size();
    for (std::size_t i = 0; i < paths.size(); ++i) {
      client_.async_call(wire::SetAclRequest{paths[i], acl_},
                         [page, i](const Error& error, const wire::AclReply&) {
                           page->errors[i] = error;
                           if (--page->awaited == 0) page->complete.put(true);
                         });
    }
    while (!page->complete.take()) {
    }
    for (std::size_t i = 0; i < paths.size(); ++i) {
      const Error& error = page->errors[i];
      if (!error) ++done_;
      if (error.code == ErrorCode::no_auth) note(paths[i]);
      const bool is_fatal =
          error && error.code != ErrorCode::no_auth && error.code != ErrorCode::no_node;
      if (is_fatal) throw Refused{error, paths[i], Effect::write};
    }
    progress_.show("set " + std::to_string(done_) + " ACLs");
  }

  void note(const std::string& path) {
    if (refused_++ == 0) first_refused_ = path;
  }

  zabkeeper::Client& client_;
  const wire::Acl acl_;
  Progress progress_;
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
  std::string first_refused_;
};

}  // namespace

void Runner::on(const AclCommand& command) {
  const std::string path = absolute(command.path);
  if (!command.sets) {
    const wire::AclReply reply = ask(wire::GetAclRequest{path}, path);
    if (json_) return;
    for (const wire::AclEntry& entry : reply.acl) out_ << word_of(entry) << '\n';
    return;
  }
  if (!command.recursive) {
    ask(wire::SetAclRequest{path, command.acl, command.version}, path);
    return;
  }
  settings_.catch_interrupts();
  expect_node(path);
  SubtreeAcl subtree(client_(), command.acl);
  try {
    subtree.set(path);
  } catch (...) {
    err_ << path << ": " << subtree.done() << " ACLs are set; the same command goes on\n";
    throw;
  }
  if (json_) {
    out_ << json_line({{"set", subtree.done()}, {"refused", subtree.refused()}});
  } else {
    out_ << "set the ACL of " << subtree.done() << (subtree.done() == 1 ? " node\n" : " nodes\n");
  }
  if (subtree.refused() == 0) return;
  err_ << subtree.first_refused();
  if (subtree.refused() > 1) err_ << " and " << subtree.refused() - 1 << " more";
  err_ << ": not allowed (NoAuth)\n";
  exit_code_ = exit_no_auth;
}

void Runner::expect_node(const std::string& path) {
  const wire::ExistsReply reply = ask(wire::ExistsRequest{path, {}}, path, Echo::quiet);
  if (!reply.stat) throw Refused{{ErrorCode::no_node, {}}, path, Effect::read, last_zxid_};
}

}  // namespace shell
