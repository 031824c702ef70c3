#include "sizes.hpp"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty_strided.h>

#include <cstring>
#include <memory>
#include <string>
#include <unordered_set>

#include "aten_kernels.hpp"
#include "device_tensors.hpp"
#include "settings.hpp"

namespace virtual_npu {
namespace {

using c10::DispatchKey;
using c10::IValue;
using torch::jit::Stack;

const std::unordered_set<std::string> by_number{
    "aten::_local_scalar_dense", "aten::nonzero",     "aten::masked_select", "aten::equal",
    "aten::is_nonzero",          "aten::_unique2",    "aten::unique_dim",    "aten::unique_consecutive",
    "aten::_assert_async",       "aten::bincount",    "aten::histc",         "aten::repeat_interleave"};

// What fills tensors or changes each number of them in place.
const std::unordered_set<std::string> filling{
    "aten::copy_",    "aten::fill_.Scalar",      "aten::fill_.Tensor", "aten::zero_",       "aten::normal_",
    "aten::uniform_", "aten::bernoulli_.float",  "aten::clamp_",       "aten::mul_.Tensor", "aten::add_.Tensor",
    "aten::erfinv_"};

size_t bytes_of(const at::Tensor& tensor) { return tensor.numel() * tensor.element_size(); }

bool is_small(const at::Tensor& tensor) {
  return bytes_of(tensor) <= (tensor.is_floating_point() || tensor.is_complex() ? kSmallFloats : kSmall);
}

// A mask selects: how much, its numbers tell.
bool is_mask(const at::Tensor& index) { return index.scalar_type() == at::kBool || index.scalar_type() == at::kByte; }

// torch lets a CPU tensor without a dimension stand for a number beside tensors of any device, meta ones included.
bool is_number(const at::Tensor& tensor) { return tensor.defined() && tensor.is_cpu() && tensor.dim() == 0; }

IValue without_memory(const IValue& value, bool written) {
  if (value.isTensor())
    return !written && is_number(value.toTensor()) ? value : IValue(meta_alias(value.toTensor()));
  if (value.isTensorList()) {
    auto tensors = value.toTensorVector();
    for (auto& tensor : tensors) tensor = meta_alias(tensor);
    return IValue(c10::List<at::Tensor>(tensors));
  }
  if (value.isOptionalTensorList()) {
    c10::List<std::optional<at::Tensor>> tensors;
    for (const std::optional<at::Tensor>& tensor : value.toOptionalTensorList())
      tensors.push_back(tensor ? std::optional<at::Tensor>(meta_alias(*tensor)) : tensor);
    return IValue(std::move(tensors));
  }
  if (value.isDevice()) return IValue(c10::Device(c10::kMeta));
  return value;
}

class UntouchedKernel final : public c10::OperatorKernel {
 public:
  explicit UntouchedKernel(ComputedKernel kernel) : kernel_(std::move(kernel)) {}
  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet keys, Stack* stack) {
    const size_t begin = stack->size() - op.schema().arguments().size();
    const auto self = (*stack)[begin].toTensor();
    if (!self.is_floating_point() || !only_counts(bytes_of(self))) return kernel_.callBoxed(op, keys, stack);
    stack->resize(begin);
    stack->push_back(self);
  }

 private:
  ComputedKernel kernel_;
};

}  // namespace

at::Tensor meta_alias(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.is_meta()) return tensor;
  const auto options = tensor.options().device(c10::kMeta).pinned_memory(false);
  auto alias = at::empty_strided(tensor.sizes(), tensor.strides(), options);
  if (tensor.is_conj()) alias._set_conj(true);
  if (tensor.is_neg()) alias._set_neg(true);
  return alias;
}

void clear(const at::Tensor& tensor) {
  const size_t bytes = bytes_of(tensor);
  if (bytes && !only_counts(bytes) && tensor.is_non_overlapping_and_dense())
    std::memset(tensor.mutable_data_ptr(), 0, bytes);
}

bool depends_on_numbers(const c10::OperatorHandle& op, const std::vector<IValue>& given) {
  bool depends = by_number.count(op.schema().name());
  for (const auto& value : given)
    if (value.isOptionalTensorList())
      visit_tensors(value, [&](const at::Tensor& index) { depends |= is_mask(index); });
  return depends;
}

bool are_small(const IValue* begin, const IValue* end) {
  bool small = true;
  for (; begin != end; ++begin) visit_tensors(*begin, [&](const at::Tensor& tensor) { small &= is_small(tensor); });
  return small;
}

std::vector<IValue> run_without_memory(const c10::OperatorHandle& op, Stack* stack) {
  const auto& arguments = op.schema().arguments();
  const size_t begin = stack->size() - arguments.size();
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto& value = (*stack)[begin + i];
    const bool written = arguments[i].alias_info() && arguments[i].alias_info()->isWrite();
    // No memory can be pinned, and there is nothing to draw.
    value = arguments[i].name() == "pin_memory" || value.isGenerator() ? IValue() : without_memory(value, written);
  }
  std::vector<IValue> aliased(stack->begin() + static_cast<std::ptrdiff_t>(begin), stack->end());
  at::AutoDispatchBelowADInplaceOrView below_autograd;
  const RecordedAlready recorded;
  op.callBoxed(stack);
  return aliased;
}

void leave_the_host_untouched(std::vector<torch::Library>& libraries, const std::vector<c10::OperatorHandle>& ops) {
  auto& host = libraries.emplace_back(torch::Library::IMPL, "aten", DispatchKey::CPU, __FILE__, __LINE__);
  for (const auto& op : ops)
    if (const auto full = c10::toString(op.operator_name()); filling.count(full))
      host.impl(full.substr(std::string("aten::").size()).c_str(),
                torch::CppFunction::makeFromBoxedFunctor(
                    std::make_unique<UntouchedKernel>(computed_kernel(op, DispatchKey::CPU))));
}

}  // namespace virtual_npu
