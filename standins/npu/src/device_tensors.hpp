// The same memory seen as a device tensor and as a CPU tensor.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <unordered_map>

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

// CPU tensors over the memory of device tensors; any other tensor as it is.  What shares a storage on the device shares
// one here, and what is one tensor stays one, so that torch sees where the arguments of an operator overlap.
class HostAliases {
 public:
  at::Tensor of(const at::Tensor& tensor);

 private:
  c10::Storage storage_of(const at::Tensor& tensor);

  std::unordered_map<const c10::StorageImpl*, c10::Storage> storages_;
  std::unordered_map<const c10::TensorImpl*, at::Tensor> aliases_;
};

// Of one tensor.
at::Tensor host_alias(const at::Tensor& tensor);

// What a CPU kernel made, on the device; of a meta kernel's result the place for it, zeros where it is small.
at::Tensor to_device(const at::Tensor& result, c10::Device device);

// aten::clone.  Laid out as torch_npu does: contiguous, unless the strides are to be kept.
at::Tensor cloned(const at::Tensor& tensor, std::optional<c10::MemoryFormat> format);

// As torch_npu before 2.9 casts, with float32 in place of float64; newer ones see to that further below.
at::Tensor cast(const at::Tensor& tensor, at::ScalarType type, bool non_blocking, bool copy,
                std::optional<c10::MemoryFormat> format);

// A kernel may have resized the alias, as it does with out= tensors: the device tensor follows.
void follow(const at::Tensor& tensor, const at::Tensor& alias);

}  // namespace virtual_npu
