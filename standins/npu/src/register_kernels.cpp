// Goes through PyTorch's operators when the device starts and replaces those of torch_npu's kernels that would call
// CANN.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "aten_kernels.hpp"
#include "attention.hpp"
#include "device_tensors.hpp"
#include "npu_operators.hpp"
#include "settings.hpp"
#include "sizes.hpp"

namespace virtual_npu {
namespace {

using c10::DispatchKey;
using torch::CppFunction;

// Views, allocation and what else torch_npu does on the host, right as it is.
const std::unordered_set<std::string> host_side{"aten::empty.memory_format",
                                                "aten::empty_strided",
                                                "aten::new_empty_strided",
                                                "aten::as_strided",
                                                "aten::as_strided_",
                                                "aten::view",
                                                "aten::_reshape_alias",
                                                "aten::alias",
                                                "aten::unfold",
                                                "aten::view_as_real",
                                                "aten::view_as_complex",
                                                "aten::empty_like",
                                                "aten::_to_copy",
                                                "aten::resize_",
                                                "aten::resize_as_",
                                                "aten::set_",
                                                "aten::set_.source_Storage",
                                                "aten::set_.source_Storage_storage_offset",
                                                "aten::set_.source_Tensor",
                                                "aten::_copy_from_and_resize",
                                                "aten::record_stream",
                                                "aten::is_pinned",
                                                "aten::_is_pinned",
                                                "aten::_pin_memory",
                                                "aten::is_set_to",
                                                "aten::_has_compatible_shallow_copy_type"};

// Their fused parts exist for accelerators only.
const std::unordered_set<std::string> recurrent{"aten::lstm.input", "aten::lstm.data", "aten::gru.input",
                                                "aten::gru.data",   "aten::lstm_cell", "aten::gru_cell"};

// Parts of torch's own composition where torch_npu has another one: silicon would not fall back to the CPU for them.
const std::unordered_set<std::string> parts{"aten::_weight_norm_interface", "aten::_weight_norm_interface_backward",
                                            "aten::_scaled_dot_product_flash_attention_for_cpu",
                                            "aten::_scaled_dot_product_flash_attention_for_cpu_backward"};

bool is_view(const c10::FunctionSchema& schema) {
  for (const auto& result : schema.returns())
    if (result.alias_info() && !result.alias_info()->isWrite()) return true;
  return false;
}

// Their out= overloads resize what they are given, and warn.
bool is_loss(const c10::FunctionSchema& schema) { return schema.name().ends_with("_loss"); }

bool writes_into_an_argument(const c10::FunctionSchema& schema) {
  for (const auto& argument : schema.arguments())
    if (argument.is_out()) return true;
  return false;
}

bool draws_random_numbers(const c10::OperatorHandle& op) {
  for (const auto tag : op.getTags())
    if (tag == at::Tag::nondeterministic_seeded) return true;
  return false;
}

bool has(const c10::OperatorHandle& op, DispatchKey key) { return op.hasKernelForDispatchKey(key); }

CppFunction as_for(const c10::OperatorHandle& op, DispatchKey key) {
  return CppFunction::makeFromBoxedFunctor(std::make_unique<ForwardingKernel>(computed_kernel(op, key)));
}

template <class Kernel, class... Arguments>
CppFunction boxed(Arguments&&... arguments) {
  return CppFunction::makeFromBoxedFunctor(std::make_unique<Kernel>(std::forward<Arguments>(arguments)...));
}

class Registration {
 public:
  Registration(torch::Library& device, torch::Library& autograd, const std::vector<c10::OperatorHandle>& ops)
      : device_(device), autograd_(autograd) {
    for (const auto& op : ops)
      if (known(op)) known_.insert(op.schema().name());
  }

  void replace(const c10::OperatorHandle& op) {
    const auto full = c10::toString(op.operator_name());
    const auto name = full.substr(std::string("aten::").size());
    if (full == "aten::scaled_dot_product_attention" && sizes_only()) {
      return;  // torch_npu's own, over npu_fusion_attention
    } else if (full == "aten::scaled_dot_product_attention") {
      device_.impl(name.c_str(), &scaled_dot_product_attention);
      autograd_.impl(name.c_str(), &scaled_dot_product_attention);
    } else if (full == "aten::clone") {
      device_.impl(name.c_str(), &cloned);
    } else if (full == "aten::to.dtype" && known(op)) {
      device_.impl(name.c_str(), &cast);
      autograd_.impl(name.c_str(), &cast);
    } else if (recurrent.count(full)) {
      device_.impl(name.c_str(), CppFunction::makeFromBoxedFunction<&through_the_cpu>());
      autograd_.impl(name.c_str(), CppFunction::makeFromBoxedFunction<&through_the_cpu>());
    } else if (full == "aten::_pack_padded_sequence") {  // its lengths are on the host, whatever is packed
      device_.impl(name.c_str(), boxed<CompositeKernel>(DispatchKey::CompositeExplicitAutograd));
    } else if (host_side.count(full)) {
      return;
    } else if (known(op) && has(op, DispatchKey::CompositeImplicitAutograd) && !has(op, DispatchKey::CPU)) {
      device_.impl(name.c_str(), boxed<CompositeKernel>(DispatchKey::CompositeImplicitAutograd));
      autograd_.impl(name.c_str(), boxed<CompositeKernel>(DispatchKey::CompositeImplicitAutograd));
    } else {
      if (has(op, DispatchKey::AutogradPrivateUse1) || parts.count(full))
        autograd_.impl(name.c_str(), as_for(op, DispatchKey::AutogradCPU));
      if (auto kernel = kernel_for(op, full)) device_.impl(name.c_str(), std::move(*kernel));
    }
  }

 private:
  static bool known(const c10::OperatorHandle& op) {
    return has(op, DispatchKey::PrivateUse1) || has(op, DispatchKey::AutogradPrivateUse1);
  }

  // The computation below autograd, or nothing where torch_npu's own is right.
  std::optional<CppFunction> kernel_for(const c10::OperatorHandle& op, const std::string& full) const {
    const auto& schema = op.schema();
    if (!has(op, DispatchKey::PrivateUse1)) {
      // What torch_npu does not know stays with its fallback to the CPU and the warning it gives on silicon as well; an
      // overload that only torch's skeletons call is not such a case.
      const bool internal = parts.count(full) || (known_.count(schema.name()) && writes_into_an_argument(schema));
      if (!internal || !has(op, DispatchKey::CPU)) return std::nullopt;
    } else if (is_view(schema)) {
      if (!has(op, DispatchKey::CompositeExplicitAutograd)) return std::nullopt;
      return as_for(op, DispatchKey::CPU);
    } else if (has(op, DispatchKey::CompositeExplicitAutogradNonFunctional) && !is_loss(schema)) {
      return boxed<StructuredKernel>(schema);
    }
    if (!op.hasComputedKernelForDispatchKey(DispatchKey::CPU))
      return CppFunction::makeFromBoxedFunction<&not_emulated>();
    return boxed<CpuKernel>(schema, draws_random_numbers(op));
  }

  torch::Library& device_;
  torch::Library& autograd_;
  std::unordered_set<std::string> known_;  // without overloads
};

// Replacing kernels is what this library is for: torch's warning about it would only hide others.
struct NoWarnings final : c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

void register_kernels() {
  NoWarnings none;
  c10::WarningUtils::WarningHandlerGuard guard(&none);
  static std::vector<torch::Library> libraries;  // a registration lasts as long as its library
  libraries.reserve(8);
  auto& device = libraries.emplace_back(torch::Library::IMPL, "aten", DispatchKey::PrivateUse1, __FILE__, __LINE__);
  auto& autograd =
      libraries.emplace_back(torch::Library::IMPL, "aten", DispatchKey::AutogradPrivateUse1, __FILE__, __LINE__);
  auto& dispatcher = c10::Dispatcher::singleton();
  std::vector<c10::OperatorHandle> ops;
  for (const auto& name : dispatcher.getAllOpNames())
    if (name.getNamespace() == std::string_view("aten"))
      if (const auto op = dispatcher.findSchema(name)) ops.push_back(*op);
  Registration registration(device, autograd, ops);
  for (const auto& op : ops) registration.replace(op);
  register_npu_operators(libraries);
  if (sizes_only()) leave_the_host_untouched(libraries, ops);
}

}  // namespace
}  // namespace virtual_npu

extern "C" void virtual_npu_register_kernels() { virtual_npu::register_kernels(); }
