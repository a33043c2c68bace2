#include "tests/sim/service/linearizability.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "tests/sim/violation.h"

namespace sim {
namespace {

using history::Call;
using history::Refusal;
using history::ZnodeStep;
using wire::ErrorCode;
using StepKind = ZnodeStep::Kind;

// Errors after which a write has certainly not been carried out.
bool is_definite(ErrorCode code) {
  switch (code) {
    case ErrorCode::bad_arguments:
    case ErrorCode::no_node:
    case ErrorCode::no_auth:
    case ErrorCode::bad_version:
    case ErrorCode::no_children_for_ephemerals:
    case ErrorCode::node_exists:
    case ErrorCode::not_empty:
    case ErrorCode::condition_failed:
    case ErrorCode::invalid_acl: return true;
    default: return false;
  }
}

bool is_multi(const wire::Request& request) {
  return std::holds_alternative<wire::MultiRequest>(request);
}

template <typename Read>
bool is_linearizable(const Read& read) {
  return std::holds_alternative<wire::Linearizable>(read.consistency);
}

// The part of an operation's reply that is about one znode.
struct Answer {
  std::optional<ErrorCode> error;
  std::optional<std::int64_t> version;
  std::optional<wire::Bytes> data;
  bool absent = false;
};

template <typename Body>
Answer answer_of(const wire::Result<Body>& body) {
  Answer answer;
  if (!body) {
    answer.error = body.error().code;
    return answer;
  }
  std::visit(
      [&](const auto& reply) {
        using Reply = std::decay_t<decltype(reply)>;
        if constexpr (std::is_same_v<Reply, wire::ExistsReply>) {
          answer.absent = !reply.stat;
          if (reply.stat) answer.version = reply.stat->version;
        } else if constexpr (std::is_same_v<Reply, wire::CreateReply> ||
                             std::is_same_v<Reply, wire::SetReply> ||
                             std::is_same_v<Reply, wire::GetReply>) {
          answer.version = reply.stat.version;
        }
        if constexpr (std::is_same_v<Reply, wire::GetReply>) answer.data = reply.data;
      },
      *body);
  return answer;
}

// Returns the fact that a refusal proves about the node of the request. A refusal because of the
// parent or an ACL proves nothing about the node.
std::optional<Refusal> refusal_of(StepKind kind, ErrorCode code) {
  switch (code) {
    case ErrorCode::no_node:
      if (kind == StepKind::create) return std::nullopt;
      return Refusal::absent;
    case ErrorCode::node_exists:
    case ErrorCode::not_empty: return Refusal::present;
    case ErrorCode::bad_version: return Refusal::other_version;
    default: return std::nullopt;
  }
}

// A sequential create does not name its node. So nodes with a number are not searched.
bool is_searched(const std::string& path) {
  constexpr std::size_t number_digits = 10;
  const std::size_t last = path.find_last_not_of("0123456789");
  return path.size() > 1 && path.back() != '/' && path.size() - last <= number_digits;
}

}  // namespace

// Divides an operation into the steps on each znode that it touches.
class Linearizability::Projection {
 public:
  Projection(std::map<std::string, Znode>& znodes, history::Texts& texts)
      : znodes_(znodes), texts_(texts) {}

  // Only znodes that a request names are checked.
  void name(const wire::Request& request) {
    std::visit([this](const auto& each) { name(each); }, request);
  }

  void add(const std::shared_ptr<TrackedRequest>& tracked) {
    const wire::Request& request = tracked->request.request;
    std::optional<Answer> answer;
    if (tracked->reply) answer = answer_of(tracked->reply->body);
    if (answer && answer->error && !is_definite(*answer->error)) answer.reset();
    // It was done, but it is not known with which results.
    const bool is_truncated = answer && !answer->error &&
                              std::holds_alternative<wire::TruncatedReply>(*tracked->reply->body);
    if (is_truncated) answer.reset();
    // A condition may be about another node. At an older level its error is another.
    const bool is_of_condition =
        answer &&
        (answer->error == ErrorCode::condition_failed ||
         (answer->error == ErrorCode::bad_version && needs_newest_level(tracked->request)));
    if (is_of_condition) return;
    if (is_multi(request)) {
      const auto* replies = answer && !answer->error
                                ? std::get_if<wire::MultiReply>(&*tracked->reply->body)
                                : nullptr;
      if (answer && replies == nullptr) return;  // refused as a whole
      const auto& multi = std::get<wire::MultiRequest>(request);
      const bool other = replies != nullptr && replies->branch == wire::Branch::otherwise;
      part(other ? *multi.otherwise : multi.ops, replies);
      // If it is not known which branch was done, each may have been.
      if (!answer && multi.otherwise) {
        finish(tracked, false);
        steps_.clear();
        part(*multi.otherwise, nullptr);
      }
    } else {
      std::visit([&](const auto& each) { part(each, answer ? &*answer : nullptr); }, request);
    }
    finish(tracked, answer.has_value());
  }

 private:
  void name(const wire::MultiRequest& multi) {
    for (const auto& op : multi.ops) {
      std::visit([this](const auto& each) { name(each); }, op);
    }
    for (const auto& op : multi.otherwise.value_or(std::vector<wire::MultiOp>())) {
      std::visit([this](const auto& each) { name(each); }, op);
    }
  }
  void name(const wire::CreateRequest& r) {
    if (!r.sequential) touch(r.path);
  }
  void name(const wire::SetRequest& r) { touch(r.path); }
  template <typename Request>
  void name(const Request&) {}
  void touch(const std::string& path) {
    if (is_searched(path)) znodes_[path];
  }

  // The operations of a failed multi before the failed one could have been done.
  void part(const std::vector<wire::MultiOp>& ops, const wire::MultiReply* reply) {
    in_multi_ = true;
    const bool failed = reply != nullptr && reply->failed;
    for (std::size_t i = 0; i < ops.size(); ++i) {
      if (failed && i > *reply->failed) break;
      std::optional<Answer> answer;
      if (reply != nullptr && (!failed || i == *reply->failed)) {
        answer = answer_of(reply->results[i]);
      }
      std::visit([&](const auto& each) { part(each, answer ? &*answer : nullptr); }, ops[i]);
    }
    undone_ = failed;
  }

  void part(const wire::CreateRequest& r, const Answer* answer) {
    const bool is_done = answer == nullptr || !answer->error;
    for (std::size_t i = 1; r.parents && is_done && i < r.path.size(); ++i) {
      if (r.path[i] == '/')
        put(r.path.substr(0, i), {.kind = StepKind::create_missing, .reply_version = {}});
    }
    if (r.sequential) return;
    put(r.path,
        {.kind = StepKind::create,
         .data = texts_.number(r.data),
         .may_vanish = r.ephemeral || r.container || r.ttl_ms,
         .reply_version = {}},
        answer);
  }
  void part(const wire::SetRequest& r, const Answer* answer) {
    put(r.path,
        {.kind = StepKind::set,
         .data = texts_.number(r.data),
         .version = r.version,
         .creates = r.create,
         .reply_version = {}},
        answer);
  }
  void part(const wire::DeleteRequest& r, const Answer* answer) {
    put(r.path, {.kind = StepKind::remove, .version = r.version, .reply_version = {}}, answer);
    if (!r.recursive || (answer != nullptr && answer->error)) return;
    const std::string below = r.path + '/';
    for (auto each = znodes_.lower_bound(below);
         each != znodes_.end() && each->first.starts_with(below); ++each) {
      steps_[each->first].push_back({.kind = StepKind::remove_existing, .reply_version = {}});
    }
  }
  void part(const wire::CheckRequest& r, const Answer* answer) {
    if (!r.tests.none()) return;  // the search knows versions only
    put(r.path, {.kind = StepKind::check, .version = r.version, .reply_version = {}}, answer);
  }
  void part(const wire::GetRequest& r, const Answer* answer) {
    if (answer == nullptr || !(in_multi_ || is_linearizable(r.read))) return;
    const std::uint32_t data = answer->data ? texts_.number(*answer->data) : 0;
    put(r.path, {.kind = StepKind::get, .data = data, .reply_version = {}}, answer);
  }
  void part(const wire::ExistsRequest& r, const Answer* answer) {
    if (answer == nullptr || !is_linearizable(r.read)) return;
    put(r.path, {.kind = StepKind::exists, .reply_version = {}}, answer);
  }
  template <typename Request>
  void part(const Request&, const Answer*) {}

  void put(const std::string& path, ZnodeStep step, const Answer* answer = nullptr) {
    const bool is_refused = answer != nullptr && (answer->error || answer->absent);
    if (is_refused) {
      undone_ = true;
      refused_ = path;
      refusal_ = answer->absent ? Refusal::absent : refusal_of(step.kind, *answer->error);
      if (!refusal_) return;
    }
    if (!znodes_.contains(path)) return;
    if (answer != nullptr) step.reply_version = answer->version;
    steps_[path].push_back(step);
  }

  void finish(const std::shared_ptr<TrackedRequest>& tracked, bool is_known) {
    for (auto& [path, steps] : steps_) {
      Call call{.begin = static_cast<std::int64_t>(tracked->invoked),
                .steps = std::move(steps),
                .undone = undone_,
                .refusal = {}};
      if (is_known) call.end = static_cast<std::int64_t>(*tracked->returned);
      if (undone_ && path == refused_) call.refusal = refusal_;
      Znode& znode = znodes_.at(path);
      znode.search.add(std::move(call));
      znode.requests.push_back(tracked);
    }
  }

  std::map<std::string, Znode>& znodes_;
  history::Texts& texts_;
  std::map<std::string, std::vector<ZnodeStep>> steps_;
  bool in_multi_ = false;
  bool undone_ = false;
  std::string refused_;
  std::optional<Refusal> refusal_;
};

Linearizability::Linearizability(const History& history) {
  for (const auto& tracked : history) Projection(znodes_, texts_).name(tracked->request.request);
  for (const auto& tracked : history) Projection(znodes_, texts_).add(tracked);
}

Linearizability::Result Linearizability::check(std::size_t steps_max) {
  using Verdict = history::Search::Verdict;
  Result result;
  for (auto& [path, znode] : znodes_) {
    result.znodes += 1;
    const Verdict verdict = znode.search.run(steps_max);
    if (verdict == Verdict::inconclusive) result.given_up += 1;
    if (verdict != Verdict::not_linearizable) continue;
    const TrackedRequest& stuck = *znode.requests[znode.search.stuck()];
    throw Violation("linearizability", "no order explains the operations on " + path +
                                           "; none gets beyond request " + stuck.request.id.json +
                                           " of user " + std::to_string(stuck.user));
  }
  return result;
}

}  // namespace sim
