#pragma once

#include "client-lib/service_registry.h"
