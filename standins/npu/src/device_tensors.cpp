#include "device_tensors.hpp"

#include <ATen/EmptyTensor.h>
#include <ATen/ExpandUtils.h>
#include <ATen/ops/as_strided.h>
#include <ATen/ops/copy.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/to_native.h>
#include <c10/core/CPUAllocator.h>

#include <cstring>

#include "settings.hpp"
#include "sizes.hpp"

namespace virtual_npu {
namespace {

// The alias owns a reference to the device tensor's storage, so its memory lives as long as either.
c10::DataPtr borrowed(const c10::Storage& storage) {
  auto* owner = c10::Storage(storage).unsafeReleaseStorageImpl();
  return {const_cast<void*>(storage.data()), owner,
          [](void* context) { c10::intrusive_ptr<c10::StorageImpl>::reclaim(static_cast<c10::StorageImpl*>(context)); },
          c10::Device(c10::kCPU)};
}

}  // namespace

c10::Storage HostAliases::storage_of(const at::Tensor& tensor) {
  const auto& storage = tensor.storage();
  auto& known = storages_[storage.unsafeGetStorageImpl()];
  if (!known)
    known = c10::Storage(c10::Storage::use_byte_size_t(), storage.nbytes(), borrowed(storage), c10::GetCPUAllocator(),
                         /*resizable=*/true);
  return known;
}

at::Tensor HostAliases::of(const at::Tensor& tensor) {
  if (!on_device(tensor)) return tensor;
  auto& alias = aliases_[tensor.unsafeGetTensorImpl()];
  if (alias.defined()) return alias;
  TORCH_CHECK_NOT_IMPLEMENTED(tensor.layout() == c10::kStrided, "not emulated by the virtual NPU: tensors with layout ",
                              tensor.layout());
  alias = at::detail::make_tensor<c10::TensorImpl>(storage_of(tensor), c10::DispatchKeySet(c10::DispatchKey::CPU),
                                                   tensor.dtype());
  auto* impl = alias.unsafeGetTensorImpl();
  impl->set_sizes_and_strides(tensor.sizes(), tensor.strides(), tensor.storage_offset());
  if (tensor.is_conj()) alias._set_conj(true);
  if (tensor.is_neg()) alias._set_neg(true);
  if (tensor.unsafeGetTensorImpl()->is_wrapped_number()) impl->set_wrapped_number(true);
  return alias;
}

at::Tensor host_alias(const at::Tensor& tensor) { return HostAliases().of(tensor); }

at::Tensor to_device(const at::Tensor& result, c10::Device device) {
  if (device.type() != kDevice || !result.defined() || !(result.is_cpu() || result.is_meta()) ||
      result.layout() != c10::kStrided)
    return result;
  const auto dense = result.is_non_overlapping_and_dense() ? result : result.contiguous();
  auto made = at::empty_strided(dense.sizes(), dense.strides(), dense.options().device(device));
  const size_t bytes = dense.numel() * dense.element_size();
  if (result.is_meta())
    clear(made);
  else if (bytes && !only_counts(bytes))
    std::memcpy(made.storage().mutable_data(), dense.const_data_ptr(), bytes);
  if (dense.is_conj()) made._set_conj(true);
  if (dense.is_neg()) made._set_neg(true);
  return made;
}

at::Tensor cloned(const at::Tensor& tensor, std::optional<c10::MemoryFormat> format) {
  if (format.value_or(c10::MemoryFormat::Preserve) != c10::MemoryFormat::Preserve)
    return at::empty(tensor.sizes(), tensor.options()).copy_(tensor);
  const auto strides = tensor.is_non_overlapping_and_dense()
                           ? tensor.strides().vec()
                           : at::infer_dense_strides(tensor.sizes(), tensor.strides());
  return at::empty_strided(tensor.sizes(), strides, tensor.options()).copy_(tensor);
}

at::Tensor cast(const at::Tensor& tensor, at::ScalarType type, bool non_blocking, bool copy,
                std::optional<c10::MemoryFormat> format) {
  return at::native::to(tensor, type == at::kDouble ? at::kFloat : type, non_blocking, copy, format);
}

void follow(const at::Tensor& tensor, const at::Tensor& alias) {
  if (!on_device(tensor)) return;
  bool moved = !alias.is_meta() && alias.storage().data() != tensor.storage().data();
  if (alias.sizes() != tensor.sizes()) {
    tensor.resize_(alias.sizes());
    moved = !alias.is_meta();
  }
  if (alias.strides() != tensor.strides() || alias.storage_offset() != tensor.storage_offset())
    tensor.as_strided_(alias.sizes(), alias.strides(), alias.storage_offset());
  if (moved && alias.numel()) host_alias(tensor).copy_(alias);
}

}  // namespace virtual_npu
