#pragma once

#include "zab/effects.h"

namespace server {

// What comes of the protocol, for those who use it.
class DriverHandler {
 public:
  virtual ~DriverHandler() = default;

  // A committed transaction, in zxid order.
  virtual void deliver(const zab::Txn& txn) = 0;
  virtual void confirmed(const zab::Confirmed& confirmed) = 0;
  // After everything that was delivered before it.
  virtual void role_changed(const zab::RoleStatus& role_status) = 0;
};

}  // namespace server
