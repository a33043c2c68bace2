#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include "wire/cbor.h"
#include "wire/json.h"

// The time to read a request and to write its reply, in both formats.
namespace {

wire::ClientRequest a_request() {
  wire::CreateRequest create{.path = "/services/payments/member-",
                             .data = R"({"host":"10.1.2.3","port":8443})",
                             .ephemeral = true,
                             .sequential = true,
                             .container = false,
                             .parents = false,
                             .ttl_ms = std::nullopt,
                             .acl = wire::Acl{{"world", "anyone", 1}}};
  return {{"1234567"}, wire::Encoding::text_if_utf8, std::move(create)};
}

wire::ServerMessage a_reply() {
  wire::Stat stat;
  stat.czxid = {{1}, 5};
  stat.mzxid = {{1}, 7};
  stat.pzxid = {{2}, 1};
  stat.ctime = stat.mtime = 1'700'000'000'000;
  stat.version = 2;
  stat.data_length = 32;
  return wire::Reply{{"1234567"},
                     {{1}, 9},
                     wire::Encoding::text_if_utf8,
                     wire::ReplyBody{wire::GetReply{R"({"host":"10.1.2.3","port":8443})", stat}}};
}

template <auto write, auto parse>
void reads_a_request(benchmark::State& state) {
  std::string frame;
  write(a_request(), frame);
  for (auto _ : state) benchmark::DoNotOptimize(parse(frame));
  state.SetLabel(std::to_string(frame.size()) + " bytes");
}
using WriteRequest = void (*)(const wire::ClientRequest&, std::string&);
BENCHMARK(reads_a_request<WriteRequest(wire::json::write), wire::json::parse_requests>)
    ->Name("json_reads_a_request");
BENCHMARK(reads_a_request<WriteRequest(wire::cbor::write), wire::cbor::parse_requests>)
    ->Name("cbor_reads_a_request");

template <auto write>
void writes_a_reply(benchmark::State& state) {
  const wire::ServerMessage reply = a_reply();
  std::string frame;
  for (auto _ : state) {
    frame.clear();
    write(reply, frame);
    benchmark::DoNotOptimize(frame.data());
  }
  state.SetLabel(std::to_string(frame.size()) + " bytes");
}
using WriteReply = void (*)(const wire::ServerMessage&, std::string&);
BENCHMARK(writes_a_reply<WriteReply(wire::json::write)>)->Name("json_writes_a_reply");
BENCHMARK(writes_a_reply<WriteReply(wire::cbor::write)>)->Name("cbor_writes_a_reply");

}  // namespace
