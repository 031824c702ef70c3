#include "random_numbers.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include "device_tensors.hpp"

namespace at_npu::detail {
// torch_npu's own: before 2.13 torch's hooks do not lead there.
const at::Generator& getDefaultNPUGenerator(c10::DeviceIndex device);
}  // namespace at_npu::detail

namespace virtual_npu {
namespace {

constexpr uint64_t kOffsetStep = 4;  // torch_npu refuses offsets that are no multiple of four

// splitmix64: draws of one seed at different offsets have nothing to do with each other.
uint64_t mixed(uint64_t seed, uint64_t offset) {
  uint64_t z = seed + 0x9E3779B97F4A7C15ULL * (offset + 1);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

at::Generator host_generator(c10::Device device, const std::optional<at::Generator>& chosen) {
  at::Generator generator = chosen && chosen->defined() ? *chosen : at_npu::detail::getDefaultNPUGenerator(device.index());
  TORCH_CHECK(generator.device().type() == kDevice, "Expected a '", kDevice, "' device type for generator but found '",
              generator.device().type(), "'");  // as torch's check_generator, which op-plugin's kernels call
  std::lock_guard<std::mutex> guard(generator.mutex());
  const uint64_t seed = generator.current_seed(), offset = generator.get_offset();
  generator.set_offset(offset + kOffsetStep);
  // The first draw after a seed equals the CPU's: handy where a page compares both.
  return at::detail::createCPUGenerator(offset == 0 ? seed : mixed(seed, offset));
}

DefaultGeneratorReplaced::DefaultGeneratorReplaced(c10::Device device)
    : generator_(at::detail::getDefaultCPUGenerator()), kept_(generator_.get_state()) {
  generator_.set_state(host_generator(device, std::nullopt).get_state());
}

DefaultGeneratorReplaced::~DefaultGeneratorReplaced() { generator_.set_state(kept_); }

}  // namespace virtual_npu
