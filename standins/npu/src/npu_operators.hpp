// torch_npu's own operators (torch.ops.npu.*, torch.ops.atb.*).
#pragma once

#include <torch/library.h>

#include <vector>

namespace virtual_npu {

// Puts compositions of PyTorch operators over those that the virtual NPU emulates and an error over all others, but for
// the few that only touch the host's side of a tensor.  Adds the libraries that hold the registrations.
void register_npu_operators(std::vector<torch::Library>& libraries);

}  // namespace virtual_npu
