#include "client-lib/group.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stdexcept>

#include "client-lib/block.h"
#include "client-lib/recipe_runner.h"

namespace zabkeeper {

namespace {

Error error_of_end(const PresenceEnded& ended) {
  switch (ended.how) {
    case PresenceEnded::How::removed: return {{ErrorCode::cancelled, "the member has left"}};
    case PresenceEnded::How::superseded:
      return {{ErrorCode::node_exists, "a later member of the same owner has taken over"}};
    case PresenceEnded::How::session_lost:
      return {{ErrorCode::session_expired, "the session has ended"}};
    case PresenceEnded::How::failed: break;
  }
  return ended.error.value_or(wire::Error{ErrorCode::system_error, "the membership has failed"});
}

// Whether a node can have this name.
bool is_name(const std::string& text) {
  return !text.empty() && text != "." && text != ".." && text.find('/') == std::string::npos &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

// Runs one Presence after the other on a client: a new one in each session. The mutex guards what
// the strand changes and others read.
class MemberRun final : public RecipeRunner {
 public:
  MemberRun(std::shared_ptr<Core> core, PresenceOptions options, Callback<MemberEvent> on_event)
      : RecipeRunner(std::move(core)),
        options_(std::move(options)),
        on_event_(std::move(on_event)) {}

  // Any thread may call these.

  void start() {
    post_to(*this, [](MemberRun& run) { run.begin(); });
  }
  void update(wire::Bytes data) {
    post_to(*this, [data = std::move(data)](MemberRun& run) mutable {
      run.options_.data = data;
      if (run.presence_) run.carry_out(run.presence_->update(std::move(data)));
    });
  }
  void leave() {
    post_to(*this, [](MemberRun& run) {
      run.is_leaving_ = true;
      if (run.presence_) run.carry_out(run.presence_->end());
    });
  }
  void silence() { is_silent_ = true; }

  Result<Present> wait_for(std::chrono::milliseconds timeout) const {
    if (runs_here()) return would_wait_for_itself();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return present_ || ended_; });
    if (present_) return *present_;
    if (ended_) return error_of_end(*ended_);
    return Error{{ErrorCode::operation_timeout, "it is no member before the deadline"}};
  }
  Result<wire::EmptyReply> wait_for_end() const {
    if (runs_here()) return would_wait_for_itself();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_.has_value(); });
    if (ended_->how == PresenceEnded::How::failed) return error_of_end(*ended_);
    return wire::EmptyReply{};
  }

 private:
  void session_ended() override {
    if (presence_) carry_out(presence_->session_lost());
  }
  void replied(std::uint64_t number, AnyReply&& reply) override {
    if (!is_of_present(number)) return;
    carry_out(presence_->replied(number - before_, reply.result, reply.zxid));
  }
  void received(std::uint64_t number, const wire::WatchEvent& event) override {
    if (is_of_present(number)) carry_out(presence_->received(number - before_, event));
  }
  void lost_watch() override {
    if (presence_) carry_out(presence_->connection_lost());
  }
  void resumed() override {
    if (presence_) carry_out(presence_->again());
  }
  void client_ended(const wire::Error& why) override {
    if (presence_) end({PresenceEnded::How::failed, why});
  }

  [[nodiscard]] bool is_of_present(std::uint64_t number) const {
    return presence_ && number > before_;
  }
  void begin() {
    listen();
    before_ = last_;
    options_.id = random_id();
    presence_.emplace(options_);
    carry_out(presence_->begin());
  }
  void carry_out(PresenceActions actions) {
    for (PresenceAction& action : actions) {
      if (auto* question = std::get_if<Ask>(&action)) {
        last_ = question->number += before_;
        ask(std::move(*question));
      } else if (std::holds_alternative<Pause>(action)) {
        pause();
      } else if (const auto* ended = std::get_if<PresenceEnded>(&action)) {
        return on_ended(*ended);
      } else if (const auto* present = std::get_if<Present>(&action)) {
        set_present(*present);
        tell(*present);
      } else if (std::holds_alternative<Absent>(action)) {
        set_present({});
        tell(Absent{});
      } else if (std::holds_alternative<Updated>(action)) {
        tell(Updated{});
      } else if (auto* refused = std::get_if<UpdateRefused>(&action)) {
        tell(std::move(*refused));
      } else if (auto* occupied = std::get_if<Occupied>(&action)) {
        tell(std::move(*occupied));
      }
    }
  }
  void on_ended(const PresenceEnded& ended) {
    const bool may_join_again =
        ended.how == PresenceEnded::How::session_lost && !is_leaving_ && !core()->has_ended();
    if (!may_join_again) return end(ended);
    set_present({});
    tell(Absent{});
    begin();
  }
  void end(const PresenceEnded& ended) {
    {
      const std::lock_guard lock(mutex_);
      present_.reset();
      ended_ = ended;
    }
    changed_.notify_all();
    presence_.reset();
    tell(ended);
    finish();
  }
  void set_present(std::optional<Present> present) {
    {
      const std::lock_guard lock(mutex_);
      present_ = std::move(present);
    }
    changed_.notify_all();
  }
  void tell(MemberEvent event) {
    on_event_.post(executor(), std::move(event),
                   [self = shared_from_this(), this] { return !is_silent_; });
  }

  PresenceOptions options_;
  const Callback<MemberEvent> on_event_;
  std::optional<Presence> presence_;
  // Numbers of Asks: up to `before_` they are those of former Presences.
  std::uint64_t before_ = 0;
  std::uint64_t last_ = 0;
  bool is_leaving_ = false;
  std::atomic<bool> is_silent_ = false;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::optional<Present> present_;
  std::optional<PresenceEnded> ended_;
};

GroupMember::GroupMember(const AsyncCalls& client, std::string group, std::string owner,
                         wire::Bytes data, MemberOptions options) {
  if (!is_name(owner)) {
    throw std::invalid_argument(
        "the owner of a member is the name of a node: not empty, without "
        "slashes and control characters");
  }
  PresenceOptions presence = membership(group, std::move(owner), {}, std::move(data));
  presence.acl = std::move(options.acl);
  run_ =
      std::make_shared<MemberRun>(client.core(), std::move(presence), std::move(options.on_event));
  run_->start();
}

GroupMember::~GroupMember() {
  run_->silence();
  run_->leave();
}

Result<Present> GroupMember::wait_for(std::chrono::milliseconds timeout) const {
  return run_->wait_for(timeout);
}

void GroupMember::update(wire::Bytes data) { run_->update(std::move(data)); }

Result<wire::EmptyReply> GroupMember::leave() {
  run_->leave();
  return run_->wait_for_end();
}

GroupMembership::GroupMembership(const AsyncCalls& client, std::string group,
                                 Callback<GroupEvent> on_event)
    : run_(std::make_shared<Run>(client.core(), GroupFollower({.path = std::move(group)}),
                                 std::move(on_event))) {
  run_->start();
}

GroupMembership::~GroupMembership() { run_->stop(); }

Result<wire::Zxid> GroupMembership::wait_for(std::chrono::milliseconds timeout) const {
  return run_->wait_for(timeout);
}

wire::Zxid GroupMembership::zxid() const {
  const auto lock = run_->lock();
  return run_->follower().zxid();
}

std::pair<Members, wire::Zxid> GroupMembership::members() const {
  const auto lock = run_->lock();
  return {run_->follower().members(), run_->follower().zxid()};
}

}  // namespace zabkeeper
