// The same memory seen as a device tensor and as a CPU tensor.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

namespace virtual_npu {

constexpr auto kDevice = c10::DeviceType::PrivateUse1;

inline bool on_device(const at::Tensor& tensor) { return tensor.defined() && tensor.device().type() == kDevice; }

template <class Visit>
void visit_tensors(const c10::IValue& value, Visit visit) {
  if (value.isTensor()) {
    if (value.toTensor().defined()) visit(value.toTensor());
  } else if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorList())
      if (tensor.defined()) visit(tensor);
  } else if (value.isOptionalTensorList()) {
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorList())
      if (tensor && tensor->defined()) visit(*tensor);
  }
}

// A CPU tensor over the memory of a device tensor; any other tensor as it is.
at::Tensor host_alias(const at::Tensor& tensor);

// What a CPU kernel made, on the device; of a meta kernel's result the place for it, zeros where it is small.
at::Tensor to_device(const at::Tensor& result, c10::Device device);

// aten::clone.  Laid out as torch_npu does: contiguous, unless the strides are to be kept.
at::Tensor cloned(const at::Tensor& tensor, std::optional<c10::MemoryFormat> format);

// A kernel may have resized the alias, as it does with out= tensors: the device tensor follows.
void follow(const at::Tensor& tensor, const at::Tensor& alias);

}  // namespace virtual_npu
