// Rehearsal: what takes the place of computing where only the sizes of results are asked for.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <torch/library.h>

#include <vector>

namespace virtual_npu {

// A tensor without memory of the same sizes, strides and type.
at::Tensor meta_alias(const at::Tensor& tensor);

// Zeros, where the tensor is small: what a rehearsal does not compute shall not be what was there before.
void clear(const at::Tensor& tensor);

// Whether the operator's results, or their sizes, follow from numbers: then it runs on what there is, zeros mostly.
bool depends_on_numbers(const c10::OperatorHandle& op, const std::vector<c10::IValue>& given);

// Whether all of these tensors are small enough to be computed.
bool are_small(const c10::IValue* begin, const c10::IValue* end);

// Lets torch's meta kernel take the arguments off the stack and put results without memory there.  Returns the
// arguments it was given; those that an operator writes into have their new sizes.
std::vector<c10::IValue> run_without_memory(const c10::OperatorHandle& op, torch::jit::Stack* stack);

// Large floating-point tensors of the host stay untouched address space too, so that weights of the true size are
// loaded, converted and initialised in no memory and no time.
void leave_the_host_untouched(std::vector<torch::Library>& libraries, const std::vector<c10::OperatorHandle>& ops);

}  // namespace virtual_npu
