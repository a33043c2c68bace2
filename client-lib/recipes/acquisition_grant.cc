#include <string_view>
#include <utility>
#include <variant>

#include "client-lib/recipes/acquisition.h"
#include "client-lib/recipes/outcome.h"

// The life of a node whose turn has come.
namespace zabkeeper {

using wire::ErrorCode;

// --- The grant ---

void Acquisition::hold(RecipeActions& actions) {
  phase_ = Phase::holding;
  actions.emplace_back(Held{grant_});
  watch_node(actions);
}

// The watch ends with its event. So none is left when the node is deleted.
void Acquisition::watch_node(RecipeActions& actions) {
  wire::WatchRequest request;
  request.path = grant_.path;
  request.once = true;
  ask(std::move(request), actions);
  watch_ = last_;
}

void Acquisition::on_watched(const Result& result, RecipeActions& actions) {
  const auto* watch = reply_of<wire::WatchReply>(result);
  if (watch == nullptr) {
    watch_ = 0;
    // A client that may not read its node is not told that it is deleted.
    if (!is_to_repeat(result, actions)) is_readable_ = false;
    return;
  }
  if (watch->stat && watch->stat->czxid == grant_.czxid) return;
  lose("its node was deleted", actions);
  end({Ended::How::lost}, actions);
}

void Acquisition::lose(std::string reason, RecipeActions& actions) {
  actions.emplace_back(Lost{std::move(reason)});
}

// --- The downgrade ---

std::string Acquisition::reader_path() const {
  return below(options_.path, options_.mark) + std::string(reader_kind) +
         grant_.path.substr(grant_.path.size() - number_digits);
}

// The reader has the number of the writer, so writers behind it still wait.
void Acquisition::move_to_reader(RecipeActions& actions) {
  phase_ = Phase::downgrading;
  wire::CreateRequest reader;
  reader.path = reader_path();
  reader.data = options_.data;
  reader.ephemeral = true;
  reader.acl = options_.acl;
  wire::MultiRequest multi;
  multi.ops.emplace_back(wire::DeleteRequest{grant_.path});
  multi.ops.emplace_back(std::move(reader));
  ask(std::move(multi), actions);
}

void Acquisition::on_downgraded(const Result& result, RecipeActions& actions) {
  if (is_unknown(result)) {
    if (leaving_) return find(actions);
    return check_downgrade(actions);
  }
  const auto* multi = reply_of<wire::MultiReply>(result);
  const bool is_done = multi != nullptr && !multi->failed && multi->results.size() == 2;
  const auto* created = is_done ? std::get_if<wire::CreateReply>(&*multi->results.back()) : nullptr;
  if (created != nullptr) {
    return become_reader(created->stat.czxid, actions);
  }
  const wire::Error error =
      multi != nullptr && multi->failed ? multi->results[*multi->failed].error() : error_of(result);
  if (leaving_) return remove(actions);
  if (error.code == ErrorCode::no_node) {
    lose("its node was deleted", actions);
    return end({Ended::How::lost}, actions);
  }
  phase_ = Phase::holding;
  actions.emplace_back(Refused{error});
  watch_node(actions);
}

void Acquisition::check_downgrade(RecipeActions& actions) {
  phase_ = Phase::checking_downgrade;
  watch_ = 0;
  ask(wire::ExistsRequest{reader_path(), {}}, actions);
}

// If the reader does not exist, either the multi was not carried out, or its node was deleted
// since. In both cases it is safe to send the multi again: in the second case it fails.
void Acquisition::on_downgrade_checked(const Result& result, RecipeActions& actions) {
  const auto* reader = reply_of<wire::ExistsReply>(result);
  if (reader != nullptr && reader->stat) return become_reader(reader->stat->czxid, actions);
  if (is_to_repeat(result, actions)) return;
  if (reader != nullptr) return move_to_reader(actions);
  lose("it is not known which lock is held: " + error_of(result).message, actions);
  leave({Ended::How::lost}, actions);
}

// The token stays. The czxid of the new node would be too great: a writer that waits already has a
// smaller one.
void Acquisition::become_reader(wire::Zxid czxid, RecipeActions& actions) {
  grant_.path = reader_path();
  grant_.czxid = czxid;
  options_.kind = reader_kind;
  if (leaving_) return remove(actions);
  phase_ = Phase::holding;
  actions.emplace_back(Downgraded{grant_});
  watch_node(actions);
}

// --- The end ---

void Acquisition::leave(Ended ended, RecipeActions& actions) {
  if (leaving_ || phase_ == Phase::ended) return;
  leaving_ = std::move(ended);
  switch (phase_) {
    case Phase::idle:
      if (!grant_.path.empty()) return remove(actions);
      return end(*leaving_, actions);
    case Phase::reading_limit: return end(*leaving_, actions);
    case Phase::asking:
    case Phase::waiting:
    case Phase::holding: return remove(actions);
    // The reply, or the list of nodes, says what there is to delete.
    case Phase::checking_downgrade: return find(actions);
    case Phase::creating:
    case Phase::finding:
    case Phase::downgrading:
    case Phase::removing:
    case Phase::ended: return;
  }
}

void Acquisition::remove(RecipeActions& actions) {
  phase_ = Phase::removing;
  watch_ = 0;
  ask(wire::DeleteRequest{grant_.path}, actions);
}

void Acquisition::on_removed(const Result& result, RecipeActions& actions) {
  if (result || is_error(result, ErrorCode::no_node)) return end(*leaving_, actions);
  if (is_to_repeat(result, actions)) return;
  end({Ended::How::failed, error_of(result)}, actions);
}

void Acquisition::end(Ended ended, RecipeActions& actions) {
  phase_ = Phase::ended;
  watch_ = outstanding_ = 0;
  actions.emplace_back(std::move(ended));
}

}  // namespace zabkeeper
