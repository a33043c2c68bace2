#include "session/restoration.h"

#include <string>
#include <utility>

#include "wire/zxid.h"

namespace session {
namespace {

wire::Error invalid_state(std::string what) {
  return {wire::ErrorCode::marshalling_error, std::move(what)};
}

}  // namespace

wire::Result<void> Restoration::add(std::string_view key, std::string_view value) {
  const auto decoded = decode_key(key);
  if (!decoded) return decoded.error();
  if (key <= last_key_) return invalid_state("stored records are out of order");
  last_key_ = key;
  if ((decoded->kind == RecordKind::header) == header_.has_value()) {
    return invalid_state("stored records must begin with exactly one header");
  }
  switch (decoded->kind) {
    case RecordKind::header: {
      auto header = decode_header(value);
      if (!header) return header.error();
      if (!known_.contains(header->level)) {
        return wire::Error{wire::ErrorCode::unimplemented,
                           "the stored state is of " + wire::to_string(header->level) +
                               ", and this program can run at " + wire::to_string(known_)};
      }
      header_ = *header;
      tree_.emplace(header_->nodes, options_.watches.hash_key);
      return {};
    }
    case RecordKind::node: return tree_->add(decoded->number, value);
    case RecordKind::session: return sessions_.restore({decoded->number}, value);
  }
  return invalid_state("a stored record has an unknown key");
}

wire::Result<std::unique_ptr<Service>> Restoration::finish() {
  if (!header_) return invalid_state("a stored state has no header");
  auto tree = tree_->finish();
  if (!tree) return tree.error();
  std::unique_ptr<Service> service(
      new Service(**tree, std::move(sessions_), *header_, options_, known_));
  if (service->tree().size() != header_->nodes) {
    return invalid_state("a stored state has " + std::to_string(service->tree().size()) +
                         " nodes, and should have " + std::to_string(header_->nodes));
  }
  if (service->digest() != header_->digest) {
    return invalid_state("a stored state's digest is " + wire::to_hex(service->digest()) +
                         ", and should be " + wire::to_hex(header_->digest));
  }
  return service;
}

}  // namespace session
