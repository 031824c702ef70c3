// A boxed call's arguments by name: the C++ signatures of npu:: operators change between releases, the names stay.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/stack.h>

#include <string>
#include <vector>

namespace virtual_npu {

using Results = std::vector<c10::IValue>;

class NamedArguments {
 public:
  NamedArguments(const c10::FunctionSchema& schema, const torch::jit::Stack& stack)
      : schema_(schema), values_(stack.end() - static_cast<std::ptrdiff_t>(schema.arguments().size()), stack.end()) {}

  const c10::IValue& operator[](const std::string& name) const {
    const auto index = schema_.argumentIndexWithName(name);
    TORCH_CHECK_NOT_IMPLEMENTED(index, "not emulated by the virtual NPU: this torch_npu's ", schema_.name(),
                                ", which has no argument ", name);
    return values_[*index];
  }

  bool given(const std::string& name) const {
    const auto index = schema_.argumentIndexWithName(name);
    return index && !values_[*index].isNone();
  }

  at::Tensor tensor(const std::string& name) const { return (*this)[name].toTensor(); }
  std::optional<at::Tensor> optional_tensor(const std::string& name) const {
    return given(name) ? std::optional(tensor(name)) : std::nullopt;
  }

  // For an argument that would change the result in a way the composition does not follow.
  void refuse(const std::string& name) const {
    TORCH_CHECK_NOT_IMPLEMENTED(!given(name), "not emulated by the virtual NPU: ", schema_.name(), " with ", name);
  }

 private:
  const c10::FunctionSchema& schema_;
  std::vector<c10::IValue> values_;
};

}  // namespace virtual_npu
