#include "attention.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/native/transformers/sdp_utils_cpp.h>
#include <ATen/ops/_fused_sdp_choice.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention_compositeimplicitautograd_dispatch.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>

#include "device_tensors.hpp"

namespace virtual_npu {
namespace {

using at::Tensor;

constexpr double kMasked = -1e30;       // finite, so that a row without a key gives no NaN on the way back
constexpr int64_t kStatisticWidth = 8;  // CANN repeats each row's maximum and sum eight times

enum SparseMode { kDefaultMask = 0, kAllMask = 1, kCausalFromTopLeft = 2, kCausalFromBottomRight = 3 };

constexpr int64_t kTriangle = 2048;     // rows and columns of the compressed mask

// Distances from the diagonal, which starts at the upper left, to the last key that a query of mode 0 looks back or
// ahead to.
struct Band {
  int64_t before, after;
  bool is_everything() const { return before >= kEverything && after >= kEverything; }
  static constexpr int64_t kEverything = 2147483647;
};

struct Settings {
  int64_t heads;
  double scale;
  double keep;
  int64_t mode;
  Tensor mask;  // undefined where there is none
  Tensor bias;
  Band band;
};

struct Attention {
  Tensor output, maximum, sum;
};

// Only the band is computed, so a mask that leaves open what lies outside of it is answered by what CANN's tiles happen
// to cover.
Tensor within(const Band& band, const Tensor& mask, int64_t queries, int64_t keys) {
  if (band.is_everything()) return mask;
  const auto ones = at::ones({queries, keys}, mask.options());
  const auto reach = [](int64_t distance) { return std::clamp(distance, -Band::kEverything, Band::kEverything); };
  const auto outside = ones.triu(reach(band.after) + 1).logical_or(ones.tril(-reach(band.before) - 1));
  TORCH_CHECK_NOT_IMPLEMENTED(!outside.logical_and(mask.logical_not()).any().item<bool>(),
                              "not emulated by the virtual NPU: npu_fusion_attention with an atten_mask that leaves open "
                              "what pre_tockens and next_tockens cut off");
  return mask;
}

// The compressed mask of the causal modes is a fixed 2048 x 2048 triangle: what counts is its meaning.
Tensor mask_for(const Settings& settings, int64_t queries, int64_t keys) {
  if (settings.mode == kAllMask) return settings.mask.to(at::kBool);
  if (settings.mode == kDefaultMask) return within(settings.band, settings.mask.to(at::kBool), queries, keys);
  const int64_t shift = settings.mode == kCausalFromTopLeft ? 0 : keys - queries;
  return at::ones({queries, keys}, settings.mask.options().dtype(at::kBool)).triu(shift + 1);
}

// Everything as (batch, heads, sequence, head size); fewer key heads than query heads are shared (GQA).
Attention attend(const Tensor& query, Tensor key, Tensor value, const Settings& settings) {
  if (const auto share = settings.heads / key.size(1); share > 1) {
    key = key.repeat_interleave(share, 1);
    value = value.repeat_interleave(share, 1);
  }
  auto scores = at::matmul(query, key.transpose(-1, -2)).to(at::kFloat);
  if (settings.bias.defined()) scores = scores + settings.bias;
  scores = scores * settings.scale;
  Tensor empty_rows;
  if (settings.mask.defined()) {
    const auto mask = mask_for(settings, scores.size(-2), scores.size(-1));
    scores = scores.masked_fill(mask, kMasked);
    empty_rows = mask.all(-1, /*keepdim=*/true);
  }
  const auto maximum = std::get<0>(scores.detach().max(-1, /*keepdim=*/true));
  const auto sum = (scores.detach() - maximum).exp().sum(-1, /*keepdim=*/true);
  auto weights = at::softmax(scores, -1).to(query.scalar_type());
  if (settings.keep < 1) weights = at::dropout(weights, 1 - settings.keep, /*train=*/true);
  auto output = at::matmul(weights, value);
  if (empty_rows.defined()) output = output.masked_fill(empty_rows, 0);
  return {output, maximum, sum};
}

Tensor heads_first(const Tensor& x, const std::string& layout, int64_t heads) {
  if (layout == "BNSD") return x;
  if (layout == "BSND") return x.transpose(1, 2);
  if (layout == "BSH") return x.unflatten(-1, {heads, -1}).transpose(1, 2);
  TORCH_CHECK_NOT_IMPLEMENTED(layout == "SBH", "not emulated by the virtual NPU: npu_fusion_attention with layout ",
                              layout);
  return x.unflatten(-1, {heads, -1}).permute({1, 2, 0, 3});
}

Tensor as_given(const Tensor& x, const std::string& layout) {
  if (layout == "BNSD") return x;
  if (layout == "BSND") return x.transpose(1, 2).contiguous();
  if (layout == "BSH") return x.transpose(1, 2).flatten(2);
  return x.permute({2, 0, 1, 3}).flatten(2);
}

int64_t key_heads(const Tensor& query, const Tensor& key, const std::string& layout, int64_t heads) {
  if (layout == "BNSD") return key.size(1);
  if (layout == "BSND") return key.size(2);
  return key.size(-1) / (query.size(-1) / heads);
}

Attention batched(const Tensor& query, const Tensor& key, const Tensor& value, const std::string& layout,
                  const Settings& settings) {
  const auto shared = key_heads(query, key, layout, settings.heads);
  auto result = attend(heads_first(query, layout, settings.heads), heads_first(key, layout, shared),
                       heads_first(value, layout, shared), settings);
  return {as_given(result.output, layout), result.maximum, result.sum};
}

// Sequences of different lengths one after the other, (tokens, heads, head size); the ends are sums of lengths.
Attention packed(const Tensor& query, const Tensor& key, const Tensor& value, const std::vector<int64_t>& query_ends,
                 const std::vector<int64_t>& key_ends, const Settings& settings) {
  TORCH_CHECK_NOT_IMPLEMENTED(!settings.bias.defined(),
                              "not emulated by the virtual NPU: npu_fusion_attention with pse and layout TND");
  std::vector<Tensor> outputs, maxima, sums;
  const auto part = [](const Tensor& x, int64_t from, int64_t to) {
    return x.slice(0, from, to).transpose(0, 1).unsqueeze(0);
  };
  int64_t query_start = 0, key_start = 0;
  for (size_t i = 0; i < query_ends.size(); ++i) {
    auto result = attend(part(query, query_start, query_ends[i]), part(key, key_start, key_ends[i]),
                         part(value, key_start, key_ends[i]), settings);
    outputs.push_back(result.output.squeeze(0).transpose(0, 1));
    maxima.push_back(result.maximum.squeeze(0).transpose(0, 1));
    sums.push_back(result.sum.squeeze(0).transpose(0, 1));
    query_start = query_ends[i];
    key_start = key_ends[i];
  }
  return {at::cat(outputs), at::cat(maxima), at::cat(sums)};
}

Tensor repeated(const Tensor& statistic) {
  auto sizes = statistic.sizes().vec();
  sizes.back() = kStatisticWidth;
  return statistic.expand(sizes).contiguous();
}

// torch_npu's documentation: mode 0 works without a mask, and then no distance counts; 1 wants the whole mask, 2 and 3 the
// compressed one.
void check_mask(const Settings& settings) {
  TORCH_CHECK_NOT_IMPLEMENTED(settings.mode >= kDefaultMask && settings.mode <= kCausalFromBottomRight,
                              "not emulated by the virtual NPU: npu_fusion_attention with sparse_mode ", settings.mode);
  const auto& mask = settings.mask;
  TORCH_CHECK(mask.defined() || settings.mode == kDefaultMask, "npu_fusion_attention with sparse_mode ", settings.mode,
              " needs an atten_mask");
  const bool is_triangle =
      mask.defined() && mask.dim() >= 2 && mask.size(-1) == kTriangle && mask.size(-2) == kTriangle;
  TORCH_CHECK(is_triangle || settings.mode < kCausalFromTopLeft, "npu_fusion_attention with sparse_mode ",
              settings.mode, " needs the compressed atten_mask, a triangle of ", kTriangle, " rows and columns");
}

// For torch's attention: added to the scores, minus infinity where the mask is false.
Tensor additive(const Tensor& mask, at::ScalarType type) {
  if (mask.scalar_type() != at::kBool) return mask;
  return at::zeros(mask.sizes(), mask.options().dtype(type))
      .masked_fill(mask.logical_not(), -std::numeric_limits<double>::infinity());
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const std::optional<Tensor>& mask, double dropout, bool causal,
                                    std::optional<double> scale, bool grouped) {
  const auto host_mask = mask ? std::optional(host_alias(*mask)) : mask;
  const auto choice = at::_fused_sdp_choice(host_alias(query), host_alias(key), host_alias(value), host_mask, dropout,
                                            causal, scale, grouped);
  if (choice != static_cast<int64_t>(sdp::SDPBackend::flash_attention) || (mask && mask->requires_grad()))
    return at::compositeimplicitautograd::scaled_dot_product_attention(query, key, value, mask, dropout, causal, scale,
                                                                       grouped);
  const auto added = mask && mask->defined() ? std::optional(additive(*mask, query.scalar_type())) : std::nullopt;
  return std::get<0>(at::_scaled_dot_product_flash_attention_for_cpu(query, key, value, dropout, causal, added, scale));
}

Results npu_fusion_attention(const NamedArguments& given) {
  for (const char* name : {"padding_mask", "prefix", "sink", "dropout_mask"}) given.refuse(name);
  const auto query = given.tensor("query"), key = given.tensor("key"), value = given.tensor("value");
  const auto& layout = given["input_layout"].toStringRef();
  const Settings settings{given["head_num"].toInt(),
                          given["scale"].toDouble(),
                          given["keep_prob"].toDouble(),
                          given["sparse_mode"].toInt(),
                          given.given("atten_mask") ? given.tensor("atten_mask") : Tensor(),
                          given.given("pse") ? given.tensor("pse") : Tensor(),
                          {given["pre_tockens"].toInt(), given["next_tockens"].toInt()}};
  check_mask(settings);
  const auto result = layout == "TND" ? packed(query, key, value, given["actual_seq_qlen"].toIntVector(),
                                               given["actual_seq_kvlen"].toIntVector(), settings)
                                      : batched(query, key, value, layout, settings);
  const int64_t seed = 0, offset = 0, dropped = 0;  // of the dropout mask, which lives in the autograd graph here
  return {result.output, repeated(result.maximum), repeated(result.sum), at::empty({0}, query.options()), seed, offset,
          dropped};
}

}  // namespace virtual_npu
