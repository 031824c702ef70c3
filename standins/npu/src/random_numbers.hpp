// Random numbers: a CPU generator in the place of the device's.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <optional>

namespace virtual_npu {

// A CPU generator for one draw, made of the device generator's seed and offset, which moves on.
at::Generator host_generator(c10::Device device, const std::optional<at::Generator>& chosen);

// For kernels that draw from the default CPU generator and take no other: puts one in its place, and it back after the
// draw.
class DefaultGeneratorReplaced {
 public:
  explicit DefaultGeneratorReplaced(c10::Device device);
  ~DefaultGeneratorReplaced();
  DefaultGeneratorReplaced(const DefaultGeneratorReplaced&) = delete;
  DefaultGeneratorReplaced& operator=(const DefaultGeneratorReplaced&) = delete;

 private:
  at::Generator generator_;
  at::Tensor kept_;
};

}  // namespace virtual_npu
