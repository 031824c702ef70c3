// The older operator interface ("aclop").  Kernels replace torch_npu's operators above it, at the dispatcher, so only
// what torch_npu calls past the dispatcher arrives here: ProcessGroupHCCL pads uneven shards with Fill and PadV3, and a
// cast from one of CANN's formats to another is an Identity.
#include <acl/acl_op_compiler.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "runtime.hpp"
#include "settings.hpp"

namespace virtual_npu {
namespace {

struct Description {
  aclDataType type;
  std::vector<int64_t> sizes;
  aclFormat format;
};

struct Buffer {
  char* data;
  size_t bytes;
};

struct Call {
  int inputs;
  const Description* const* input_description;
  const Buffer* const* input;
  const Description* const* output_description;
  Buffer* const* output;
};

void fill_with(const char* value, size_t item, const Buffer& buffer) {
  for (size_t at = 0; at + item <= buffer.bytes; at += item) std::memcpy(buffer.data + at, value, item);
}

// Fill(sizes, value)
void fill(const Call& call) {
  fill_with(call.input[1]->data, aclDataTypeSize(call.output_description[0]->type), *call.output[0]);
}

// PadV3(tensor, [before, after] of each dimension, value)
void pad(const Call& call) {
  const auto& sizes = call.input_description[0]->sizes;
  const size_t rank = sizes.size(), item = aclDataTypeSize(call.input_description[0]->type);
  std::vector<int64_t> before(rank), padded(rank), at(rank, 0);
  size_t items = 1;
  for (size_t d = 0; d < rank; ++d) {
    const auto read = [&](size_t i) {
      return call.input_description[1]->type == ACL_INT64 ? reinterpret_cast<const int64_t*>(call.input[1]->data)[i]
                                                          : reinterpret_cast<const int32_t*>(call.input[1]->data)[i];
    };
    before[d] = read(2 * d);
    padded[d] = before[d] + sizes[d] + read(2 * d + 1);
    items *= static_cast<size_t>(sizes[d]);
  }
  const std::vector<char> zero(item, 0);
  const bool has_value = call.inputs > 2 && call.input[2] && call.input[2]->bytes >= item;
  fill_with(has_value ? call.input[2]->data : zero.data(), item, *call.output[0]);
  for (size_t i = 0; i < items; ++i) {
    size_t target = 0;
    for (size_t d = 0; d < rank; ++d) target = target * padded[d] + at[d] + before[d];
    std::memcpy(call.output[0]->data + target * item, call.input[0]->data + i * item, item);
    for (size_t d = rank; d-- > 0 && ++at[d] == sizes[d];) at[d] = 0;
  }
}

// Rows after rows, as torch has it; CANN's private formats cut tensors into tiles.
bool is_plain(const Description& description) {
  const auto format = description.format;
  return format == ACL_FORMAT_ND || format == ACL_FORMAT_NCHW || format == ACL_FORMAT_NHWC || format == ACL_FORMAT_NCDHW;
}

aclError identity(const Call& call) {
  if (!is_plain(*call.input_description[0]) || !is_plain(*call.output_description[0]))
    return refuse("CANN operator Identity with one of CANN's private formats");
  std::memmove(call.output[0]->data, call.input[0]->data, std::min(call.input[0]->bytes, call.output[0]->bytes));
  return ACL_SUCCESS;
}

aclError run(const std::string& name, const Call& call) {
  if (only_counts(call.output[0]->bytes)) return ACL_SUCCESS;
  if (name == "Fill") return fill(call), ACL_SUCCESS;
  if (name == "Pad" || name == "PadV3") return pad(call), ACL_SUCCESS;
  if (name == "Identity") return identity(call);
  return refuse(("CANN operator " + name).c_str());
}

}  // namespace
}  // namespace virtual_npu

using namespace virtual_npu;

extern "C" {

aclTensorDesc* aclCreateTensorDesc(aclDataType type, int rank, const int64_t* sizes, aclFormat format) {
  return reinterpret_cast<aclTensorDesc*>(new Description{type, {sizes, sizes + rank}, format});
}

void aclDestroyTensorDesc(const aclTensorDesc* description) {
  delete reinterpret_cast<const Description*>(description);
}

aclDataType aclGetTensorDescType(const aclTensorDesc* description) {
  return reinterpret_cast<const Description*>(description)->type;
}
aclFormat aclGetTensorDescFormat(const aclTensorDesc* description) {
  return reinterpret_cast<const Description*>(description)->format;
}
size_t aclGetTensorDescNumDims(const aclTensorDesc* description) {
  return reinterpret_cast<const Description*>(description)->sizes.size();
}

aclError aclGetTensorDescDimV2(const aclTensorDesc* description, size_t dimension, int64_t* size) {
  *size = reinterpret_cast<const Description*>(description)->sizes.at(dimension);
  return ACL_SUCCESS;
}

aclDataBuffer* aclCreateDataBuffer(void* data, size_t bytes) {
  return reinterpret_cast<aclDataBuffer*>(new Buffer{static_cast<char*>(data), bytes});
}

aclError aclDestroyDataBuffer(const aclDataBuffer* buffer) {
  delete reinterpret_cast<const Buffer*>(buffer);
  return ACL_SUCCESS;
}

size_t aclDataTypeSize(aclDataType type) {
  switch (type) {
    case ACL_BOOL:
    case ACL_INT8:
    case ACL_UINT8: return 1;
    case ACL_BF16:
    case ACL_FLOAT16:
    case ACL_INT16:
    case ACL_UINT16: return 2;
    case ACL_INT64:
    case ACL_UINT64:
    case ACL_DOUBLE:
    case ACL_COMPLEX64: return 8;
    case ACL_COMPLEX128: return 16;
    default: return 4;
  }
}

aclError aclopCompileAndExecute(const char* name, int inputs, const aclTensorDesc* const input_description[],
                                const aclDataBuffer* const input[], int,
                                const aclTensorDesc* const output_description[], aclDataBuffer* const output[],
                                const aclopAttr*, aclopEngineType, aclopCompileType, const char*, aclrtStream) {
  return run(name, {inputs, reinterpret_cast<const Description* const*>(input_description),
                    reinterpret_cast<const Buffer* const*>(input),
                    reinterpret_cast<const Description* const*>(output_description),
                    reinterpret_cast<Buffer* const*>(output)});
}

// Attributes and layout hints tune CANN's compiler.  Fill and PadV3 have none that changes the result.
aclopAttr* aclopCreateAttr() { return reinterpret_cast<aclopAttr*>(new char); }
void aclopDestroyAttr(const aclopAttr* attribute) { delete reinterpret_cast<const char*>(attribute); }
aclError aclopSetAttrBool(aclopAttr*, const char*, uint8_t) { return ACL_SUCCESS; }
aclError aclopSetAttrDataType(aclopAttr*, const char*, aclDataType) { return ACL_SUCCESS; }
aclError aclopSetAttrFloat(aclopAttr*, const char*, float) { return ACL_SUCCESS; }
aclError aclopSetAttrInt(aclopAttr*, const char*, int64_t) { return ACL_SUCCESS; }
aclError aclopSetAttrString(aclopAttr*, const char*, const char*) { return ACL_SUCCESS; }
aclError aclopSetAttrListBool(aclopAttr*, const char*, int, const uint8_t*) { return ACL_SUCCESS; }
aclError aclopSetAttrListFloat(aclopAttr*, const char*, int, const float*) { return ACL_SUCCESS; }
aclError aclopSetAttrListInt(aclopAttr*, const char*, int, const int64_t*) { return ACL_SUCCESS; }
aclError aclopSetAttrListListInt(aclopAttr*, const char*, int, const int*, const int64_t* const[]) {
  return ACL_SUCCESS;
}
void aclSetTensorDescName(aclTensorDesc*, const char*) {}
aclError aclSetTensorFormat(aclTensorDesc*, aclFormat) { return ACL_SUCCESS; }
aclError aclSetTensorShape(aclTensorDesc*, int, const int64_t*) { return ACL_SUCCESS; }
aclError aclSetTensorPlaceMent(aclTensorDesc*, aclMemType) { return ACL_SUCCESS; }
aclError aclSetCompileopt(aclCompileOpt, const char*) { return ACL_SUCCESS; }
size_t aclGetCompileoptSize(aclCompileOpt) { return 1; }
aclError aclGetCompileopt(aclCompileOpt, char* value, size_t length) {
  if (length) value[0] = '\0';
  return ACL_SUCCESS;
}
}
