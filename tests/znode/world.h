#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/znode/printing.h"
#include "wire/ensure.h"
#include "znode/operations.h"
#include "znode/path.h"

namespace znode {

// A tree and what is planned for it, with a clock that the test reads by eye: the n-th transaction
// has zxid 1:n and time 1000 * n.
class World {
 public:
  static constexpr wire::SessionId me{7};

  // Plans a request; what it came to stays outstanding until settle().
  template <class Request>
  Judged<Txn> plan(const Request& request, wire::SessionId session = me) {
    Draft draft(pending_);
    auto planned = znode::plan(request, Caller{session}, draft);
    if (!planned) return refusal(std::move(planned).error());
    pending_.add(std::move(draft));
    Txn txn(*std::move(planned));
    planned_.push_back(txn);
    return txn;
  }

  DeleteManyTxn plan_cleanup(wire::SessionId session) {
    Draft draft(pending_);
    DeleteManyTxn txn = znode::plan_cleanup(session, pending_, draft);
    pending_.add(std::move(draft));
    planned_.emplace_back(txn);
    return txn;
  }

  // Applies what is planned, in order. Returns the last reply.
  wire::ReplyBody settle() {
    wire::ReplyBody reply;
    for (const Txn& txn : std::exchange(planned_, {})) {
      count_ += 1;
      Changes changes;
      reply = apply(txn, now(), tree_, changes);
      changes_ = std::move(changes).finish(tree_);
      pending_.applied();
    }
    return reply;
  }

  // Plans and applies.
  template <class Request>
  wire::Result<wire::ReplyBody> run(const Request& request, wire::SessionId session = me) {
    if (auto planned = plan(request, session); !planned) return planned.error().reply();
    return settle();
  }

  // For what cannot fail in this test.
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
  [[nodiscard]] wire::Stat stat(std::string_view path) const { return tree_.at(path).stat(); }
  // Of the last transaction.
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }
  [[nodiscard]] const Tree& tree() const { return tree_; }
  [[nodiscard]] const PendingTree& pending() const { return pending_; }

 private:
  static Refusal refusal(wire::Error error) { return {std::move(error), std::nullopt}; }
  static Refusal refusal(Refusal refusal) { return refusal; }
  World& must(const wire::Result<wire::ReplyBody>& result) {
    ensure(result, "the test's own set-up works");
    return *this;
  }

  Tree tree_;
  PendingTree pending_{tree_};
  std::vector<Txn> planned_;
  std::vector<Change> changes_;
  std::uint64_t count_ = 0;
};

}  // namespace znode
