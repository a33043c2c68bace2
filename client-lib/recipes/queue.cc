#include "client-lib/recipes/queue.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "wire/ensure.h"

namespace zabkeeper {
namespace {

constexpr std::size_t limit_digits_max = 7;

bool is_lower_hex(char c) { return ('0' <= c && c <= '9') || ('a' <= c && c <= 'f'); }

std::string uuid_of(std::string_view id) {
  std::string uuid(id);
  for (const std::size_t at : {20u, 16u, 12u, 8u}) uuid.insert(at, 1, '-');
  return uuid;
}

QueueOptions queue(std::string path, std::string mark, std::string kind) {
  QueueOptions options;
  options.path = std::move(path);
  options.mark = std::move(mark);
  options.kind = std::move(kind);
  return options;
}

}  // namespace

bool is_id(std::string_view text) {
  return text.size() == id_digits && std::ranges::all_of(text, is_lower_hex);
}

void check_id(std::string_view id) { ensure(is_id(id), "an id has 32 lower-case hex digits"); }

// Without kinds to wait for: so a lock also excludes kazoo's readers and writers on its path.
QueueOptions lock_queue(std::string path, std::string_view id, LockNames names) {
  check_id(id);
  switch (names) {
    case LockNames::own: break;
    case LockNames::curator: return queue(std::move(path), "_c_" + uuid_of(id), "-lock-");
    case LockNames::kazoo: return queue(std::move(path), std::string(id), "__lock__");
  }
  return queue(std::move(path), std::string(id) + '-', "lock-");
}

QueueOptions write_queue(std::string path, std::string_view id) {
  check_id(id);
  return queue(std::move(path), std::string(id) + '-', std::string(writer_kind));
}

QueueOptions read_queue(std::string path, std::string_view id) {
  check_id(id);
  QueueOptions options = queue(std::move(path), std::string(id) + '-', std::string(reader_kind));
  options.among = {std::string(writer_kind)};
  return options;
}

QueueOptions semaphore_queue(std::string path, std::string_view id) {
  check_id(id);
  QueueOptions options = queue(std::move(path), std::string(id) + '-', "lease-");
  options.is_limit_in_parent = true;
  return options;
}

wire::SetRequest semaphore_limit(std::string path, std::int32_t limit) {
  return {std::move(path), std::to_string(limit), wire::any_version, true};
}

std::optional<std::int32_t> limit_of(std::string_view data) {
  if (data.empty() || data.size() > limit_digits_max) return std::nullopt;
  std::int32_t limit = 0;
  for (const char c : data) {
    if (c < '0' || '9' < c) return std::nullopt;
    limit = limit * 10 + (c - '0');
  }
  if (limit < 1 || limit > wire::turn_limit_max) return std::nullopt;
  return limit;
}

std::string below(const std::string& path, std::string_view name) {
  return (path == "/" ? path : path + '/') + std::string(name);
}

}  // namespace zabkeeper
