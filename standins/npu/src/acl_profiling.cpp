// The profiling side of CANN.  Nothing runs on a device, so it takes what it is told and records nothing: torch_npu's
// profiler then writes what happened on the host.
#include <acl/acl_prof.h>

#include <chrono>

extern "C" {

aclError aclprofInit(const char*, size_t) { return ACL_SUCCESS; }
aclError aclprofFinalize() { return ACL_SUCCESS; }
aclError aclprofStart(const aclprofConfig*) { return ACL_SUCCESS; }
aclError aclprofStop(const aclprofConfig*) { return ACL_SUCCESS; }
aclError aclprofWarmup(const aclprofConfig*) { return ACL_SUCCESS; }
aclError aclprofSetConfig(aclprofConfigType, const char*, size_t) { return ACL_SUCCESS; }
aclError aclprofMarkEx(const char*, size_t, aclrtStream) { return ACL_SUCCESS; }
aclError aclprofRegisterDeviceCallback() { return ACL_SUCCESS; }

aclprofConfig* aclprofCreateConfig(uint32_t*, uint32_t, aclprofAicoreMetrics, const aclprofAicoreEvents*, uint64_t) {
  return reinterpret_cast<aclprofConfig*>(new char);
}

aclError aclprofDestroyConfig(const aclprofConfig* config) {
  delete reinterpret_cast<const char*>(config);
  return ACL_SUCCESS;
}

// Their header lies elsewhere or not at all in older torch_npu wheels, and what they are told is not looked at.
int32_t MsprofRegisterCallback(uint32_t, int32_t (*)(uint32_t, void*, uint32_t)) { return 0; }
int32_t MsprofReportApi(uint32_t, const void*) { return 0; }
int32_t MsprofReportCompactInfo(uint32_t, const void*, uint32_t) { return 0; }
int32_t MsprofReportAdditionalInfo(uint32_t, const void*, uint32_t) { return 0; }
uint64_t MsprofGetHashId(const char*, size_t) { return 0; }

uint64_t MsprofSysCycleTime() {
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(time).count());
}

// MSPTI, through which torch.profiler asks what ran on the device.  Its header is not in torch_npu's wheels.
int msptiSubscribe(void** subscriber, void*, void*) {
  static int one;
  *subscriber = &one;
  return 0;
}
int msptiUnsubscribe(void*) { return 0; }
bool msptiActivityIsEnabled(int) { return false; }
int msptiActivityEnable(int) { return 0; }
int msptiActivityDisable(int) { return 0; }
int msptiActivityRegisterCallbacks(void*, void*) { return 0; }
int msptiActivityFlushAll(uint32_t) { return 0; }
int msptiActivityPushExternalCorrelationId(int, uint64_t) { return 0; }
int msptiActivityPopExternalCorrelationId(int, uint64_t*) { return 0; }
int msptiActivityGetNextRecord(uint8_t*, size_t, void**) {
  constexpr int kNoMore = 3;
  return kNoMore;
}
}
