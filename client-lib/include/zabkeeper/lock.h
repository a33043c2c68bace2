#pragma once

#include "client-lib/lock.h"
