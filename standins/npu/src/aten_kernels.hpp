// Kernels that compute PyTorch's operators on the memory of the virtual device.
#pragma once

#include <ATen/core/boxing/OperatorKernel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <ATen/record_function.h>

#include <atomic>
#include <vector>

#include "computed_kernel.hpp"
#include "device_tensors.hpp"

namespace virtual_npu {

// A profiler has seen the operator: what it is made of here would count twice.
class RecordedAlready {
 public:
  RecordedAlready() {
    if (at::hasCallbacks()) guard_.emplace();
  }

 private:
  std::optional<at::DisableRecordFunctionGuard> guard_;
};

// Runs the CPU's kernel on aliases of device tensors and moves what it makes to the device.
class CpuKernel final : public c10::OperatorKernel {
 public:
  explicit CpuKernel(const c10::FunctionSchema& schema, bool random);
  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack);

 private:
  enum class Kind { Other, Tensor, TensorList, OptionalTensorList, Device, Generator, PinMemory };
  // Which tensors may be elsewhere than the rest.
  enum class Mixing { None, Anything, HostIndices, HostNumbers, PerEntry };

  struct Argument {
    Kind kind;
    bool written;
    bool is_result;  // of an out= overload
  };

  struct Places {
    std::optional<c10::Device> device;  // of the device tensors
    bool several = false;               // lists reach over more than one, which only Mixing::PerEntry lets pass
  };

  bool may_be_on_the_host(const at::Tensor& tensor) const;
  Places places_of(const c10::IValue* values, const c10::FunctionSchema& schema) const;
  void warn_about_type(const torch::jit::Stack& stack, const c10::FunctionSchema& schema);
  bool finds_sizes(const c10::OperatorHandle& op, torch::jit::Stack* stack, const std::vector<c10::IValue>& given,
                   std::vector<c10::IValue>& aliased) const;
  void compute(const c10::OperatorHandle& op, torch::jit::Stack* stack, c10::Device device) const;
  c10::IValue on_host(const c10::IValue& value, Kind kind, c10::Device device, HostAliases& aliases) const;
  c10::IValue returned(const c10::IValue& value, const std::vector<c10::IValue>& given,
                       const std::vector<c10::IValue>& aliased, c10::Device device) const;

  std::vector<Argument> arguments_;
  std::vector<int> returned_argument_;  // per result: the argument that an in-place or out= operator hands back, or -1
  Mixing mixing_;
  bool random_;
  bool takes_generator_ = false;
  std::atomic<bool> may_warn_;  // of a type that silicon does not multiply matrices of
};

// torch's skeleton of a structured operator: it finds the result's shape, allocates on the device and calls the out=
// overload, which then writes into device memory without a copy.
class StructuredKernel final : public c10::OperatorKernel {
 public:
  explicit StructuredKernel(const c10::FunctionSchema& schema) : direct_(schema, /*random=*/false) {}
  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack);

 private:
  CpuKernel direct_;
};

// Runs the kernel that another dispatch key would run: torch's own composition or autograd formula in the place of
// torch_npu's.
class ForwardingKernel final : public c10::OperatorKernel {
 public:
  explicit ForwardingKernel(ComputedKernel kernel) : kernel_(std::move(kernel)) {}
  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
    kernel_.callBoxed(op, keys, stack);
  }

 private:
  ComputedKernel kernel_;
};

// Lets torch compose the operator of others, with the kernel it has for this kind of composition.
class CompositeKernel final : public c10::OperatorKernel {
 public:
  explicit CompositeKernel(c10::DispatchKey kind) : kind_(kind) {}
  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
    op.callBoxedForDispatchKey(kind_, *stack);
  }

 private:
  c10::DispatchKey kind_;
};

// The error that names an operator.
void not_emulated(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack);

// Goes to the CPU and back so that autograd sees it: for recurrent cells, whose fused parts have no CPU kernel.
void through_the_cpu(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack);

}  // namespace virtual_npu
