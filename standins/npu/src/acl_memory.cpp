// Device memory is host memory, counted against the size of the virtual device.
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>

#include "runtime.hpp"
#include "settings.hpp"

namespace virtual_npu {
namespace {

constexpr size_t kAlignment = 512;  // CANN's, which torch_npu's allocator counts on

struct Block {
  size_t bytes;
  int device;
};

std::mutex memory_mutex;
std::map<uintptr_t, Block> blocks;
std::array<size_t, kMaxDevices> used;

std::string mebibytes(size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

// Linux hands out more than it has and kills when the pages are written, so a block it can not hold is refused here.
size_t available_on_host() {
  std::ifstream file("/proc/meminfo");
  for (std::string key; file >> key; file.ignore(std::numeric_limits<std::streamsize>::max(), '\n')) {
    size_t kibibytes = 0;
    if (key == "MemAvailable:" && file >> kibibytes) return kibibytes << 10;
  }
  return std::numeric_limits<size_t>::max();
}

// Address space: pages come into being where they are written, all others read as zeros.  Taken one way in both modes, so
// that torch_npu's allocator meets the same blocks and counts the same.
bool take(void** pointer, size_t bytes) {
  if (!sizes_only() && bytes > available_on_host()) return false;
  *pointer = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return *pointer != MAP_FAILED;
}

void copy(void* to, const void* from, size_t bytes) {
  if (!only_counts(bytes)) std::memmove(to, from, bytes);
}

void set(void* at, int value, size_t bytes) {
  if (!only_counts(bytes)) std::memset(at, value, bytes);
}

aclError allocate(void** pointer, size_t bytes) {
  bytes = std::max(bytes, kAlignment);
  const int device = current_or_first_device();
  std::lock_guard<std::mutex> guard(memory_mutex);
  if (bytes > device_memory() - used[device])
    return fail(ACL_ERROR_RT_MEMORY_ALLOCATION, "the virtual NPU has " + mebibytes(device_memory()) +
                                                    " (VIRTUAL_NPU_MEMORY_GIB), of which " + mebibytes(used[device]) +
                                                    " are taken");
  if (!take(pointer, bytes))
    return fail(ACL_ERROR_RT_MEMORY_ALLOCATION,
                "the host, whose memory the virtual NPU uses, has no " + mebibytes(bytes) + " left");
  used[device] += bytes;
  blocks[reinterpret_cast<uintptr_t>(*pointer)] = {bytes, device};
  return ACL_SUCCESS;
}

aclError allocate_on_host(void** pointer, size_t bytes) {
  return posix_memalign(pointer, kAlignment, std::max<size_t>(bytes, 1)) ? ACL_ERROR_RT_MEMORY_ALLOCATION : ACL_SUCCESS;
}

}  // namespace
}  // namespace virtual_npu

using namespace virtual_npu;

extern "C" {

aclError aclrtMalloc(void** pointer, size_t bytes, aclrtMemMallocPolicy) { return allocate(pointer, bytes); }
aclError aclrtMallocAlign32(void** pointer, size_t bytes, aclrtMemMallocPolicy) { return allocate(pointer, bytes); }

aclError aclrtFree(void* pointer) {
  std::lock_guard<std::mutex> guard(memory_mutex);
  const auto block = blocks.find(reinterpret_cast<uintptr_t>(pointer));
  if (block == blocks.end()) return ACL_ERROR_INVALID_PARAM;
  used[block->second.device] -= block->second.bytes;
  munmap(pointer, block->second.bytes);
  blocks.erase(block);
  return ACL_SUCCESS;
}

aclError aclrtGetMemInfo(aclrtMemAttr, size_t* free, size_t* total) {
  std::lock_guard<std::mutex> guard(memory_mutex);
  *total = device_memory();
  *free = *total - used[current_or_first_device()];
  return ACL_SUCCESS;
}

aclError aclrtMallocHost(void** pointer, size_t bytes) { return allocate_on_host(pointer, bytes); }
aclError aclrtMallocHostWithCfg(void** pointer, uint64_t bytes, aclrtMallocConfig*) {
  return allocate_on_host(pointer, bytes);
}

aclError aclrtFreeHost(void* pointer) {
  std::free(pointer);
  return ACL_SUCCESS;
}

aclError aclrtHostRegister(void* pointer, uint64_t, aclrtHostRegisterType, void** device_pointer) {
  *device_pointer = pointer;
  return ACL_SUCCESS;
}

aclError aclrtHostUnregister(void*) { return ACL_SUCCESS; }

aclError aclrtPointerGetAttributes(const void* pointer, aclrtPtrAttributes* attributes) {
  std::memset(attributes, 0, sizeof *attributes);
  attributes->location.type = ACL_MEM_LOCATION_TYPE_HOST;
  const auto address = reinterpret_cast<uintptr_t>(pointer);
  std::lock_guard<std::mutex> guard(memory_mutex);
  auto block = blocks.upper_bound(address);
  if (block == blocks.begin()) return ACL_SUCCESS;
  --block;
  if (address < block->first + block->second.bytes) {
    attributes->location.type = ACL_MEM_LOCATION_TYPE_DEVICE;
    attributes->location.id = block->second.device;
  }
  return ACL_SUCCESS;
}

aclError aclrtMemcpy(void* to, size_t, const void* from, size_t bytes, aclrtMemcpyKind) {
  copy(to, from, bytes);
  return ACL_SUCCESS;
}

aclError aclrtMemcpyAsync(void* to, size_t, const void* from, size_t bytes, aclrtMemcpyKind, aclrtStream) {
  copy(to, from, bytes);
  return ACL_SUCCESS;
}

aclError aclrtMemcpyBatch(void** to, size_t*, void** from, size_t* bytes, size_t count, aclrtMemcpyBatchAttr*, size_t*,
                          size_t, size_t*) {
  for (size_t i = 0; i < count; ++i) copy(to[i], from[i], bytes[i]);
  return ACL_SUCCESS;
}

aclError aclrtMemset(void* at, size_t, int32_t value, size_t bytes) {
  set(at, value, bytes);
  return ACL_SUCCESS;
}

aclError aclrtMemsetAsync(void* at, size_t, int32_t value, size_t bytes, aclrtStream) {
  set(at, value, bytes);
  return ACL_SUCCESS;
}
}
