#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "session/service.h"

// Applies transactions of any content, as a damaged log or a faulty server would have them. Each is
// two bytes of length and its bytes; the input begins with a few good ones. The first one that
// cannot be applied is the last: the state is not used after it.
namespace {

void add_nodes(session::Service& service) {
  std::uint64_t counter = 0;
  const auto run = [&](wire::SessionId session, session::CommandBody body) {
    const auto planned = service.plan({session, {1, 1}, 1, std::move(body)}, 1);
    if (planned) static_cast<void>(service.apply({{1}, ++counter}, *planned));
  };
  run({}, session::OpenSession{{}, 10'000, 3});
  const wire::SessionId session{wire::Zxid{{1}, 1}.bits()};
  for (const char* path : {"/a", "/a/b", "/d"}) {
    wire::CreateRequest request;
    request.path = path;
    request.ephemeral = path[1] == 'd';
    run(session, std::move(request));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  session::Service service;
  add_nodes(service);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (rest.size() >= 2) {
    const std::size_t length = std::size_t{static_cast<unsigned char>(rest[0])} |
                               std::size_t{static_cast<unsigned char>(rest[1])} << 8;
    const std::string_view bytes = rest.substr(2, length);
    rest.remove_prefix(2 + bytes.size());
    const auto applied = service.apply(service.applied().next(), bytes);
    if (!applied) return 0;
  }
  // The state after it can be stored.
  static_cast<void>(service.digest());
  service.begin_image();
  std::vector<session::Record> records;
  while (!service.collect_image(100, records)) {
  }
  return 0;
}
