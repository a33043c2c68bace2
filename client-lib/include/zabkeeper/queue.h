#pragma once

#include "client-lib/queue.h"
