#include "znode/operations.h"

namespace znode {
namespace {

const wire::Error not_there{wire::ErrorCode::unimplemented, "ACLs are not there yet"};

}  // namespace

wire::Result<Txn> plan(const wire::SetAclRequest&, const Caller&, Draft&) { return not_there; }

wire::Result<wire::AclReply> read(const wire::GetAclRequest&, const Tree&) { return not_there; }

}  // namespace znode
