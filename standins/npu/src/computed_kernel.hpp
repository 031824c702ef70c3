// The kernel that torch's dispatcher found for an operator and a dispatch key, as a value to keep and call later.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/api/include/torch/version.h>

namespace virtual_npu {

#if TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 9  // an operator's handle does not tell yet, but holds the table

template <auto Member>
struct Opened {
  friend auto& entry_of(const c10::OperatorHandle& op) { return (op.*Member)->op; }
};
auto& entry_of(const c10::OperatorHandle& op);
template struct Opened<&c10::OperatorHandle::operatorDef_>;  // naming a private member is allowed here and only here

using ComputedKernel = c10::KernelFunction;

inline ComputedKernel computed_kernel(const c10::OperatorHandle& op, c10::DispatchKey key) {
  return entry_of(op).lookup(c10::DispatchKeySet(key));
}

#else

using ComputedKernel = c10::SafeKernelFunction;

inline ComputedKernel computed_kernel(const c10::OperatorHandle& op, c10::DispatchKey key) {
  return op.getComputedKernelForDispatchKey(key);
}

#endif

}  // namespace virtual_npu
