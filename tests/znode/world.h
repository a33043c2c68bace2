#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tests/znode/printing.h"
#include "wire/ensure.h"
#include "znode/operations.h"
#include "znode/path.h"

namespace znode {

// A tree with its pending tree, for tests. The n-th transaction has zxid 1:n and time 1000 * n.
class World {
 public:
  static constexpr wire::SessionId me{7};

  // Plans a request. The plan stays outstanding until apply_all().
  template <class Request>
  PlanResult<Txn> plan(const Request& request, wire::SessionId session = me) {
    return plan_as(Caller{session, {}}, request);
  }
  template <class Request>
  PlanResult<Txn> plan_as(const Caller& caller, const Request& request) {
    Draft draft(pending_, next_time());
    auto planned = znode::plan(request, caller, draft);
    if (!planned) return refusal(std::move(planned).error());
    pending_.add(std::move(draft));
    Txn txn(*std::move(planned));
    planned_.push_back(txn);
    return txn;
  }

  CleanupTxn plan_cleanup(wire::SessionId session) {
    Draft draft(pending_, next_time());
    const CleanupTxn txn = znode::plan_cleanup(session, draft);
    pending_.add(std::move(draft));
    planned_.emplace_back(txn);
    return txn;
  }

  DeleteManyTxn plan_reaping() {
    Draft draft(pending_, next_time());
    DeleteManyTxn txn = znode::plan_reaping(draft);
    pending_.add(std::move(draft));
    planned_.emplace_back(txn);
    return txn;
  }

  // Applies all outstanding plans, in order. Returns the last reply.
  wire::ReplyBody apply_all() {
    wire::ReplyBody reply;
    while (!planned_.empty()) reply = apply_one();
    return reply;
  }
  // Applies the oldest plan, if there is one.
  wire::ReplyBody apply_one() {
    if (planned_.empty()) return {};
    const Txn txn = std::move(planned_.front());
    planned_.pop_front();
    count_ += 1;
    Changes changes;
    wire::ReplyBody reply = apply(txn, now(), tree_, changes);
    changes_ = std::move(changes).finish(tree_);
    pending_.applied();
    return reply;
  }

  // Plans a request and applies all outstanding plans.
  template <class Request>
  wire::Result<wire::ReplyBody> run(const Request& request, wire::SessionId session = me) {
    if (auto planned = plan(request, session); !planned) return planned.error().reply();
    return apply_all();
  }

  template <class Request>
  wire::Result<wire::ReplyBody> run_as(const Caller& caller, const Request& request) {
    if (auto planned = plan_as(caller, request); !planned) return planned.error().reply();
    return apply_all();
  }

  // These abort the test if they fail.
  World& create(std::string path, wire::Bytes data = "") {
    wire::CreateRequest request;
    request.path = std::move(path);
    request.data = std::move(data);
    return must(run(request));
  }
  World& create_ephemeral(std::string path, wire::SessionId session = me) {
    wire::CreateRequest request;
    request.path = std::move(path);
    request.ephemeral = true;
    return must(run(request, session));
  }
  World& set(std::string path, wire::Bytes data) {
    return must(run(wire::SetRequest{std::move(path), std::move(data)}));
  }
  World& remove(std::string path) { return must(run(wire::DeleteRequest{std::move(path)})); }

  [[nodiscard]] Moment now() const {
    return {{{1}, count_}, static_cast<wire::TimeMs>(1000 * count_)};
  }
  // The time of the next plan.
  [[nodiscard]] wire::TimeMs next_time() const {
    return static_cast<wire::TimeMs>(1000 * (count_ + planned_.size() + 1));
  }
  [[nodiscard]] wire::Stat stat(std::string_view path) const { return tree_.at(path).stat(); }
  // The changes of the last transaction.
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  [[nodiscard]] const Tree& tree() const { return tree_; }
  [[nodiscard]] Tree& tree() { return tree_; }
  [[nodiscard]] const PendingTree& pending() const { return pending_; }

 private:
  static Refusal refusal(wire::Error error) { return {std::move(error), std::nullopt}; }
  static Refusal refusal(Refusal refusal) { return refusal; }
  World& must(const wire::Result<wire::ReplyBody>& result) {
    ensure(result, "the set-up of the test succeeds");
    return *this;
  }

  Tree tree_;
  PendingTree pending_{tree_};
  std::deque<Txn> planned_;
  std::vector<Change> changes_;
  std::uint64_t count_ = 0;
};

inline Caller as(const Identities& who) { return {World::me, who}; }

}  // namespace znode
