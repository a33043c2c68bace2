#include "tools/bench/writers.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <vector>

#include "tools/bench/reply_text.h"

namespace bench {

Writers::Writers(Ensemble& ensemble, Measurements& measurements)
    : ensemble_(ensemble), measurements_(measurements) {
  for (std::uint32_t i = 0; i < count; ++i) {
    writers_[i].number = i;
    writers_[i].server = i % Ensemble::size;
    connect(writers_[i]);
  }
}

void Writers::connect(Writer& writer) {
  std::string request = connect_request();
  if (writer.connection && !writer.connection->session().empty()) {
    request.pop_back();
    request += ",\"session\":\"" + writer.connection->session() + "\",\"password\":\"" +
               writer.connection->password() + "\"}";
  }
  writer.started = false;
  writer.connection = std::make_unique<Connection>(
      loop_, ensemble_.port(writer.server), std::move(request),
      [this, &writer](std::string_view text) { on_frame(writer, text); });
}

void Writers::send_request(Writer& writer) {
  writer.connection->send_text(request_.text(writer.next_id++, writer.number));
}

void Writers::on_frame(Writer& writer, std::string_view text) {
  for_each_reply(text, [&](std::uint32_t, std::string_view reply) {
    static constexpr std::string_view mark = "\"version\":";
    const std::size_t found = reply.substr(0, reply.find("{\"id\":")).find(mark);
    if (found == std::string_view::npos) {
      measurements_.warn("failover: error " + std::string(field(reply, "error")),
                         field(reply, "message"));
    } else {
      const std::int64_t version = std::atoll(reply.data() + found + mark.size());
      if (version <= writer.last_version) measurements_.warn("an acknowledged write was lost");
      writer.last_version = version;
      writer.acknowledged += 1;
      longest_gap_ = std::max(longest_gap_, loop_.ready_at() - last_acknowledged_);
      last_acknowledged_ = loop_.ready_at();
    }
    send_request(writer);
  });
}

void Writers::start_or_reconnect(Writer& writer) {
  if (writer.connection->open() && !writer.started) {
    writer.started = true;
    for (std::uint32_t i = 0; i < outstanding; ++i) send_request(writer);
  }
  if (!writer.connection->lost() || now() < writer.retry_at) return;
  if (writer.connection->refused()) {
    measurements_.warn("failover: refused", writer.connection->lost_reason());
  }
  // The first retry is immediate; the pause is for servers that refuse one after another.
  writer.retry_at = now() + 5000;
  writer.server = (writer.server + 1) % Ensemble::size;
  connect(writer);
}

void Writers::run_for(Micros time) {
  for (const Micros end = now() + time; now() < end;) {
    loop_.run_once(2);
    for (Writer& writer : writers_) start_or_reconnect(writer);
  }
}

void Writers::start_clock() {
  last_acknowledged_ = now();
  longest_gap_ = 0;
}

void Writers::expect_all_answered(const std::string& after) {
  std::vector<std::uint64_t> before;
  before.reserve(count);
  for (const Writer& writer : writers_) before.push_back(writer.acknowledged);
  const Micros deadline = now() + seconds(10);
  for (const Writer& writer : writers_) {
    while (writer.acknowledged == before[writer.number] && now() < deadline) run_for(1000);
    if (writer.acknowledged == before[writer.number]) {
      measurements_.warn("a writer had no reply within 10 seconds after " + after);
    }
  }
}

}  // namespace bench
