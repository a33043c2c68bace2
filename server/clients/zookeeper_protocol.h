#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "server/budgets/ledger.h"
#include "server/clients/limits.h"
#include "server/clients/stream_protocol.h"
#include "server/clients/zookeeper_frames.h"
#include "server/clients/zookeeper_queue.h"
#include "server/metrics/counters.h"

namespace server {

// The StreamProtocol of a client that speaks ZooKeeper's protocol. A connection ends without a
// message, because that protocol has none for it. Then the client connects to the next server.
class ZooKeeperProtocol final : public StreamProtocol {
 public:
  // `limits` and `counters` must outlive it. `accounts` are those of the client's address. `now` is
  // when the client connected.
  ZooKeeperProtocol(const ClientLimits& limits, ConnectionCounters& counters,
                    std::shared_ptr<AddressAccounts> accounts, Time now);

  [[nodiscard]] std::size_t readable_bytes(std::size_t most) override;
  void hold_back(Time now) override;
  void receive(std::span<char> bytes) override { frames_.feed(bytes); }
  [[nodiscard]] std::optional<ClientEvent> next(Time now) override;
  void written(std::size_t bytes, Time now) override;
  void lost() override;
  void time_is(Time now) override;

  [[nodiscard]] ZooKeeperQueue& queue() override { return queue_; }
  [[nodiscard]] const ZooKeeperQueue& queue() const override { return queue_; }
  void close(CloseCode code, std::string reason, Drain drain, Time now) override;
  void close_as_too_slow(Time now) override;
  void pause() override { paused_ = true; }
  void resume() override { paused_ = false; }
  // Does nothing: in ZooKeeper's protocol the client sends the pings.
  void ping_every(std::chrono::milliseconds, Time) override {}

  [[nodiscard]] bool has_events() const override;
  [[nodiscard]] bool wants_bytes() const override {
    if (stage_ == Stage::over || retry_ != never) return false;
    return stage_ == Stage::shutting_down || !paused_;
  }
  [[nodiscard]] bool has_output() const override;
  void compose(std::string& out, Time now) override;
  [[nodiscard]] Time deadline() const override;
  [[nodiscard]] StreamEnd end() const override;
  [[nodiscard]] bool is_paused() const override { return paused_; }

 private:
  enum class Stage : std::uint8_t {
    open,
    closing,        // what is queued is sent
    shutting_down,  // nothing more is written, and what the client sends is ignored
    over,
  };

  [[nodiscard]] bool takes_requests() const {
    return stage_ == Stage::open && !paused_ && !queue_.conversation().ends();
  }
  // Handles a frame. Returns its event, if it has one.
  [[nodiscard]] std::optional<ClientEvent> take(std::string_view frame, Time now);
  void note_unfinished(Time now);
  void begin_close(Drain drain, Time now);
  void shut_down_if_sent(Time now);

  const ClientLimits& limits_;
  ConnectionCounters& counters_;
  const std::shared_ptr<AddressAccounts> accounts_;
  Stage stage_ = Stage::open;
  bool is_connected_ = false;  // its first frame has arrived
  bool paused_ = false;
  bool interrupted_ = false;  // `next` stopped before it had read all bytes
  bool closed_reported_ = false;
  ZooKeeperFrames frames_;
  Holding kept_;  // the bytes that frames_ keeps
  ZooKeeperQueue queue_;
  Time deadline_;
  Time unfinished_ = never;  // when the incomplete frame must be complete
  Time retry_ = never;       // when reading goes on, if the budgets had no room
  Time progress_ = never;    // when some more bytes must have been written
};

}  // namespace server
