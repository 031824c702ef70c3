// The profiling side of CANN: it accepts what it is told and records nothing, for nothing runs on a device.
#include <profiling/aprof_pub.h>

#include <chrono>

extern "C" {

int32_t MsprofRegisterCallback(uint32_t, ProfCommandHandle) { return 0; }
int32_t MsprofReportApi(uint32_t, const MsprofApi*) { return 0; }
int32_t MsprofReportCompactInfo(uint32_t, const VOID_PTR, uint32_t) { return 0; }
int32_t MsprofReportAdditionalInfo(uint32_t, const VOID_PTR, uint32_t) { return 0; }
uint64_t MsprofGetHashId(const char*, size_t) { return 0; }

uint64_t MsprofSysCycleTime() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}
}
