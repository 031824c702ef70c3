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
      : schema_(schema),
        values_(stack.end() - static_cast<std::ptrdiff_t>(schema.arguments().size()), stack.end()),
        read_(values_.size(), false) {}

  const c10::IValue& operator[](const std::string& name) const {
    const auto index = schema_.argumentIndexWithName(name);
    TORCH_CHECK_NOT_IMPLEMENTED(index, "not emulated by the virtual NPU: this torch_npu's ", schema_.name(),
                                ", which has no argument ", name);
    read_[*index] = true;
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

  // What a composition has not looked at by its end has to be as if nobody had passed it.
  void refuse_what_was_not_read() const {
    for (size_t i = 0; i < values_.size(); ++i)
      if (!read_[i] && !without_effect(schema_.arguments()[i].name()) && !is_default(i)) refuse(i);
  }

 private:
  // torch_npu's documentation: how precise or how parallel to compute, never what.
  static bool without_effect(const std::string& name) {
    return name == "inner_precise" || name == "gen_mask_parallel" || name == "sync";
  }

  bool is_default(size_t i) const {
    const auto& otherwise = schema_.arguments()[i].default_value();
    if (values_[i].isNone() || !otherwise || otherwise->isNone()) return values_[i].isNone();
    return values_[i] == *otherwise;
  }

  void refuse(size_t i) const {
    TORCH_CHECK_NOT_IMPLEMENTED(false, "not emulated by the virtual NPU: ", schema_.name(), " with ",
                                schema_.arguments()[i].name());
  }

  const c10::FunctionSchema& schema_;
  std::vector<c10::IValue> values_;
  mutable std::vector<bool> read_;
};

}  // namespace virtual_npu
