#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "session/restoration.h"
#include "session/results.h"
#include "session/service.h"
#include "session/session_table.h"
#include "wire/ensure.h"
#include "znode/tree_restoration.h"

// Restores a replica from records, as from a checkpoint or from another server's snapshot. The
// records are a good image with changes, or the input itself. A tree that is accepted can be stored
// and restored again, and stays the same. A whole replica is accepted only if the digest in its
// header is right. The results of restored sessions can be lowered to every level, and more can be
// kept.
namespace {

using Records = std::vector<std::pair<std::string, std::string>>;

const Records& good_image() {
  static const Records good = [] {
    session::Service service;
    std::uint64_t counter = 0;
    const auto run = [&](wire::SessionId session, session::CommandBody body) {
      counter += 1;
      auto planned = service.plan({.session = session,
                                   .owner = {1, 1},
                                   .tag = 1,
                                   .body = std::move(body),
                                   .identities = {},
                                   .number = static_cast<std::int64_t>(counter)},
                                  static_cast<wire::TimeMs>(counter));
      if (planned) std::ignore = service.apply({{1}, counter}, *planned);
    };
    counter += 1;
    const auto level = service.plan_level(wire::known_levels.greatest, 1);
    std::ignore = service.apply({{1}, counter}, *level);
    run({}, session::OpenSession{{}, 10'000, 3});
    const wire::SessionId session{wire::Zxid{{1}, counter}.bits()};
    for (const char* path : {"/a", "/a/b", "/a/c", "/d"}) {
      wire::CreateRequest request;
      request.path = path;
      request.data = path;
      request.ephemeral = path[1] == 'd';
      if (path[1] == 'a') request.acl = wire::Acl{{"world", "anyone", 31}, {"ip", "10.0.0.1", 1}};
      run(session, std::move(request));
    }
    service.begin_image();
    std::vector<session::Record> records;
    while (!service.collect_image(100, records)) {
    }
    Records image;
    for (session::Record& record : records) image.emplace_back(record.key, *record.value);
    std::sort(image.begin(), image.end());
    return image;
  }();
  return good;
}

// Five bytes for each change: the record, the offset, the kind of change, and its value.
Records edited(const std::uint8_t* data, std::size_t size) {
  Records records = good_image();
  for (; size >= 5; data += 5, size -= 5) {
    if (records.empty()) return records;
    const std::size_t at = data[0] % records.size();
    std::string& key = records[at].first;
    std::string& value = records[at].second;
    const std::size_t offset = data[1] + 256u * (data[2] & 1u);
    switch (data[3] % 6) {
      case 0:
        if (!value.empty()) value[offset % value.size()] = static_cast<char>(data[4]);
        break;
      case 1: value.resize(offset % (value.size() + 1)); break;
      case 2:
        value.insert(offset % (value.size() + 1), 1 + data[4] % 8, static_cast<char>(data[2]));
        break;
      case 3: key[offset % key.size()] = static_cast<char>(data[4]); break;
      case 4: records.erase(records.begin() + static_cast<std::ptrdiff_t>(at)); break;
      default:
        records.insert(records.begin() + static_cast<std::ptrdiff_t>(at),
                       records[data[4] % records.size()]);
    }
  }
  return records;
}

Records read(std::string_view bytes) {
  Records records;
  wire::ByteReader in(bytes);
  while (in.remaining() > 0) {
    const std::string_view key = in.string();
    const std::string_view value = in.string();
    if (in.failed()) break;
    records.emplace_back(key, value);
  }
  return records;
}

// What may follow a restoration: the level falls, and a large result is kept, so that the oldest
// become receipts. Both convert the restored results.
void use_results(const session::SessionTable& restored, const std::vector<wire::SessionId>& ids) {
  for (std::uint32_t level = 0; level < wire::known_levels.greatest.value; ++level) {
    session::SessionTable lowered = restored;
    lowered.become_former(wire::forms_at({level}));
  }
  static const wire::Bytes large = [] {
    wire::MultiReply reply;
    const wire::Bytes data(session::Results::bytes_max, 'x');
    reply.results.emplace_back(wire::OpReply(wire::GetReply{data, {}}));
    return session::encode_outcome(wire::ReplyBody(reply), {{1}, 9}, wire::newest_forms);
  }();
  session::SessionTable full = restored;
  for (const wire::SessionId id : ids) {
    const session::Results* results = full.results(id);
    if (results == nullptr) continue;
    const std::int64_t last = *results->last();
    if (last < std::numeric_limits<std::int64_t>::max()) full.keep(id, last + 1, large);
  }
}

std::unique_ptr<znode::Tree> tree_of(const std::vector<znode::NodeRecord>& nodes) {
  znode::TreeRestoration restoration(nodes.size());
  for (const znode::NodeRecord& node : nodes) {
    if (!restoration.add(node.serial, *node.bytes)) return nullptr;
  }
  auto tree = restoration.finish();
  return tree ? std::move(*tree) : nullptr;
}

void restore_tree(const Records& records) {
  std::vector<znode::NodeRecord> nodes;
  session::SessionTable sessions;
  std::vector<wire::SessionId> restored;
  for (const auto& [key, value] : records) {
    const auto decoded = session::decode_key(key);
    if (!decoded) continue;
    if (decoded->kind == session::RecordKind::node) nodes.push_back({decoded->number, value});
    if (decoded->kind == session::RecordKind::session &&
        sessions.restore({decoded->number}, value)) {
      restored.push_back({decoded->number});
    }
  }
  use_results(sessions, restored);
  const auto tree = tree_of(nodes);
  if (!tree) return;
  std::vector<znode::NodeRecord> again;
  const znode::Node& root = tree->at("/");
  for (const znode::Node* node = &root; node != nullptr; node = next_in_subtree(*node, root)) {
    again.push_back({node->serial(), encode(*node, 1)});
  }
  std::ranges::sort(again, {}, &znode::NodeRecord::serial);
  const auto same = tree_of(again);
  ensure(same && same->digest() == tree->digest(), "a tree is stored as it is");
}

void restore_replica(const Records& records) {
  session::Restoration restoration;
  for (const auto& [key, value] : records) {
    if (!restoration.add(key, value)) return;
  }
  const auto service = restoration.finish();
  if (!service) return;
  const auto header = session::decode_header(records.front().second);
  ensure(header && (*service)->digest() == header->digest, "the header is not to be lied to");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Records records = data[0] == 0 ? read({reinterpret_cast<const char*>(data) + 1, size - 1})
                                       : edited(data + 1, size - 1);
  restore_tree(records);
  restore_replica(records);
  return 0;
}
