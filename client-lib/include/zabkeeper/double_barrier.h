#pragma once

#include "client-lib/double_barrier.h"
