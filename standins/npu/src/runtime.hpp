// What the parts of the stand-in runtime know of each other.
#pragma once

#include <acl/acl.h>

#include <string>

namespace virtual_npu {

// Logical number of the device this thread works on, -1 before the first aclrtSetDevice.
int current_device();
// The same, or the first device for calls that CANN answers without a context.
int current_or_first_device();
int device_count();
int physical_device(int logical);

// Keeps the sentence for aclGetRecentErrMsg, where torch_npu looks for it, and hands the code back.
aclError fail(aclError code, std::string sentence);
// For what CANN can do and this stand-in can not.
aclError refuse(const char* name);

}  // namespace virtual_npu
