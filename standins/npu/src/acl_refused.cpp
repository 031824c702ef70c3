// CANN functions that torch_npu links to and the virtual NPU does not emulate: each answers an error with its own name.
// CANN's headers stay out, for they declare the same names with arguments that do not matter here.
namespace virtual_npu {
int refuse(const char* name);
}

#define REFUSED(name) \
  extern "C" int name() { return virtual_npu::refuse(#name); }
#include "acl_refused.def"
