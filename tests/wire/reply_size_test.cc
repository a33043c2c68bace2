#include "wire/reply_size.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/wire/samples.h"
#include "wire/json.h"

namespace wire {
namespace {

TEST_CASE("a reply is never longer than the bound that is known before it is built") {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  for (const Bytes& data :
       {Bytes(), Bytes("plain"), Bytes(1000, '\n'), Bytes(1000, '\x01'), Bytes(1000, '"'),
        Bytes(1000, '\\'), Bytes(1000, '\xff'), every_byte, Bytes("\xc3\xa9")}) {
    Stat stat = samples::special_stat();
    stat.czxid = stat.mzxid = stat.pzxid = Zxid::from_bits(~0ULL);
    stat.ctime = stat.mtime = -9'000'000'000'000'000'000;
    stat.version = stat.cversion = stat.aversion = -2'000'000'000;
    stat.data_length = stat.num_children = 2'000'000'000;
    stat.ttl_ms = 9'000'000'000'000'000'000;
    stat.container = true;
    std::string text;
    json::write(ServerMessage{Reply{{"7"}, {}, {}, ReplyBody{GetReply{data, stat}}}}, text);
    CHECK(text.size() <= item_bytes_max + stat_bytes_max + text_bytes_max(data));
    CHECK(text_bytes_max(data) <= text_bytes_max(data.size()));
  }
}

}  // namespace
}  // namespace wire
