// The same memory seen as a device tensor and as a CPU tensor.
#pragma once

#include <ATen/core/Tensor.h>

namespace virtual_npu {

constexpr auto kDevice = c10::DeviceType::PrivateUse1;

inline bool on_device(const at::Tensor& tensor) { return tensor.defined() && tensor.device().type() == kDevice; }

// A CPU tensor over the memory of a device tensor; any other tensor as it is.
at::Tensor host_alias(const at::Tensor& tensor);

// What a CPU kernel made, on the device.
at::Tensor to_device(const at::Tensor& result, c10::Device device);

// aten::clone.  Laid out as torch_npu does: contiguous, unless the strides are to be kept.
at::Tensor cloned(const at::Tensor& tensor, std::optional<c10::MemoryFormat> format);

// A kernel may have resized the alias, as it does with out= tensors: the device tensor follows.
void follow(const at::Tensor& tensor, const at::Tensor& alias);

}  // namespace virtual_npu
