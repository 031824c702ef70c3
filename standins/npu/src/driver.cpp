// The driver's library.  There is no driver: it tells the number of devices, the oldest version and no clock, so
// torch_npu takes the host's time.
#include <cstdint>

#include "settings.hpp"

extern "C" {

int32_t halGetAPIVersion(int32_t* version) {
  *version = 0;
  return 0;
}

int32_t drvGetDevNum(uint32_t* count) {
  *count = static_cast<uint32_t>(virtual_npu::installed_devices());
  return 0;
}

int32_t halGetDeviceInfo(uint32_t, int32_t, int32_t, int64_t*) {
  constexpr int32_t kNotSupported = 0xfffe;
  return kNotSupported;
}
}
