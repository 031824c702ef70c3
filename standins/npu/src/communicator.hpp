// Ranks of one host that meet in a piece of shared memory, one process each.
#pragma once

#include <hccl/hccl.h>
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace virtual_npu {

constexpr uint32_t kMaxRanks = 16;
constexpr size_t kChunk = 1 << 20;  // bytes that travel at once

// One message's part on its way from one rank to another; full while put is ahead of taken.
struct Mailbox {
  std::atomic<uint64_t> put, taken;
  size_t bytes;
};

// What a rank asks for.  Ranks that ask for different things are told so, as by HCCL (EI0005): what they have would not
// belong together.
struct Call {
  char name[20];
  uint32_t type = 0, op = 0, root = 0;
  uint64_t bytes = 0;

  bool operator==(const Call&) const = default;
};

struct SharedState {
  std::atomic<uint32_t> arrived, generation;
  Call calls[2][kMaxRanks];  // of this turn and the next: a rank may be one ahead of those that still compare
  std::atomic<pid_t> process[kMaxRanks];
  Mailbox mailbox[kMaxRanks][kMaxRanks];  // [from][to]
};

struct Transfer {
  enum Direction { kSend, kReceive } direction;
  char* data;
  size_t bytes;
  uint32_t peer;
};

class Communicator {
 public:
  // Waits for all ranks.  The name leaves the file system as soon as everybody has come.
  static HcclResult join(const std::string& name, uint32_t size, uint32_t rank, Communicator** joined);
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  uint32_t size() const { return size_; }
  uint32_t rank() const { return rank_; }
  const std::string& name() const { return name_; }

  HcclResult barrier();

  // All ranks make the same call.  Each publishes what it sends (nullptr: nothing) chunk by chunk; take then reads the
  // chunk of any rank with published(), at this offset and of this length.
  HcclResult exchange(const Call& call, const void* sends,
                      const std::function<void(size_t offset, size_t length)>& take);
  const char* published(uint32_t rank) const { return slots_ + rank * kChunk; }

  // Messages between pairs of ranks keep their order.
  HcclResult transfer(std::vector<Transfer> transfers);

 private:
  Communicator(std::string name, uint32_t size, uint32_t rank, char* memory);
  static size_t bytes_for(uint32_t size);

  HcclResult agree_on(const Call& call);
  HcclResult wait_until(const std::function<bool()>& happened);
  int missing_rank() const;
  char* mail(uint32_t from, uint32_t to) const { return mail_ + (static_cast<size_t>(from) * size_ + to) * kChunk; }
  void advance(Transfer& transfer);

  std::string name_;
  uint32_t size_, rank_;
  uint64_t turn_ = 0;
  SharedState* state_;
  char* slots_;
  char* mail_;
};

}  // namespace virtual_npu
