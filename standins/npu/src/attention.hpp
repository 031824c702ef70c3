// npu_fusion_attention, on which transformers' flash_attention_2 stands on an NPU.
#pragma once

#include "named_arguments.hpp"

namespace virtual_npu {

Results npu_fusion_attention(const NamedArguments& given);

}  // namespace virtual_npu
