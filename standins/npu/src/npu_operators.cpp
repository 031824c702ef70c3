#include "npu_operators.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/boxing/OperatorKernel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max.h>
#include <ATen/ops/min.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "aten_kernels.hpp"
#include "attention.hpp"
#include "named_arguments.hpp"
#include "settings.hpp"

namespace virtual_npu {
namespace {

using at::Tensor;
using c10::IValue;
using torch::jit::Stack;

// (x1, x2) -> (-x2, x1): of halves, or of neighbours where the mode is "interleave".
Tensor rotated(const Tensor& x, const std::string& mode) {
  if (mode == "half") {
    const auto halves = x.chunk(2, -1);
    return at::cat({-halves[1], halves[0]}, -1);
  }
  TORCH_CHECK_NOT_IMPLEMENTED(mode == "interleave", "not emulated by the virtual NPU: rotary_mode ", mode);
  const auto pairs = x.unflatten(-1, {-1, 2});
  return at::stack({-pairs.select(-1, 1), pairs.select(-1, 0)}, -1).flatten(-2);
}

Tensor rotary(const Tensor& x, const Tensor& cos, const Tensor& sin, const std::string& mode) {
  return x * cos + rotated(x, mode) * sin;
}

// Computed in float32 and rounded once, to the type of x, as the fused operator does.  Returns (normalised, 1 / root
// mean square).
std::pair<Tensor, Tensor> rms_norm(const Tensor& x, const Tensor& gamma, double epsilon) {
  std::vector<int64_t> normalised;
  for (int64_t d = 1; d <= gamma.dim(); ++d) normalised.push_back(-d);
  const auto wide = x.to(at::kFloat);
  const auto scale = at::rsqrt(wide.pow(2).mean(normalised, /*keepdim=*/true) + epsilon);
  return {(wide * scale * gamma).to(x.scalar_type()), scale};
}

Results npu_rms_norm(const NamedArguments& given) {
  const auto [y, scale] = rms_norm(given.tensor("input"), given.tensor("gamma"), given["epsilon"].toDouble());
  return {y, scale};
}

Results npu_add_rms_norm(const NamedArguments& given) {
  const auto sum = given.tensor("x1") + given.tensor("x2");
  const auto [y, scale] = rms_norm(sum, given.tensor("gamma"), given["epsilon"].toDouble());
  return {y, scale, sum};
}

Results npu_rotary_mul(const NamedArguments& given) {
  given.refuse("rotate");
  return {rotary(given.tensor("input"), given.tensor("r1"), given.tensor("r2"), given["rotary_mode"].toStringRef())};
}

Results npu_apply_rotary_pos_emb(const NamedArguments& given) {
  const auto cos = given.tensor("cos"), sin = given.tensor("sin");
  const auto& mode = given["rotary_mode"].toStringRef();
  return {rotary(given.tensor("query"), cos, sin, mode), rotary(given.tensor("key"), cos, sin, mode)};
}

Results npu_swiglu(const NamedArguments& given) {
  const auto halves = given.tensor("input").chunk(2, given["dim"].toInt());
  return {at::silu(halves[0]) * halves[1]};
}

// x / (1 + exp(-1.702 |x|)) * exp(0.851 (x - |x|)), which is x * sigmoid(1.702 x)
Results fast_gelu(const NamedArguments& given) {
  const auto x = given.tensor("input");
  return {x / (1 + at::exp(-1.702 * x.abs())) * at::exp(0.851 * (x - x.abs()))};
}

Results npu_gelu(const NamedArguments& given) {
  return {at::gelu(given.tensor("input"), given["approximate"].toStringView())};
}
Results npu_silu(const NamedArguments& given) { return {at::silu(given.tensor("input"))}; }
Results npu_mish(const NamedArguments& given) { return {at::mish(given.tensor("input"))}; }

Results npu_silu_(const NamedArguments& given) {
  auto x = given.tensor("input");
  return {at::silu_(x)};
}

Results npu_dtype_cast(const NamedArguments& given) {
  return {given.tensor("input").to(static_cast<at::ScalarType>(given["dtype"].toInt()))};
}
Results npu_linear(const NamedArguments& given) {
  return {at::linear(given.tensor("input"), given.tensor("weight"), given.optional_tensor("bias"))};
}
Results npu_transpose(const NamedArguments& given) {
  return {given.tensor("input").permute(given["perm"].toIntVector()).contiguous()};
}
Results npu_broadcast(const NamedArguments& given) {
  return {given.tensor("input").expand(given["size"].toIntVector()).contiguous()};
}

Results npu_confusion_transpose(const NamedArguments& given) {
  const auto x = given.tensor("input");
  const auto order = given["perm"].toIntVector(), shape = given["shape"].toIntVector();
  if (given["transpose_first"].toBool()) return {x.permute(order).contiguous().view(shape)};
  return {x.contiguous().view(shape).permute(order)};
}

// True in the mask is left out.
Results npu_scaled_masked_softmax(const NamedArguments& given) {
  TORCH_CHECK_NOT_IMPLEMENTED(!given["fixed_triu_mask"].toBool(),
                              "not emulated by the virtual NPU: npu_scaled_masked_softmax with fixed_triu_mask");
  const auto x = given.tensor("x");
  const auto scores =
      (x.to(at::kFloat) * given["scale"].toScalar()).masked_fill(given.tensor("mask").to(at::kBool), -10000.0);
  return {at::softmax(scores, -1).to(x.scalar_type())};
}

Results npu_cross_entropy_loss(const NamedArguments& given) {
  TORCH_CHECK_NOT_IMPLEMENTED(!given["return_zloss"].toBool() && given["lse_square_scale_for_zloss"].toDouble() == 0,
                              "not emulated by the virtual NPU: npu_cross_entropy_loss with zloss");
  static const std::map<std::string, int64_t> reductions{
      {"none", at::Reduction::None}, {"mean", at::Reduction::Mean}, {"sum", at::Reduction::Sum}};
  const auto x = given.tensor("input");
  const auto reduction = reductions.at(given["reduction"].toStringRef());
  auto loss = at::cross_entropy_loss(x, given.tensor("target"), given.optional_tensor("weight"), reduction,
                                     given["ignore_index"].toInt(), given["label_smoothing"].toDouble());
  if (reduction != at::Reduction::None) loss = loss.view({1});
  return {loss, at::log_softmax(x, -1).detach(), at::empty({0}, x.options()), at::empty({0}, x.options())};
}

Results npu_max(const NamedArguments& given) {
  const auto [values, indices] = at::max(given.tensor("input"), given["dim"].toInt(), given["keepdim"].toBool());
  return {values, indices.to(at::kInt)};
}

Results npu_min(const NamedArguments& given) {
  const auto [values, indices] = at::min(given.tensor("input"), given["dim"].toInt(), given["keepdim"].toBool());
  return {values, indices.to(at::kInt)};
}

using Composition = Results (*)(const NamedArguments&);

const std::unordered_map<std::string, Composition>& compositions() {
  static const std::unordered_map<std::string, Composition> emulated{
      {"npu::npu_rms_norm", npu_rms_norm},
      {"npu::npu_add_rms_norm", npu_add_rms_norm},
      {"npu::npu_rotary_mul", npu_rotary_mul},
      {"npu::npu_apply_rotary_pos_emb", npu_apply_rotary_pos_emb},
      {"npu::npu_swiglu", npu_swiglu},
      {"npu::fast_gelu", fast_gelu},
      {"npu::npu_fast_gelu", fast_gelu},
      {"npu::npu_gelu", npu_gelu},
      {"npu::npu_silu", npu_silu},
      {"npu::npu_silu_", npu_silu_},
      {"npu::npu_mish", npu_mish},
      {"npu::npu_dtype_cast", npu_dtype_cast},
      {"npu::_npu_dtype_cast", npu_dtype_cast},
      {"npu::npu_linear", npu_linear},
      {"npu::npu_transpose", npu_transpose},
      {"npu::npu_broadcast", npu_broadcast},
      {"npu::npu_confusion_transpose", npu_confusion_transpose},
      {"npu::npu_scaled_masked_softmax", npu_scaled_masked_softmax},
      {"npu::npu_cross_entropy_loss", npu_cross_entropy_loss},
      {"npu::npu_max.dim", npu_max},
      {"npu::npu_min.dim", npu_min},
      {"npu::npu_fusion_attention", npu_fusion_attention},
  };
  return emulated;
}

// torch_npu does these on the host, or with copies that the stand-in runtime makes.
const std::unordered_set<std::string>& host_side() {
  static const std::unordered_set<std::string> kept{
      "npu::get_npu_format",
      "npu::get_storage_size",
      "npu::npu_change_data_ptr",
      "npu::copy_memory_",
      "npu::npu_format_cast",
      "npu::npu_format_cast.Tensor",
      "npu::npu_format_cast_",
      "npu::npu_format_cast_.acl_format",
      "npu::_npu_format_cast",
      "npu::_npu_format_cast.aclnn",
      "npu::_npu_format_cast.input_dtype",
      "npu::empty_with_format",
      "npu::unsafe_empty_with_format",
      "npu::set_op_timeout_ms",
  };
  return kept;
}

class ComposedKernel final : public c10::OperatorKernel {
 public:
  explicit ComposedKernel(Composition composition) : composition_(composition) {}
  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet, Stack* stack) {
    const NamedArguments given(op.schema(), *stack);
    auto results = composition_(given);
    given.refuse_what_was_not_read();
    TORCH_CHECK(results.size() == op.schema().returns().size(), "not emulated by the virtual NPU: this torch_npu's ",
                op.schema());
    torch::jit::drop(*stack, op.schema().arguments().size());
    for (auto& result : results) stack->push_back(std::move(result));
  }

 private:
  Composition composition_;
};

}  // namespace

void register_npu_operators(std::vector<torch::Library>& libraries) {
  auto& dispatcher = c10::Dispatcher::singleton();
  for (const char* space : {"npu", "atb"}) {
    for (const auto key : {c10::DispatchKey::PrivateUse1, c10::DispatchKey::AutogradPrivateUse1}) {
      auto& library = libraries.emplace_back(torch::Library::IMPL, space, key, __FILE__, __LINE__);
      for (const auto& name : dispatcher.getAllOpNames()) {
        const auto full = c10::toString(name);
        if (name.getNamespace() != std::string_view(space) || !dispatcher.findSchema(name) || host_side().count(full))
          continue;
        const auto local = full.substr(std::string(space).size() + 2);
        const auto op = *dispatcher.findSchema(name);
        if (sizes_only() && op.hasKernelForDispatchKey(c10::DispatchKey::Meta)) {
          if (key == c10::DispatchKey::PrivateUse1)
            library.impl(local.c_str(), torch::CppFunction::makeFromBoxedFunctor(
                                            std::make_unique<CpuKernel>(op.schema(), /*random=*/false)));
          continue;
        }
        const auto emulated = compositions().find(full);
        if (emulated == compositions().end())
          library.impl(local.c_str(), torch::CppFunction::makeFromBoxedFunction<&not_emulated>());
        else
          library.impl(local.c_str(),
                       torch::CppFunction::makeFromBoxedFunctor(std::make_unique<ComposedKernel>(emulated->second)));
      }
    }
  }
}

}  // namespace virtual_npu
