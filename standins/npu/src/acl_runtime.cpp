// ACL runtime: start, devices, contexts and what a device tells about itself.
#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime.hpp"
#include "settings.hpp"

namespace virtual_npu {
namespace {

thread_local int device_of_thread = -1;
thread_local std::string recent_error;

// A context is the address of its device's entry.
std::array<int, kMaxDevices> contexts;
std::array<std::atomic<bool>, kMaxDevices> was_set;

std::mutex options_mutex;
std::map<int, int64_t> options;

const std::vector<int>& visible() {
  static const std::vector<int> devices = visible_devices();
  return devices;
}

// The kernels need libtorch, which a program that only asks for devices has not loaded: so they live in a library of
// their own, beside this one, and come in at aclInit, when torch_npu has finished its own registrations.
aclError load_kernels() {
  static std::atomic<bool> loaded{false};
  if (loaded.exchange(true)) return ACL_SUCCESS;
  Dl_info self{};
  dladdr(reinterpret_cast<void*>(&load_kernels), &self);
  std::string path(self.dli_fname);
  path = path.substr(0, path.rfind('/') + 1) + "libvirtual_npu_kernels.so";
  void* library = dlopen(path.c_str(), RTLD_NOW);
  if (!library) return fail(ACL_ERROR_INTERNAL_ERROR, std::string("the virtual NPU has no kernels: ") + dlerror());
  reinterpret_cast<void (*)()>(dlsym(library, "virtual_npu_register_kernels"))();
  return ACL_SUCCESS;
}

}  // namespace

int current_device() { return device_of_thread; }
int current_or_first_device() { return device_of_thread < 0 ? 0 : device_of_thread; }
int device_count() { return static_cast<int>(visible().size()); }
int physical_device(int logical) { return visible().at(logical); }

aclError fail(aclError code, std::string sentence) {
  recent_error = std::move(sentence);
  return code;
}

aclError refuse(const char* name) {
  return fail(ACL_ERROR_FEATURE_UNSUPPORTED, std::string("not emulated by the virtual NPU: ") + name);
}

}  // namespace virtual_npu

using namespace virtual_npu;

extern "C" {

// The mark by which a library is told from CANN's, as standins/npu/build.py has it.
extern const char virtual_npu_mark[];
const char virtual_npu_mark[] = "these libraries take the place of CANN's; there is no Ascend device behind them";

aclError aclInit(const char*) {
  static std::atomic<bool> started{false};
  return started.exchange(true) ? ACL_ERROR_REPEAT_INITIALIZE : load_kernels();
}

aclError aclFinalize() { return ACL_SUCCESS; }

const char* aclGetRecentErrMsg() {
  static thread_local std::string told;  // the pointer has to outlive the call
  told = std::exchange(recent_error, {});
  return told.c_str();
}

const char* aclrtGetSocName() { return kSocName; }

aclError aclrtGetDeviceCount(uint32_t* count) {
  // In a rehearsal weights are loaded on the host before the device starts: its kernels are needed then.
  if (sizes_only() && dlopen("libtorch_cpu.so", RTLD_NOLOAD | RTLD_LAZY)) load_kernels();
  *count = device_count();
  return ACL_SUCCESS;
}

aclError aclrtSetDevice(int32_t device) {
  if (device < 0 || device >= device_count())
    return fail(ACL_ERROR_RT_INVALID_DEVICEID, "device " + std::to_string(device) +
                                                   " of the virtual NPU does not exist: there are " +
                                                   std::to_string(device_count()) + " (VIRTUAL_NPU_DEVICES)");
  device_of_thread = device;
  was_set[device] = true;
  return ACL_SUCCESS;
}

aclError aclrtResetDevice(int32_t) { return ACL_SUCCESS; }

aclError aclrtGetDevice(int32_t* device) {
  if (device_of_thread < 0) return ACL_ERROR_RT_CONTEXT_NULL;
  *device = device_of_thread;
  return ACL_SUCCESS;
}

aclError aclrtGetLogicDevIdByUserDevId(const int32_t user, int32_t* const logical) {
  *logical = user;
  return ACL_SUCCESS;
}

aclError aclrtGetCurrentContext(aclrtContext* context) {
  if (device_of_thread < 0) return ACL_ERROR_RT_CONTEXT_NULL;
  *context = &contexts[device_of_thread];
  return ACL_SUCCESS;
}

aclError aclrtSetCurrentContext(aclrtContext context) {
  device_of_thread = static_cast<int>(static_cast<int*>(context) - contexts.data());
  return ACL_SUCCESS;
}

aclError aclrtGetPrimaryCtxState(int32_t device, uint32_t* flags, int32_t* active) {
  if (device < 0 || device >= device_count()) return ACL_ERROR_RT_INVALID_DEVICEID;
  if (flags) *flags = 0;
  if (active) *active = was_set[device];
  return ACL_SUCCESS;
}

aclError aclrtDeviceCanAccessPeer(int32_t* can, int32_t, int32_t) {
  *can = 1;
  return ACL_SUCCESS;
}

aclError aclrtDeviceEnablePeerAccess(int32_t, uint32_t) { return ACL_SUCCESS; }

aclError aclrtDeviceGetBareTgid(int32_t* process) {
  *process = getpid();
  return ACL_SUCCESS;
}

// Core counts of an Ascend 910B3: 20 cube cores, 40 vector cores, 192 MiB of L2.
aclError aclGetDeviceCapability(uint32_t, aclDeviceInfo what, int64_t* value) {
  *value = what == ACL_DEVICE_INFO_AI_CORE_NUM ? 20 : what == ACL_DEVICE_INFO_VECTOR_CORE_NUM ? 40 : 192LL << 20;
  return ACL_SUCCESS;
}

aclError aclrtGetDeviceInfo(uint32_t, aclrtDevAttr what, int64_t* value) {
  switch (static_cast<int>(what)) {  // by number: headers before torch_npu 2.8 lack some of the names
    case 101:                        // ACL_DEV_ATTR_AICORE_CORE_NUM
    case 102: *value = 20; break;    // ACL_DEV_ATTR_CUBE_CORE_NUM
    case 201: *value = 40; break;    // ACL_DEV_ATTR_VECTOR_CORE_NUM
    case 301: *value = static_cast<int64_t>(device_memory()); break;  // ACL_DEV_ATTR_TOTAL_GLOBAL_MEM_SIZE
    case 302: *value = 192LL << 20; break;                            // ACL_DEV_ATTR_L2_CACHE_SIZE
    default: *value = 0;
  }
  return ACL_SUCCESS;
}

aclError aclrtDeviceGetUuid(int32_t device, aclrtUuid* uuid) {
  std::memset(uuid, 0, sizeof *uuid);
  reinterpret_cast<char*>(uuid)[0] = static_cast<char>(physical_device(device) + 1);
  return ACL_SUCCESS;
}

aclError aclrtGetDeviceUtilizationRate(int32_t, aclrtUtilizationInfo* rate) {
  std::memset(rate, 0, sizeof *rate);
  return ACL_SUCCESS;
}

// As on a 910B: numbers overflow to infinity, and bfloat16 is there.
aclError aclGetCannAttributeList(const aclCannAttr** attributes, size_t* count) {
  static const aclCannAttr present[] = {ACL_CANN_ATTR_INF_NAN, ACL_CANN_ATTR_BF16};
  *attributes = present;
  *count = std::size(present);
  return ACL_SUCCESS;
}

aclError aclGetCannAttribute(aclCannAttr attribute, int32_t* value) {
  *value = attribute == ACL_CANN_ATTR_INF_NAN || attribute == ACL_CANN_ATTR_BF16;
  return ACL_SUCCESS;
}

aclError aclsysGetCANNVersion(aclCANNPackageName, aclCANNPackageVersion* version) {
  std::memset(version, 0, sizeof *version);
  std::snprintf(version->version, sizeof version->version, "%s", kCannVersion);
  return ACL_SUCCESS;
}

aclError aclsysGetVersionStr(char*, char* version) {
  std::strcpy(version, kCannVersion);
  return ACL_SUCCESS;
}

aclError aclrtGetSysParamOpt(aclSysParamOpt option, int64_t* value) {
  std::lock_guard<std::mutex> guard(options_mutex);
  *value = options[option];
  return ACL_SUCCESS;
}

aclError aclrtSetSysParamOpt(aclSysParamOpt option, int64_t value) {
  std::lock_guard<std::mutex> guard(options_mutex);
  options[option] = value;
  return ACL_SUCCESS;
}

aclError aclrtCtxGetSysParamOpt(aclSysParamOpt option, int64_t* value) { return aclrtGetSysParamOpt(option, value); }
aclError aclrtCtxSetSysParamOpt(aclSysParamOpt option, int64_t value) { return aclrtSetSysParamOpt(option, value); }

aclError aclrtPeekAtLastError(aclrtLastErrLevel) { return ACL_SUCCESS; }
aclError aclrtGetLastError(aclrtLastErrLevel) { return ACL_SUCCESS; }

// Arithmetic on the host keeps infinities and NaN, which is what torch_npu asks a 910B for.
aclError aclrtSetDeviceSatMode(aclrtFloatOverflowMode) { return ACL_SUCCESS; }

// Nothing runs in the background, so nothing can time out.
aclError aclrtSetOpWaitTimeout(uint32_t) { return ACL_SUCCESS; }
aclError aclrtSetOpExecuteTimeOut(uint32_t) { return ACL_SUCCESS; }
aclError aclrtSetOpExecuteTimeOutV2(uint64_t timeout, uint64_t* actual) {
  if (actual) *actual = timeout;
  return ACL_SUCCESS;
}

// CANN's own log, which goes to files of its own.
void aclAppLog(aclLogLevel, const char*, const char*, uint32_t, const char*, ...) {}
}
