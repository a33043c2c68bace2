#include "znode/identity.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>

#include <openssl/evp.h>

#include "wire/base64.h"
#include "wire/ensure.h"

namespace znode {
namespace {

using wire::Error;
using wire::ErrorCode;

// 4 or 16 bytes; empty if `text` is no address.
std::string bytes_of(std::string_view text) {
  std::string bytes(16, '\0');
  const std::string address(text);
  if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) return bytes.substr(0, 4);
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) != 1) return {};
  const std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xFF\xFF", 12);
  return bytes.starts_with(mapped) ? bytes.substr(12) : bytes;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned differing = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differing |= static_cast<unsigned>(a[i] ^ b[i]);
  return differing == 0;
}

}  // namespace

Identities Identities::of(std::vector<wire::Identity> list) {
  Identities identities;
  if (!list.empty()) {
    identities.list_ = std::make_shared<const std::vector<wire::Identity>>(std::move(list));
  }
  return identities;
}

const std::vector<wire::Identity>& Identities::list() const {
  static const std::vector<wire::Identity> none;
  return list_ ? *list_ : none;
}

bool Identities::is_super() const {
  return std::ranges::any_of(list(), [](const auto& each) { return each.scheme == "super"; });
}

Identities Identities::with(const std::vector<wire::Identity>& more) const {
  std::vector<wire::Identity> all = list();
  for (const wire::Identity& each : more) {
    if (std::ranges::find(all, each) == all.end()) all.push_back(each);
  }
  return of(std::move(all));
}

std::string digest_of(std::string_view token) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  ensure(EVP_Digest(token.data(), token.size(), hash.data(), &size, EVP_sha1(), nullptr) == 1,
         "OpenSSL knows SHA-1");
  std::string digest(token.substr(0, token.find(':')));
  digest += ':';
  wire::append_base64({reinterpret_cast<const char*>(hash.data()), size}, digest);
  return digest;
}

bool is_digest_id(std::string_view id) {
  const std::size_t colon = id.find(':');
  return colon != id.npos && colon + 1 < id.size() && id.find(':', colon + 1) == id.npos;
}

wire::Result<Identities> authenticate(const wire::AuthRequest& auth, const Identities& known,
                                      std::string_view super_digest) {
  if (auth.token.size() > identity_bytes_max) {
    return Error{ErrorCode::too_large, "token: longer than " + std::to_string(identity_bytes_max)};
  }
  // Who a connection is by its address, it is already.
  if (auth.scheme == "ip") return known;
  if (auth.scheme == "x509") {
    return Error{ErrorCode::auth_failed, "scheme \"x509\": the connection has no certificate"};
  }
  if (auth.scheme != "digest") {
    return Error{ErrorCode::auth_failed,
                 "scheme \"" + auth.scheme.substr(0, 64) + "\" is not known"};
  }
  std::vector<wire::Identity> shown{{"digest", digest_of(auth.token)}};
  if (!super_digest.empty() && equal_in_constant_time(shown.front().id, super_digest)) {
    shown.insert(shown.begin(), {"super", ""});
  }
  Identities all = known.with(shown);
  if (all.list().size() > identities_max) {
    return Error{ErrorCode::too_large,
                 "a connection has at most " + std::to_string(identities_max) + " identities"};
  }
  return all;
}

wire::WhoamiReply whoami(const Identities& identities) {
  wire::WhoamiReply reply{{{"world", "anyone"}}};
  for (const wire::Identity& each : identities.list()) {
    const bool is_digest = each.scheme == "digest";
    reply.identities.push_back(
        {each.scheme, is_digest ? each.id.substr(0, each.id.find(':')) : each.id});
  }
  return reply;
}

std::optional<Network> Network::of(std::string_view text) {
  Network network;
  const std::size_t slash = text.find('/');
  network.octets_ = bytes_of(text.substr(0, slash));
  if (network.octets_.empty()) return std::nullopt;
  const auto whole = static_cast<unsigned>(8 * network.octets_.size());
  network.bits_ = whole;
  if (slash == text.npos) return network;

  const std::string_view bits = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), network.bits_);
  if (error != std::errc() || end != bits.data() + bits.size() || network.bits_ > whole) {
    return std::nullopt;
  }
  return network;
}

bool Network::contains(std::string_view address) const {
  const std::string bytes = bytes_of(address);
  if (bytes.size() != octets_.size()) return false;
  for (unsigned bit = 0; bit < bits_; ++bit) {
    const unsigned mask = 0x80u >> (bit % 8);
    if (((static_cast<unsigned char>(bytes[bit / 8]) ^
          static_cast<unsigned char>(octets_[bit / 8])) &
         mask) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace znode
