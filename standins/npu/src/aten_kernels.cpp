#include "aten_kernels.hpp"

#include <ATen/core/LegacyTypeDispatch.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <string_view>
#include <unordered_set>

#include "device_tensors.hpp"
#include "random_numbers.hpp"
#include "settings.hpp"
#include "sizes.hpp"

namespace virtual_npu {
namespace {

using c10::IValue;
using torch::jit::Stack;

bool starts_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }
bool ends_with(std::string_view text, std::string_view suffix) {
  return text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
}

c10::Device current() { return c10::impl::VirtualGuardImpl(kDevice).getDevice(); }

// What CANN's documentation gives for aclnnMm, aclnnMatmul, aclnnBatchMatMul and aclnnConvolution on an Atlas A2.
bool multiplies_matrices(std::string_view name) {
  for (const auto* op :
       {"mm", "addmm", "bmm", "baddbmm", "addbmm", "convolution", "convolution_backward", "_convolution"})
    if (name == std::string("aten::") + op) return true;
  return false;
}

// A CPU tensor of no dimension counts as a number where the kernel of torch_npu asks for it (IsCPUScalar and the like in
// op-plugin's public source); it hands every other tensor to CANN, which takes none of the host.  Of rsub no kernel of
// its own was found, so it is not refused.
bool takes_a_host_number(std::string_view name) {
  static const std::unordered_set<std::string_view> takers{
      "add",        "atan2",       "bernoulli", "bitwise_and", "bitwise_or", "bitwise_xor", "div", "eq",
      "fill",       "floor_divide", "fmod",     "ge",          "gt",         "le",          "logical_or", "lt",
      "masked_fill", "max",        "maximum",   "min",         "minimum",    "mul",         "ne",  "pow",
      "remainder",  "rsub",        "sub",       "where"};
  name.remove_prefix(std::string_view("aten::").size());
  if (ends_with(name, "_")) name.remove_suffix(1);
  return takers.count(name) > 0;
}

bool is_multiplied_by_silicon(at::ScalarType type) {
  return type == at::kHalf || type == at::kBFloat16 || type == at::kFloat;
}

// With TASK_QUEUE_ENABLE, and that is torch_npu's default, a thread of its own makes copies and collectives one after the
// other.  Kernels compute at once, so they wait until it is done with what came before them.
void wait_for_queued_tasks(c10::Device device) {
  static const bool queued = environment("TASK_QUEUE_ENABLE", 1) != 0;
  if (queued && device.type() == kDevice) c10::impl::VirtualGuardImpl(kDevice).synchronizeDevice(device.index());
}

// Sizes of 1 leave several readings of the same strides; torch's skeletons take this one before they keep the strides.
bool is_laid_out_as_channels_last(const at::Tensor& tensor) {
  return tensor.dim() > 3 && !tensor.is_contiguous() &&
         (tensor.suggest_memory_format() != at::MemoryFormat::Contiguous ||
          tensor.is_contiguous(at::MemoryFormat::ChannelsLast) || tensor.is_contiguous(at::MemoryFormat::ChannelsLast3d));
}

[[noreturn]] void complain_about_devices(c10::Device one, c10::Device other, const std::string& argument,
                                         const std::string& op) {
  TORCH_CHECK(false, "Expected all tensors to be on the same device, but found at least two devices, ", one, " and ",
              other, "! (when checking argument for argument ", argument, " in method ", op, ")");
}

}  // namespace

CpuKernel::CpuKernel(const c10::FunctionSchema& schema, bool random)
    : random_(random), may_warn_(multiplies_matrices(schema.name())) {
  for (const auto& argument : schema.arguments()) {
    auto type = argument.type();
    if (auto optional = type->cast<c10::OptionalType>()) type = optional->getElementType();
    Kind kind = Kind::Other;
    if (argument.name() == "pin_memory")
      kind = Kind::PinMemory;
    else if (type->kind() == c10::TypeKind::TensorType)
      kind = Kind::Tensor;
    else if (type->kind() == c10::TypeKind::DeviceObjType)
      kind = Kind::Device;
    else if (type->kind() == c10::TypeKind::GeneratorType)
      kind = Kind::Generator;
    else if (type->isSubtypeOf(*c10::ListType::ofTensors()))
      kind = Kind::TensorList;
    else if (type->isSubtypeOf(*c10::ListType::ofOptionalTensors()))
      kind = Kind::OptionalTensorList;
    takes_generator_ |= kind == Kind::Generator;
    arguments_.push_back({kind, argument.alias_info() && argument.alias_info()->isWrite(), argument.is_out()});
  }
  for (const auto& result : schema.returns()) {
    int handed_back = -1;
    if (result.alias_info() && result.alias_info()->isWrite())
      for (size_t i = 0; i < arguments_.size(); ++i)
        if (schema.arguments()[i].alias_info() && *schema.arguments()[i].alias_info() == *result.alias_info())
          handed_back = static_cast<int>(i);
    returned_argument_.push_back(handed_back);
  }
  const std::string_view name = schema.name();
  if (starts_with(name, "aten::_foreach_"))
    mixing_ = Mixing::PerEntry;
  else if (starts_with(name, "aten::index") || starts_with(name, "aten::_index_put") ||
           starts_with(name, "aten::_unsafe_index"))
    mixing_ = Mixing::HostIndices;
  else if (name.find("copy") != name.npos || ends_with(name, "_like") || name == "aten::resize_as_" ||
           name == "aten::set_")
    mixing_ = Mixing::Anything;
  else
    mixing_ = takes_a_host_number(name) ? Mixing::HostNumbers : Mixing::None;
}

// Whether a tensor that is not on the device of the others may be where it is.  A number written in the program comes as
// a CPU tensor too, and is marked.
bool CpuKernel::may_be_on_the_host(const at::Tensor& tensor) const {
  if (!tensor.device().is_cpu() || tensor.dim() > 0) return false;
  return mixing_ != Mixing::None || tensor.unsafeGetTensorImpl()->is_wrapped_number();
}

CpuKernel::Places CpuKernel::places_of(const IValue* values, const c10::FunctionSchema& schema) const {
  Places places;
  for (size_t i = 0; i < arguments_.size() && !places.device; ++i)
    visit_tensors(values[i], [&](const at::Tensor& tensor) {
      if (!places.device && on_device(tensor)) places.device = tensor.device();
    });
  if (!places.device || mixing_ == Mixing::Anything) return places;
  for (size_t i = 0; i < arguments_.size(); ++i)
    visit_tensors(values[i], [&](const at::Tensor& tensor) {
      if (tensor.device() == *places.device || may_be_on_the_host(tensor)) return;
      if (mixing_ == Mixing::PerEntry)
        places.several = true;
      else if (mixing_ != Mixing::HostIndices || arguments_[i].kind != Kind::OptionalTensorList)
        complain_about_devices(*places.device, tensor.device(), schema.arguments()[i].name(), schema.name());
      else
        TORCH_CHECK(tensor.device().is_cpu(),
                    "indices should be either on cpu or on the same device as the indexed tensor (", *places.device,
                    ")");
    });
  return places;
}

IValue CpuKernel::on_host(const IValue& value, Kind kind, c10::Device device, HostAliases& aliases) const {
  switch (kind) {
    case Kind::Tensor: return value.isTensor() ? IValue(aliases.of(value.toTensor())) : value;
    case Kind::TensorList: {
      if (!value.isTensorList()) return value;
      auto tensors = value.toTensorVector();
      for (auto& tensor : tensors) tensor = aliases.of(tensor);
      return IValue(c10::List<at::Tensor>(tensors));
    }
    case Kind::OptionalTensorList: {
      if (!value.isOptionalTensorList()) return value;
      c10::List<std::optional<at::Tensor>> tensors;
      for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorList())
        tensors.push_back(tensor ? std::optional<at::Tensor>(aliases.of(*tensor)) : tensor);
      return IValue(std::move(tensors));
    }
    case Kind::Device:  // DeepSpeed asks for shapes with zeros_like(..., device="meta")
      return value.isNone() || value.toDevice().is_meta() ? value : IValue(c10::Device(c10::kCPU));
    case Kind::PinMemory: return IValue();
    case Kind::Generator: {
      const auto chosen =
          value.isNone() ? std::optional<at::Generator>() : std::optional<at::Generator>(value.toGenerator());
      return random_ || (chosen && chosen->defined()) ? IValue(host_generator(device, chosen)) : value;
    }
    case Kind::Other: break;
  }
  return value;
}

IValue CpuKernel::returned(const IValue& value, const std::vector<IValue>& given, const std::vector<IValue>& aliased,
                           c10::Device device) const {
  if (value.isTensorList()) {
    auto tensors = value.toTensorVector();
    for (auto& tensor : tensors) tensor = to_device(tensor, device);
    return IValue(c10::List<at::Tensor>(tensors));
  }
  if (!value.isTensor() || !value.toTensor().defined()) return value;
  const auto* result = value.toTensor().unsafeGetTensorImpl();
  for (size_t i = 0; i < aliased.size(); ++i)  // an operator with nothing to do hands an input back
    if (aliased[i].isTensor() && aliased[i].toTensor().unsafeGetTensorImpl() == result) return given[i];
  return to_device(value.toTensor(), device);
}

void CpuKernel::warn_about_type(const Stack& stack, const c10::FunctionSchema& schema) {
  const auto& first = stack[stack.size() - arguments_.size()];
  if (!first.isTensor() || is_multiplied_by_silicon(first.toTensor().scalar_type()) || !may_warn_.exchange(false))
    return;
  TORCH_WARN("the virtual NPU computes ", schema.name(), " in ", first.toTensor().scalar_type(),
             "; an Ascend 910B refuses: its matrix operators take float16, bfloat16 and float32");
}

void CpuKernel::compute(const c10::OperatorHandle& op, Stack* stack, c10::Device device) const {
  at::AutoDispatchBelowADInplaceOrView below_autograd;
  const RecordedAlready recorded;
  if (random_ && !takes_generator_) {
    DefaultGeneratorReplaced generator(device);
    op.callBoxed(stack);
  } else {
    op.callBoxed(stack);
  }
}

// Finds out sizes; false, and the stack as it was, where the numbers are to be computed.
bool CpuKernel::finds_sizes(const c10::OperatorHandle& op, Stack* stack, const std::vector<IValue>& given,
                            std::vector<IValue>& aliased) const {
  if (depends_on_numbers(op, given) || !op.hasComputedKernelForDispatchKey(c10::DispatchKey::Meta)) return false;
  const size_t begin = stack->size() - arguments_.size();
  aliased = run_without_memory(op, stack);
  const bool small = are_small(given.data(), given.data() + given.size()) &&
                     are_small(stack->data() + begin, stack->data() + stack->size());
  if (!small || !op.hasComputedKernelForDispatchKey(c10::DispatchKey::CPU)) return true;  // npu:: operators have none
  stack->resize(begin);
  stack->insert(stack->end(), given.begin(), given.end());
  return false;
}

void CpuKernel::operator()(const c10::OperatorHandle& op, c10::DispatchKeySet, Stack* stack) {
  const size_t begin = stack->size() - arguments_.size();
  const auto places = places_of(stack->data() + begin, op.schema());
  if (may_warn_) warn_about_type(*stack, op.schema());
  if (places.several) return op.callBoxedForDispatchKey(c10::DispatchKey::CompositeExplicitAutograd, *stack);
  c10::Device device = places.device.value_or(c10::Device(kDevice, -1));

  const std::vector<IValue> given(stack->begin() + begin, stack->end());
  for (size_t i = 0; i < arguments_.size(); ++i)
    if (arguments_[i].kind == Kind::Device && given[i].isDevice()) device = given[i].toDevice();
  if (device.type() == kDevice && device.index() < 0) device = current();
  std::vector<IValue> aliased;
  const bool sized = sizes_only() && finds_sizes(op, stack, given, aliased);
  if (!sized) {
    wait_for_queued_tasks(device);
    HostAliases aliases;
    for (size_t i = 0; i < arguments_.size(); ++i)
      if (arguments_[i].kind != Kind::Other) (*stack)[begin + i] = on_host(given[i], arguments_[i].kind, device, aliases);
    aliased.assign(stack->begin() + begin, stack->end());
    compute(op, stack, device);
  }

  for (size_t i = 0; i < arguments_.size(); ++i) {
    if (!arguments_[i].written) continue;
    if (arguments_[i].kind == Kind::Tensor && given[i].isTensor()) follow(given[i].toTensor(), aliased[i].toTensor());
    if (sized && arguments_[i].is_result && given[i].isTensor()) clear(given[i].toTensor());
    if (arguments_[i].kind == Kind::TensorList)
      for (size_t k = 0; k < given[i].toTensorList().size(); ++k)
        follow(given[i].toTensorList()[k], aliased[i].toTensorList()[k]);
  }
  const size_t results = stack->size() - returned_argument_.size();
  for (size_t k = 0; k < returned_argument_.size(); ++k) {
    auto& value = (*stack)[results + k];
    value = returned_argument_[k] >= 0 ? given[returned_argument_[k]] : returned(value, given, aliased, device);
  }
}

void StructuredKernel::operator()(const c10::OperatorHandle& op, c10::DispatchKeySet keys, Stack* stack) {
  // The skeleton would ask for a result laid out as its argument, and torch_npu makes none with channels last.
  bool channels_last = false;
  for (size_t i = stack->size() - op.schema().arguments().size(); i < stack->size(); ++i)
    visit_tensors((*stack)[i], [&](const at::Tensor& tensor) {
      channels_last |= is_laid_out_as_channels_last(tensor);
    });
  if (channels_last) return direct_(op, keys, stack);
  const RecordedAlready recorded;
  op.callBoxedForDispatchKey(c10::DispatchKey::CompositeExplicitAutogradNonFunctional, *stack);
}

void not_emulated(const c10::OperatorHandle& op, c10::DispatchKeySet, Stack*) {
  TORCH_CHECK_NOT_IMPLEMENTED(false, "not emulated by the virtual NPU: ", op.operator_name());
}

void through_the_cpu(const c10::OperatorHandle& op, c10::DispatchKeySet, Stack* stack) {
  const size_t begin = stack->size() - op.schema().arguments().size(), results = op.schema().returns().size();
  std::optional<c10::Device> device;
  const auto fetched = [&](const at::Tensor& tensor) {
    if (!on_device(tensor)) return tensor;
    device = tensor.device();
    return tensor.to(c10::kCPU);
  };
  for (size_t i = begin; i < stack->size(); ++i) {
    auto& value = (*stack)[i];
    if (value.isTensor()) {
      value = fetched(value.toTensor());
    } else if (value.isTensorList()) {
      auto tensors = value.toTensorVector();
      for (auto& tensor : tensors) tensor = fetched(tensor);
      value = IValue(c10::List<at::Tensor>(tensors));
    }
  }
  op.callBoxed(stack);
  for (size_t i = stack->size() - results; i < stack->size(); ++i)
    if ((*stack)[i].isTensor() && device) (*stack)[i] = (*stack)[i].toTensor().to(*device);
}

}  // namespace virtual_npu
