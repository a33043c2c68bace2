#include "tools/shell/subtree_writer.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <optional>
#include <thread>
#include <utility>
#include <variant>

#include "tools/shell/inbox.h"
#include "tools/shell/refused.h"

namespace shell {
namespace {

using std::chrono::milliseconds;
using wire::ErrorCode;
using zabkeeper::Error;

// A transaction of so many nodes takes the leader a few milliseconds. Other clients wait for that
// time.
constexpr std::size_t batch_items_max = 250;
constexpr std::size_t batch_bytes_max = std::size_t{256} << 10;
constexpr std::size_t batches_max = 8;
constexpr std::size_t batches_bytes_max = std::size_t{4} << 20;

constexpr int alone_attempts_max = 8;
constexpr milliseconds alone_first_pause{50};

// Whether a server has no room, or the batch is too large for one transaction. Nothing was done.
bool is_lack_of_room(ErrorCode code) {
  return code == ErrorCode::overloaded || code == ErrorCode::throttled ||
         code == ErrorCode::too_large;
}

}  // namespace

struct SubtreeWriter::Item {
  NodeCopy node;
  std::string path;
  std::string origin;
  Action action = Action::create;
  bool sets_acl = false;  // of a node that exists
};

// The client's thread fills it until its stage is `probed` or `written`.
struct SubtreeWriter::Batch {
  Items items = {};
  std::size_t bytes = 0;
  Stage stage = Stage::probing;
  std::atomic<std::size_t> probes_awaited = 0;
  std::vector<std::optional<wire::Acl>> found = {};  // the ACLs of nodes that exist
  std::optional<Error> error = {};
  std::optional<std::size_t> failed = {};  // the item whose error it is
};

struct SubtreeWriter::Arrivals {
  Inbox<std::shared_ptr<Batch>> inbox;
};

SubtreeWriter::SubtreeWriter(zabkeeper::Client& client, Settings settings)
    : client_(client),
      settings_(std::move(settings)),
      arrivals_(std::make_shared<Arrivals>()),
      next_(std::make_shared<Batch>()),
      items_max_(batch_items_max) {}

void SubtreeWriter::add(NodeCopy node, std::string origin) {
  // The root always exists.
  if (settings_.top == "/" && node.path == top_of_subtree &&
      settings_.existing == Existing::refuse) {
    return;
  }
  std::string path = path_below(settings_.top, node.path);
  const std::size_t bytes = bytes_of(node) + path.size();
  const bool is_full = next_->items.size() >= items_max_ ||
                       (!next_->items.empty() && next_->bytes + bytes > batch_bytes_max);
  if (is_full) send_batch();
  next_->bytes += bytes;
  next_->items.push_back({std::move(node), std::move(path), std::move(origin)});
  // The top is written alone. So nothing is written if the top is refused.
  if (next_->items.back().node.path != top_of_subtree) return;
  send_batch();
  wait_until(0);
}

void SubtreeWriter::finish() {
  if (!next_->items.empty()) send_batch();
  wait_until(0);
}

void SubtreeWriter::send_batch() {
  const auto batch = std::exchange(next_, std::make_shared<Batch>());
  wait_until(outstanding_bytes_ + batch->bytes > batches_bytes_max ? 0 : batches_max - 1);
  outstanding_.push_back(batch);
  outstanding_bytes_ += batch->bytes;
  if (settings_.existing == Existing::refuse && !settings_.is_dry_run) {
    batch->stage = Stage::writing;
    write(batch);
  } else {
    batch->stage = Stage::probing;
    probe(batch);
  }
}

// Reads the ACL of each node. It shows whether the node exists, and whether its ACL must be set.
void SubtreeWriter::probe(const std::shared_ptr<Batch>& batch) {
  batch->found.resize(batch->items.size());
  batch->probes_awaited = batch->items.size();
  for (std::size_t i = 0; i < batch->items.size(); ++i) {
    client_.async_call(wire::GetAclRequest{batch->items[i].path},
                       [batch, i, arrivals = arrivals_](const Error& error, wire::AclReply reply) {
                         if (!error || error.code == ErrorCode::no_auth) {
                           batch->found[i] = std::move(reply.acl);
                         } else if (error.code != ErrorCode::no_node) {
                           batch->error = error;
                         }
                         if (--batch->probes_awaited == 0) arrivals->inbox.put(batch);
                       });
  }
}

void SubtreeWriter::decide(Batch& batch) {
  if (batch.error) refuse(*batch.error, nullptr);
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    Item& item = batch.items[i];
    if (!batch.found[i]) {
      item.action = Action::create;
    } else if (settings_.existing == Existing::overwrite) {
      item.action = Action::overwrite;
      item.sets_acl =
          settings_.sets_acls && *batch.found[i] != item.node.acl.value_or(wire::open_acl());
    } else {
      item.action = settings_.existing == Existing::skip ? Action::skip : Action::refuse;
    }
    if (settings_.is_dry_run) settings_.report(item.path, item.action);
  }
  batch.found.clear();
}

wire::MultiRequest SubtreeWriter::request_for(const Items& items) const {
  wire::MultiRequest request;
  for (const Item& item : items) {
    const NodeCopy& node = item.node;
    if (item.action == Action::create) {
      const bool has_parents = !settings_.parents || node.path != top_of_subtree;
      request.ops.emplace_back(create_request(
          node, item.path, has_parents ? Parents::must_exist : Parents::are_created));
    } else if (item.action == Action::overwrite) {
      request.ops.emplace_back(wire::SetRequest{item.path, node.data});
    }
  }
  return request;
}

void SubtreeWriter::write(const std::shared_ptr<Batch>& batch) {
  wire::MultiRequest request = request_for(batch->items);
  if (request.ops.empty() || settings_.is_dry_run) {
    arrivals_->inbox.put(batch);
    return;
  }
  client_.async_call(std::move(request), [batch, arrivals = arrivals_](
                                             const Error& error, const wire::MultiReply& reply) {
    if (error) batch->error = error;
    if (!error && reply.failed) {
      batch->error = Error(reply.results[*reply.failed].error());
      batch->failed = reply.failed;
    }
    arrivals->inbox.put(batch);
  });
}

void SubtreeWriter::wait_until(std::size_t outstanding_max) {
  while (outstanding_.size() > outstanding_max) {
    const auto arrived = arrivals_->inbox.take();
    if (settings_.is_interrupted()) throw Ended{exit_interrupted, "interrupted"};
    if (!arrived) continue;
    Stage& stage = (*arrived)->stage;
    stage = stage == Stage::probing ? Stage::probed : Stage::written;
    if (!lacks_room_) write_probed();
    conclude_written();
  }
}

// Writes batches in order, because a batch may have the parents of the next one.
void SubtreeWriter::write_probed() {
  for (const auto& batch : outstanding_) {
    if (batch->stage == Stage::probing) return;
    if (batch->stage != Stage::probed) continue;
    decide(*batch);
    batch->stage = Stage::writing;
    write(batch);
  }
}

void SubtreeWriter::conclude_written() {
  while (!outstanding_.empty() && outstanding_.front()->stage == Stage::written) {
    Batch& batch = *outstanding_.front();
    if (batch.error && !lacks_room_) {
      if (!is_lack_of_room(batch.error->code)) {
        refuse(*batch.error, batch.failed ? item_of(batch.items, *batch.failed) : nullptr);
      }
      lacks_room_ = true;
    }
    // Batches that were sent after it fail too if they need its nodes. So wait for their replies.
    const bool is_writing = std::ranges::any_of(
        outstanding_, [](const auto& each) { return each->stage == Stage::writing; });
    if (lacks_room_ && is_writing) return;
    if (batch.error) {
      write_alone(std::move(batch.items));
    } else {
      count(batch.items);
    }
    outstanding_bytes_ -= batch.bytes;
    outstanding_.pop_front();
  }
  if (!std::exchange(lacks_room_, false)) return;
  write_probed();
}

void SubtreeWriter::write_alone(Items items) {
  milliseconds pause = alone_first_pause;
  for (int attempt = 1; !items.empty(); ++attempt) {
    const auto reply = client_.ask(request_for(items));
    const wire::MultiReply* multi =
        reply.result.has_error() ? nullptr : std::get_if<wire::MultiReply>(&*reply.result);
    if (!reply.result.has_error() && (multi == nullptr || !multi->failed)) return count(items);
    const std::optional<std::size_t> failed = multi ? multi->failed : std::nullopt;
    const wire::Error error =
        multi ? multi->results[*multi->failed].error() : wire::Error(reply.result.error());
    const bool is_last = attempt == alone_attempts_max;
    if (error.code == ErrorCode::too_large && items.size() > 1) {
      items_max_ = std::min(items_max_, items.size() / 2);
      const auto middle = items.begin() + static_cast<std::ptrdiff_t>(items.size() / 2);
      write_alone(Items(std::make_move_iterator(items.begin()), std::make_move_iterator(middle)));
      items.erase(items.begin(), middle);
      attempt = 0;
    } else if (error.code == ErrorCode::too_large || !is_lack_of_room(error.code) || is_last) {
      refuse(error, failed ? item_of(items, *failed) : &items.front());
    } else {
      std::this_thread::sleep_for(pause);
      pause *= 2;
    }
  }
}

const SubtreeWriter::Item* SubtreeWriter::item_of(const Items& items, std::size_t operation) {
  for (const Item& item : items) {
    if (item.action != Action::create && item.action != Action::overwrite) continue;
    if (operation-- == 0) return &item;
  }
  return nullptr;
}

void SubtreeWriter::count(const Items& items) {
  for (const Item& item : items) {
    switch (item.action) {
      case Action::create: ++counts_.created; break;
      case Action::overwrite: ++counts_.overwritten; break;
      case Action::skip: ++counts_.skipped; break;
      case Action::refuse: ++counts_.refused; break;
    }
    if (!item.sets_acl || settings_.is_dry_run) continue;
    const auto reply =
        client_.call(wire::SetAclRequest{item.path, item.node.acl.value_or(wire::open_acl())});
    if (reply.has_error()) refuse(reply.error(), &item);
  }
}

void SubtreeWriter::refuse(const wire::Error& error, const Item* item) {
  if (item == nullptr) throw Refused{error, {}, Effect::write};
  const std::string prefix = item->origin.empty() ? std::string() : item->origin + ": ";
  wire::Error whole = error;
  if (!whole.message.empty()) whole.message = prefix + whole.message;
  Refused refused{std::move(whole), prefix + item->path, Effect::write};
  if (error.code == ErrorCode::no_node && item->node.path == top_of_subtree) {
    refused.hint = "its parent does not exist, -p creates it";
  }
  throw refused;
}

}  // namespace shell
