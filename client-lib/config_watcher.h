#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>

#include <boost/asio/bind_executor.hpp>

#include "client-lib/json.h"
#include "client-lib/tree_cache.h"

// The configuration of a program in a node, kept current.
//
//   zabkeeper::ConfigWatcher<Settings> config(client, "/app/settings");
//   use(*config.wait_for(std::chrono::seconds(5)).value());
namespace zabkeeper {

// A version that was accepted. After the gap that `after_gap` tells of, versions may be missing.
template <typename T>
struct ConfigChanged {
  std::shared_ptr<const T> value;
  wire::Zxid zxid;  // of the transaction that set it
  bool after_gap = false;
};
// A version that was refused, or a node that was deleted. The value stays as it was.
struct ConfigRefused {
  Error error;
  wire::Zxid zxid;
};
// The last event: the node cannot be followed. The value stays as it was.
struct ConfigFailed {
  Error error;
};
template <typename T>
using ConfigEvent = std::variant<ConfigChanged<T>, ConfigRefused, ConfigFailed>;

// The value of a node as an object of a user's type. Every version is validated before it replaces
// the one before: one that cannot be converted is reported, and the last good one stays. Every
// version is told, in order, unless the servers do not know some after a long interruption.
//
// Any thread may use it. The client must outlive it.
template <typename T>
class ConfigWatcher {
 public:
  // Converts and validates. The default reads JSON, as nlohmann's from_json does.
  using Convert = std::function<Result<T>(const wire::Bytes&)>;

  ConfigWatcher(const AsyncCalls& client, std::string path, Callback<ConfigEvent<T>> on_event = {},
                Convert convert = from_data<T>)
      : state_(std::make_shared<State>(client.get_executor(), path, std::move(on_event),
                                       std::move(convert))),
        cache_(client, {.path = std::move(path), .only_node = true},
               boost::asio::bind_executor(
                   client.get_executor(),
                   [state = state_](const TreeEvent& event) { state->on(event); })) {}

  ~ConfigWatcher() { state_->is_stopped = true; }
  ConfigWatcher(const ConfigWatcher&) = delete;
  ConfigWatcher& operator=(const ConfigWatcher&) = delete;

  // The newest version that was accepted; null if there was none yet. It never changes: keep the
  // pointer as long as one version is needed.
  [[nodiscard]] std::shared_ptr<const T> get() const {
    const std::lock_guard lock(state_->mutex);
    return state_->value;
  }
  // Waits for the first version. OperationTimeout, or the error of the last version that was
  // refused, if there is none in time.
  [[nodiscard]] Result<std::shared_ptr<const T>> wait_for(std::chrono::milliseconds timeout) const {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, timeout, [&] { return state_->value || state_->has_failed; });
    if (state_->value) return state_->value;
    return state_->error;
  }

 private:
  struct State : std::enable_shared_from_this<State> {
    State(boost::asio::any_io_executor of_client, std::string of, Callback<ConfigEvent<T>> callback,
          Convert conversion)
        : executor(std::move(of_client)),
          path(std::move(of)),
          on_event(std::move(callback)),
          convert(std::move(conversion)) {}

    // On the client's strand.
    void on(const TreeEvent& event) {
      if (std::holds_alternative<TreeGap>(event)) is_after_gap = true;
      if (const auto* failed = std::get_if<FollowerFailed>(&event)) fail(failed->error);
      const auto* tree = std::get_if<TreeChanged>(&event);
      if (tree == nullptr) return;
      if (tree->changes.empty() && !value) {
        refuse({{ErrorCode::no_node, path + " does not exist"}, path}, tree->zxid);
      }
      for (const TreeChange& change : tree->changes) {
        if (!change.node) {
          refuse({{ErrorCode::no_node, path + " was deleted"}, path}, tree->zxid);
          continue;
        }
        Result<T> converted = convert(change.node->data);
        if (converted) {
          accept(std::make_shared<const T>(std::move(*converted)), change.node->mzxid);
        } else {
          refuse(converted.error(), change.node->mzxid);
        }
      }
    }
    void accept(std::shared_ptr<const T> accepted, wire::Zxid zxid) {
      {
        const std::lock_guard lock(mutex);
        value = accepted;
      }
      changed.notify_all();
      tell(ConfigChanged<T>{std::move(accepted), zxid, std::exchange(is_after_gap, false)});
    }
    void refuse(Error why, wire::Zxid zxid) {
      {
        const std::lock_guard lock(mutex);
        error = why;
      }
      tell(ConfigRefused{std::move(why), zxid});
    }
    void fail(const wire::Error& why) {
      {
        const std::lock_guard lock(mutex);
        error = Error(why, path);
        has_failed = true;
      }
      changed.notify_all();
      tell(ConfigFailed{Error(why, path)});
    }
    void tell(ConfigEvent<T> event) {
      on_event.post(executor, std::move(event),
                    [self = this->shared_from_this()] { return !self->is_stopped; });
    }

    const boost::asio::any_io_executor executor;
    const std::string path;
    const Callback<ConfigEvent<T>> on_event;
    const Convert convert;
    bool is_after_gap = false;
    std::atomic<bool> is_stopped = false;
    std::mutex mutex;
    std::condition_variable changed;
    std::shared_ptr<const T> value;
    Error error{{ErrorCode::operation_timeout, "the node was not read before the deadline"}};
    bool has_failed = false;
  };

  std::shared_ptr<State> state_;
  TreeCache cache_;
};

}  // namespace zabkeeper
