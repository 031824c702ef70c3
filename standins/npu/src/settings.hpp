// What this virtual device is, read once from the environment.  Header only: npu-smi shares it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

namespace virtual_npu {

constexpr int kMaxDevices = 16;
constexpr const char* kSocName = "Ascend910B3";
// torch_npu switches features by CANN's version, so one has to be told: the release its 2.12 and 2.13 are paired with.
constexpr const char* kCannVersion = "9.1.0";

// provide() has checked the values already, so text that is no number only comes from elsewhere and counts as none.
inline double environment(const char* name, double otherwise) {
  const char* text = std::getenv(name);
  if (!text || !*text) return otherwise;
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  return *end ? otherwise : value;
}

inline int installed_devices() {
  static const int devices = std::clamp(static_cast<int>(environment("VIRTUAL_NPU_DEVICES", 1)), 0, kMaxDevices);
  return devices;
}

// In bytes.  60.97 GiB is what an Ascend 910B of 64 GB reports to programs.
inline std::size_t device_memory() {
  static const auto bytes = static_cast<std::size_t>(environment("VIRTUAL_NPU_MEMORY_GIB", 60.97) * (1 << 30));
  return bytes;
}

// Rehearsal: device memory is address space, and operators find out the sizes of their results only.
inline bool sizes_only() {
  static const bool chosen = environment("VIRTUAL_NPU_SIZES_ONLY", 0) != 0;
  return chosen;
}

// What is small is computed and copied in a rehearsal as well, so that ids, masks, labels and what is printed are
// plausible.  Of larger things only the size counts; floating-point numbers are hidden states sooner than ids are, and
// half of a computation on zeros gives nan where the whole of it would not.
constexpr std::size_t kSmall = 1 << 20, kSmallFloats = 64 << 10;

inline bool only_counts(std::size_t bytes) { return sizes_only() && bytes > kSmall; }

// Physical numbers of the devices that the process sees.  CANN's runtime reads ASCEND_RT_VISIBLE_DEVICES once, when its
// first function is called (Runtime::GetVisibleDevices in its public source), and no further than its first entry that
// is no number or no installed device; numbers have to ascend or there is none.
inline std::vector<int> visible_devices() {
  std::vector<int> devices;
  const int installed = installed_devices();
  const char* chosen = std::getenv("ASCEND_RT_VISIBLE_DEVICES");
  if (!chosen) {
    for (int device = 0; device < installed; ++device) devices.push_back(device);
    return devices;
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };  // strtol would take a blank or a sign
  for (const char* at = chosen; is_digit(*at);) {
    char* end = nullptr;
    const long device = std::strtol(at, &end, 10);
    if (device >= installed) break;
    if (!devices.empty() && device <= devices.back()) return {};
    devices.push_back(static_cast<int>(device));
    at = *end == ',' ? end + 1 : "";
  }
  return devices;
}

}  // namespace virtual_npu
