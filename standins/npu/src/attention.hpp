// Attention: torch's own, and npu_fusion_attention, on which transformers' flash_attention_2 stands on an NPU.
#pragma once

#include "named_arguments.hpp"

namespace virtual_npu {

// torch composes its attention of matrix products where the device has no fused kernel.  The CPU has one, so it is used
// as it would be for CPU tensors; the results then equal the CPU's to the bit.
at::Tensor scaled_dot_product_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                                        const std::optional<at::Tensor>& mask, double dropout, bool causal,
                                        std::optional<double> scale, bool grouped);

Results npu_fusion_attention(const NamedArguments& given);

}  // namespace virtual_npu
