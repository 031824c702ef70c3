// HCCL, the collectives of CANN, between processes of one host.  Each call has happened when it returns.
#include <hccl/hccl.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <regex>
#include <utility>

#include "communicator.hpp"
#include "runtime.hpp"
#include "settings.hpp"

namespace virtual_npu {
namespace {

Communicator& of(HcclComm handle) { return *static_cast<Communicator*>(handle); }

size_t item_bytes(HcclDataType type) {
  switch (type) {
    case HCCL_DATA_TYPE_INT16:
    case HCCL_DATA_TYPE_UINT16:
    case HCCL_DATA_TYPE_FP16:
    case HCCL_DATA_TYPE_BFP16: return 2;
    case HCCL_DATA_TYPE_INT32:
    case HCCL_DATA_TYPE_UINT32:
    case HCCL_DATA_TYPE_FP32: return 4;
    case HCCL_DATA_TYPE_INT64:
    case HCCL_DATA_TYPE_UINT64:
    case HCCL_DATA_TYPE_FP64: return 8;
    case HCCL_DATA_TYPE_INT128: return 16;
    default: return 1;
  }
}

struct BFloat16 {
  uint16_t bits;
  operator float() const {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &wide, sizeof value);
    return value;
  }
  BFloat16& operator=(float value) {  // to nearest, halves to even
    uint32_t wide;
    std::memcpy(&wide, &value, sizeof wide);
    bits = static_cast<uint16_t>((wide + 0x7fff + ((wide >> 16) & 1)) >> 16);
    return *this;
  }
};

// IEEE 754 binary16; not every compiler of today has it as a type.
struct Float16 {
  uint16_t bits;
  operator float() const {
    const int exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
    const float size = exponent == 31 ? (fraction ? NAN : INFINITY)
                       : exponent     ? std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25)
                                      : std::ldexp(static_cast<float>(fraction), -24);
    return bits & 0x8000 ? -size : size;
  }
  Float16& operator=(float value) {  // to nearest, halves to even
    const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    const float size = std::fabs(value);
    const int exponent = size < 0x1p-14f ? -14 : std::ilogb(size);
    if (std::isnan(value))
      bits = 0x7e00;
    else if (size >= 65520)
      bits = sign | 0x7c00;
    else
      bits = static_cast<uint16_t>(sign | (((exponent + 14) << 10) + std::lrint(std::ldexp(size, 10 - exponent))));
    return *this;
  }
};

template <class Wide>
Wide combined(Wide a, Wide b, HcclReduceOp op) {
  switch (op) {
    case HCCL_REDUCE_SUM: return a + b;
    case HCCL_REDUCE_PROD: return a * b;
    case HCCL_REDUCE_MAX: return std::max(a, b);
    default: return std::min(a, b);
  }
}

// In the order of the ranks and in the wider type, so that every rank gets the same bits.
template <class Item, class Wide>
void reduce_as(void* result, const Communicator& ranks, size_t items, HcclReduceOp op) {
  for (size_t i = 0; i < items; ++i) {
    auto value = static_cast<Wide>(reinterpret_cast<const Item*>(ranks.published(0))[i]);
    for (uint32_t rank = 1; rank < ranks.size(); ++rank)
      value = combined(value, static_cast<Wide>(reinterpret_cast<const Item*>(ranks.published(rank))[i]), op);
    static_cast<Item*>(result)[i] = value;
  }
}

bool reducible(HcclDataType type) { return type <= HCCL_DATA_TYPE_BFP16; }

void reduce(void* result, const Communicator& ranks, size_t bytes, HcclDataType type, HcclReduceOp op) {
  const size_t items = bytes / item_bytes(type);
  switch (type) {
    case HCCL_DATA_TYPE_FP32: return reduce_as<float, float>(result, ranks, items, op);
    case HCCL_DATA_TYPE_FP64: return reduce_as<double, double>(result, ranks, items, op);
    case HCCL_DATA_TYPE_FP16: return reduce_as<Float16, float>(result, ranks, items, op);
    case HCCL_DATA_TYPE_BFP16: return reduce_as<BFloat16, float>(result, ranks, items, op);
    case HCCL_DATA_TYPE_INT8: return reduce_as<int8_t, int>(result, ranks, items, op);
    case HCCL_DATA_TYPE_UINT8: return reduce_as<uint8_t, int>(result, ranks, items, op);
    case HCCL_DATA_TYPE_INT16: return reduce_as<int16_t, int>(result, ranks, items, op);
    case HCCL_DATA_TYPE_UINT16: return reduce_as<uint16_t, int>(result, ranks, items, op);
    case HCCL_DATA_TYPE_INT32: return reduce_as<int32_t, int32_t>(result, ranks, items, op);
    case HCCL_DATA_TYPE_UINT32: return reduce_as<uint32_t, uint32_t>(result, ranks, items, op);
    case HCCL_DATA_TYPE_INT64: return reduce_as<int64_t, int64_t>(result, ranks, items, op);
    default: return reduce_as<uint64_t, uint64_t>(result, ranks, items, op);
  }
}

char* bytes_at(const void* data, size_t offset) { return const_cast<char*>(static_cast<const char*>(data)) + offset; }

// Name of a shared memory segment; provide() removes those of its session that a killed program has left.
std::string segment(const std::string& name) {
  const char* session = std::getenv("VIRTUAL_NPU_SESSION");
  return "/" + std::string(session && *session ? session : "virtual-npu") + "-" + name;
}

std::string new_name() {
  const auto time = std::chrono::system_clock::now().time_since_epoch().count();
  return segment(std::to_string(getpid()) + "-" + std::to_string(time));
}

// The numbers of the ranks that a rank table lists, in its order; other entries matter to a network only.
std::vector<uint32_t> ranks_in(const std::string& table) {
  static const std::regex rank("\"rank_id\"\\s*:\\s*\"(\\d+)\"");
  std::vector<uint32_t> found;
  for (auto at = std::sregex_iterator(table.begin(), table.end(), rank); at != std::sregex_iterator(); ++at)
    found.push_back(static_cast<uint32_t>(std::stoul((*at)[1])));
  return found;
}

// Sends and receives between HcclGroupStart and HcclGroupEnd run together, so that none waits for one behind it.
struct Group {
  int depth = 0;
  Communicator* ranks = nullptr;
  std::vector<Transfer> transfers;
};
thread_local Group group;

HcclResult transfer(Communicator& ranks, std::vector<Transfer> transfers) {
  if (!group.depth) return ranks.transfer(std::move(transfers));
  if (group.ranks && group.ranks != &ranks) return HCCL_E_NOT_SUPPORT;
  group.ranks = &ranks;
  group.transfers.insert(group.transfers.end(), transfers.begin(), transfers.end());
  return HCCL_SUCCESS;
}

HcclResult join(uint32_t size, const HcclRootInfo* root, uint32_t rank, HcclComm* handle) {
  Communicator* joined = nullptr;
  const auto result = Communicator::join(root->internal, size, rank, &joined);
  *handle = joined;
  return result;
}

}  // namespace
}  // namespace virtual_npu

using namespace virtual_npu;

extern "C" {

HcclResult HcclGetRootInfo(HcclRootInfo* root) {
  std::memset(root, 0, sizeof *root);
  std::snprintf(root->internal, COMM_NAME_MAX_LENGTH, "%s", new_name().c_str());
  return HCCL_SUCCESS;
}

HcclResult HcclCommInitRootInfo(uint32_t size, const HcclRootInfo* root, uint32_t rank, HcclComm* handle) {
  return join(size, root, rank, handle);
}

HcclResult HcclCommInitRootInfoConfig(uint32_t size, const HcclRootInfo* root, uint32_t rank, const HcclCommConfig*,
                                      HcclComm* handle) {
  return join(size, root, rank, handle);
}

// With RANK_TABLE_FILE nothing is exchanged beforehand: each rank knows all others from the file, and the file is where
// they meet.
HcclResult HcclCommInitClusterInfoConfig(const char* path, uint32_t rank, HcclCommConfig*, HcclComm* handle) {
  std::ifstream file(path);
  const std::string table{std::istreambuf_iterator<char>(file), {}};
  const auto ranks = ranks_in(table);
  if (std::find(ranks.begin(), ranks.end(), rank) == ranks.end()) {
    fail(ACL_ERROR_INVALID_PARAM, "rank " + std::to_string(rank) + " is not in the rank table " + path);
    return HCCL_E_PARA;
  }
  HcclRootInfo root{};
  const auto meeting = segment(std::to_string(std::hash<std::string>{}(path + table)));
  std::snprintf(root.internal, COMM_NAME_MAX_LENGTH, "%s", meeting.c_str());
  return join(static_cast<uint32_t>(ranks.size()), &root, rank, handle);
}

HcclResult HcclCommInitAll(uint32_t, int32_t*, HcclComm*) {
  refuse("HcclCommInitAll, several devices of one process, as torch.nn.DataParallel has them; torchrun starts a process "
         "for each device");
  return HCCL_E_NOT_SUPPORT;
}
uint32_t HcclGetCommConfigCapability() { return HCCL_COMM_CONFIG_BUFFER_SIZE; }

// Ranks combine in one fixed order, so results are deterministic whatever is asked for.
HcclResult HcclSetConfig(HcclConfig, HcclConfigValue) { return HCCL_SUCCESS; }

HcclResult HcclCommDestroy(HcclComm handle) {
  delete &of(handle);
  return HCCL_SUCCESS;
}

HcclResult HcclGetCommAsyncError(HcclComm, HcclResult* error) {
  *error = HCCL_SUCCESS;
  return HCCL_SUCCESS;
}

HcclResult HcclGetCommName(HcclComm handle, char* name) {
  std::snprintf(name, COMM_NAME_MAX_LENGTH, "%s", of(handle).name().c_str() + 1);
  return HCCL_SUCCESS;
}

HcclResult HcclGetRankSize(HcclComm handle, uint32_t* size) {
  *size = of(handle).size();
  return HCCL_SUCCESS;
}

HcclResult HcclGetRankId(HcclComm handle, uint32_t* rank) {
  *rank = of(handle).rank();
  return HCCL_SUCCESS;
}

HcclResult HcclBarrier(HcclComm handle, aclrtStream) {
  return of(handle).exchange({"HcclBarrier"}, nullptr, [](size_t, size_t) {});
}

HcclResult HcclAllReduce(void* sends, void* receives, uint64_t count, HcclDataType type, HcclReduceOp op,
                         HcclComm handle, aclrtStream) {
  if (!reducible(type)) return HCCL_E_NOT_SUPPORT;
  auto& ranks = of(handle);
  const Call call{"HcclAllReduce", type, op, 0, count * item_bytes(type)};
  return ranks.exchange(call, sends, [&](size_t offset, size_t length) {
    reduce(bytes_at(receives, offset), ranks, length, type, op);
  });
}

HcclResult HcclReduce(void* sends, void* receives, uint64_t count, HcclDataType type, HcclReduceOp op, uint32_t root,
                      HcclComm handle, aclrtStream) {
  if (!reducible(type)) return HCCL_E_NOT_SUPPORT;
  auto& ranks = of(handle);
  const Call call{"HcclReduce", type, op, root, count * item_bytes(type)};
  return ranks.exchange(call, sends, [&](size_t offset, size_t length) {
    if (ranks.rank() == root) reduce(bytes_at(receives, offset), ranks, length, type, op);
  });
}

HcclResult HcclBroadcast(void* data, uint64_t count, HcclDataType type, uint32_t root, HcclComm handle, aclrtStream) {
  auto& ranks = of(handle);
  const bool sends = ranks.rank() == root;
  const Call call{"HcclBroadcast", type, 0, root, count * item_bytes(type)};
  return ranks.exchange(call, sends ? data : nullptr, [&](size_t offset, size_t length) {
    if (!sends) std::memcpy(bytes_at(data, offset), ranks.published(root), length);
  });
}

HcclResult HcclAllGather(void* sends, void* receives, uint64_t count, HcclDataType type, HcclComm handle, aclrtStream) {
  auto& ranks = of(handle);
  const Call call{"HcclAllGather", type, 0, 0, count * item_bytes(type)};
  return ranks.exchange(call, sends, [&](size_t offset, size_t length) {
    for (uint32_t rank = 0; rank < ranks.size(); ++rank)
      std::memcpy(bytes_at(receives, rank * call.bytes + offset), ranks.published(rank), length);
  });
}

HcclResult HcclAllGatherV(void* sends, uint64_t, void* receives, const void* counts, const void* offsets,
                          HcclDataType type, HcclComm handle, aclrtStream) {
  auto& ranks = of(handle);
  const size_t item = item_bytes(type);
  for (uint32_t rank = 0; rank < ranks.size(); ++rank) {
    const auto start = static_cast<const uint64_t*>(offsets)[rank] * item;
    const Call call{"HcclAllGatherV", type, 0, rank, static_cast<const uint64_t*>(counts)[rank] * item};
    const auto result =
        ranks.exchange(call, rank == ranks.rank() ? sends : nullptr, [&](size_t offset, size_t length) {
          std::memcpy(bytes_at(receives, start + offset), ranks.published(rank), length);
        });
    if (result != HCCL_SUCCESS) return result;
  }
  return HCCL_SUCCESS;
}

HcclResult HcclReduceScatterV(void* sends, const void* counts, const void* offsets, void* receives, uint64_t,
                              HcclDataType type, HcclReduceOp op, HcclComm handle, aclrtStream) {
  if (!reducible(type)) return HCCL_E_NOT_SUPPORT;
  auto& ranks = of(handle);
  const size_t item = item_bytes(type);
  for (uint32_t rank = 0; rank < ranks.size(); ++rank) {
    const auto start = static_cast<const uint64_t*>(offsets)[rank] * item;
    const Call call{"HcclReduceScatterV", type, op, rank, static_cast<const uint64_t*>(counts)[rank] * item};
    const auto result = ranks.exchange(call, bytes_at(sends, start), [&](size_t offset, size_t length) {
      if (rank == ranks.rank()) reduce(bytes_at(receives, offset), ranks, length, type, op);
    });
    if (result != HCCL_SUCCESS) return result;
  }
  return HCCL_SUCCESS;
}

HcclResult HcclReduceScatter(void* sends, void* receives, uint64_t count, HcclDataType type, HcclReduceOp op,
                             HcclComm handle, aclrtStream stream) {
  uint64_t counts[kMaxRanks], offsets[kMaxRanks];
  for (uint32_t rank = 0; rank < of(handle).size(); ++rank) {
    counts[rank] = count;
    offsets[rank] = rank * count;
  }
  return HcclReduceScatterV(sends, counts, offsets, receives, count, type, op, handle, stream);
}

HcclResult HcclScatter(void* sends, void* receives, uint64_t count, HcclDataType type, uint32_t root, HcclComm handle,
                       aclrtStream) {
  auto& ranks = of(handle);
  const Call call{"HcclScatter", type, 0, root, count * item_bytes(type)};
  for (uint32_t rank = 0; rank < ranks.size(); ++rank) {
    const auto* part = ranks.rank() == root ? bytes_at(sends, rank * call.bytes) : nullptr;
    const auto result = ranks.exchange(call, part, [&](size_t offset, size_t length) {
      if (rank == ranks.rank()) std::memcpy(bytes_at(receives, offset), ranks.published(root), length);
    });
    if (result != HCCL_SUCCESS) return result;
  }
  return HCCL_SUCCESS;
}

HcclResult HcclBatchSendRecv(HcclSendRecvItem* items, uint32_t count, HcclComm handle, aclrtStream) {
  std::vector<Transfer> transfers;
  for (uint32_t i = 0; i < count; ++i)
    transfers.push_back({items[i].sendRecvType == HCCL_SEND ? Transfer::kSend : Transfer::kReceive,
                         static_cast<char*>(items[i].buf), items[i].count * item_bytes(items[i].dataType),
                         items[i].remoteRank});
  return transfer(of(handle), std::move(transfers));
}

HcclResult HcclGroupStart() {
  ++group.depth;
  return HCCL_SUCCESS;
}

HcclResult HcclGroupEnd() {
  if (--group.depth || !group.ranks) return HCCL_SUCCESS;
  auto& ranks = *std::exchange(group.ranks, nullptr);
  return ranks.transfer(std::exchange(group.transfers, {}));
}

HcclResult HcclSend(void* data, uint64_t count, HcclDataType type, uint32_t to, HcclComm handle, aclrtStream stream) {
  HcclSendRecvItem item{HCCL_SEND, data, count, type, to};
  return HcclBatchSendRecv(&item, 1, handle, stream);
}

HcclResult HcclRecv(void* data, uint64_t count, HcclDataType type, uint32_t from, HcclComm handle, aclrtStream stream) {
  HcclSendRecvItem item{HCCL_RECV, data, count, type, from};
  return HcclBatchSendRecv(&item, 1, handle, stream);
}

HcclResult HcclAlltoAllV(const void* sends, const void* send_counts, const void* send_offsets, HcclDataType send_type,
                         const void* receives, const void* receive_counts, const void* receive_offsets,
                         HcclDataType receive_type, HcclComm handle, aclrtStream) {
  auto& ranks = of(handle);
  std::vector<Transfer> transfers;
  for (uint32_t rank = 0; rank < ranks.size(); ++rank) {
    const auto at = [rank](const void* numbers) { return static_cast<const uint64_t*>(numbers)[rank]; };
    char* from = bytes_at(sends, at(send_offsets) * item_bytes(send_type));
    char* to = bytes_at(receives, at(receive_offsets) * item_bytes(receive_type));
    const size_t sent = at(send_counts) * item_bytes(send_type),
                 received = at(receive_counts) * item_bytes(receive_type);
    if (rank == ranks.rank()) {
      if (!only_counts(sent)) std::memcpy(to, from, sent);
    } else {
      transfers.push_back({Transfer::kSend, from, sent, rank});
      transfers.push_back({Transfer::kReceive, to, received, rank});
    }
  }
  return transfer(ranks, std::move(transfers));
}

HcclResult HcclAlltoAll(const void* sends, uint64_t send_count, HcclDataType send_type, const void* receives,
                        uint64_t receive_count, HcclDataType receive_type, HcclComm handle, aclrtStream stream) {
  uint64_t send_counts[kMaxRanks], send_offsets[kMaxRanks], receive_counts[kMaxRanks], receive_offsets[kMaxRanks];
  for (uint32_t rank = 0; rank < of(handle).size(); ++rank) {
    send_counts[rank] = send_count;
    send_offsets[rank] = rank * send_count;
    receive_counts[rank] = receive_count;
    receive_offsets[rank] = rank * receive_count;
  }
  return HcclAlltoAllV(sends, send_counts, send_offsets, send_type, receives, receive_counts, receive_offsets,
                       receive_type, handle, stream);
}
}
