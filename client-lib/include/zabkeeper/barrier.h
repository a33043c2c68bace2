#pragma once

#include "client-lib/barrier.h"
