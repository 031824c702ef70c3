// The driver's library.  There is no driver: it tells the oldest version and no clock, so torch_npu takes the host's time.
#include <cstdint>

extern "C" {

int32_t halGetAPIVersion(int32_t* version) {
  *version = 0;
  return 0;
}

int32_t halGetDeviceInfo(uint32_t, int32_t, int32_t, int64_t*) {
  constexpr int32_t kNotSupported = 0xfffe;
  return kNotSupported;
}
}
