#include "communicator.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>
#include <utility>

#include "runtime.hpp"
#include "settings.hpp"

namespace virtual_npu {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kStateBytes = (sizeof(SharedState) + kPage - 1) / kPage * kPage;
constexpr int kTurnsBeforeSleep = 200;
constexpr int kTurnsBetweenChecks = 1000;
constexpr auto kSleep = std::chrono::microseconds(50);
constexpr double kSecondsToWait = 1836;  // HCCL_EXEC_TIMEOUT where it is not set, as CANN has it

// A process that was killed stays in the table as a zombie until its parent asks for it.
bool is_running(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return false;
  const auto name_end = line.rfind(')');  // pid (name) state ...
  return name_end == std::string::npos || name_end + 2 >= line.size() || line[name_end + 2] != 'Z';
}

HcclResult failed(HcclResult code, const std::string& sentence) {
  fail(ACL_ERROR_INTERNAL_ERROR, sentence);
  return code;
}

std::chrono::seconds longest_wait() {
  static const auto limit = std::chrono::seconds(static_cast<long>(environment("HCCL_EXEC_TIMEOUT", kSecondsToWait)));
  return limit;
}

// The shared memory where ranks meet: made by the first of them, who holds a lock on it until all have come.  One that
// nobody holds was left by a killed program, and is taken for none; a lock ends with its process.
class MeetingPlace {
 public:
  MeetingPlace(const std::string& name, bool first, size_t bytes) { first ? make(name, bytes) : find(name); }
  ~MeetingPlace() {
    if (file_ >= 0) close(file_);
  }
  MeetingPlace(const MeetingPlace&) = delete;
  MeetingPlace& operator=(const MeetingPlace&) = delete;

  int file() const { return file_; }
  HcclResult error() const { return error_; }

 private:
  void make(const std::string& name, size_t bytes) {
    if (open_held(name))
      return fail_with(HCCL_E_PARA, "another program's ranks are just meeting by the same rank table, as " + name);
    shm_unlink(name.c_str());
    file_ = shm_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file_ < 0 || ftruncate(file_, static_cast<off_t>(bytes)) || flock(file_, LOCK_EX))
      return fail_with(HCCL_E_SYSCALL, std::string("shared memory between ranks: ") + std::strerror(errno));
    struct statvfs disk {};  // a page that finds no room when it is written is a bus error, and no message
    if (!fstatvfs(file_, &disk) && disk.f_blocks && disk.f_bavail * disk.f_frsize < bytes) {
      shm_unlink(name.c_str());
      fail_with(HCCL_E_MEMORY, "these ranks need " + mebibytes(bytes) + " MiB of /dev/shm, and " +
                                   mebibytes(disk.f_bavail * disk.f_frsize) +
                                   " MiB are free; a container gets more by --shm-size or --ipc=host");
    }
  }

  static std::string mebibytes(size_t bytes) { return std::to_string(bytes >> 20); }

  void find(const std::string& name) {
    const auto start = std::chrono::steady_clock::now();
    while (!open_held(name)) {
      if (std::chrono::steady_clock::now() - start > longest_wait())
        return fail_with(HCCL_E_TIMEOUT, "rank 0 did not come to " + name + " within " +
                                             std::to_string(longest_wait().count()) + " s (HCCL_EXEC_TIMEOUT)");
      std::this_thread::sleep_for(kSleep);
    }
  }

  // Whether there is one that a living process holds; it is open then.
  bool open_held(const std::string& name) {
    file_ = shm_open(name.c_str(), O_RDWR, 0600);
    if (file_ < 0) return false;
    if (flock(file_, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK) return true;
    close(std::exchange(file_, -1));
    return false;
  }

  void fail_with(HcclResult error, const std::string& sentence) { error_ = failed(error, sentence); }

  int file_ = -1;
  HcclResult error_ = HCCL_SUCCESS;
};

}  // namespace

size_t Communicator::bytes_for(uint32_t size) { return kStateBytes + kChunk * size + kChunk * size * size; }

Communicator::Communicator(std::string name, uint32_t size, uint32_t rank, char* memory)
    : name_(std::move(name)),
      size_(size),
      rank_(rank),
      state_(reinterpret_cast<SharedState*>(memory)),
      slots_(memory + kStateBytes),
      mail_(slots_ + kChunk * size) {}

Communicator::~Communicator() { munmap(state_, bytes_for(size_)); }

HcclResult Communicator::join(const std::string& name, uint32_t size, uint32_t rank, Communicator** joined) {
  if (size > kMaxRanks)
    return failed(HCCL_E_PARA, "the virtual NPU has room for " + std::to_string(kMaxRanks) + " ranks");
  const MeetingPlace place(name, rank == 0, bytes_for(size));
  if (place.error() != HCCL_SUCCESS) return place.error();
  void* memory = mmap(nullptr, bytes_for(size), PROT_READ | PROT_WRITE, MAP_SHARED, place.file(), 0);
  if (memory == MAP_FAILED)
    return failed(HCCL_E_MEMORY, std::string("shared memory between ranks: ") + std::strerror(errno));
  auto communicator = std::unique_ptr<Communicator>(new Communicator(name, size, rank, static_cast<char*>(memory)));
  communicator->state_->process[rank] = getpid();
  const auto result = rank == 0 ? communicator->wait_until([&] { return communicator->state_->arrived == size - 1; })
                                : communicator->barrier();
  if (rank == 0) shm_unlink(name.c_str());  // before the others go on: they may meet under this name again
  if (rank == 0 && result == HCCL_SUCCESS) communicator->barrier();
  if (result == HCCL_SUCCESS) *joined = communicator.release();
  return result;
}

int Communicator::missing_rank() const {
  for (uint32_t rank = 0; rank < size_; ++rank) {
    const pid_t process = state_->process[rank];
    if (process && !is_running(process)) return static_cast<int>(rank);
  }
  return -1;
}

HcclResult Communicator::wait_until(const std::function<bool()>& happened) {
  const auto start = std::chrono::steady_clock::now();
  const auto limit = longest_wait();
  for (long turn = 1; !happened(); ++turn) {
    if (turn < kTurnsBeforeSleep) {
      sched_yield();
      continue;
    }
    std::this_thread::sleep_for(kSleep);
    if (turn % kTurnsBetweenChecks) continue;
    if (const int rank = missing_rank(); rank >= 0 && !happened())
      return failed(HCCL_E_REMOTE, "rank " + std::to_string(rank) + " of communicator " + name_ + " has ended");
    if (std::chrono::steady_clock::now() - start > limit)
      return failed(HCCL_E_TIMEOUT, "rank " + std::to_string(rank_) + " of communicator " + name_ + " waited for " +
                                        std::to_string(limit.count()) + " s (HCCL_EXEC_TIMEOUT)");
  }
  return HCCL_SUCCESS;
}

HcclResult Communicator::barrier() {
  const uint32_t generation = state_->generation;
  if (state_->arrived.fetch_add(1) + 1 == size_) {
    state_->arrived = 0;
    state_->generation.fetch_add(1);
    return HCCL_SUCCESS;
  }
  return wait_until([&] { return state_->generation != generation; });
}

HcclResult Communicator::agree_on(const Call& call) {
  auto& calls = state_->calls[++turn_ % 2];
  calls[rank_] = call;
  if (const auto result = barrier(); result != HCCL_SUCCESS) return result;
  const auto said = [&](uint32_t rank) {
    const auto& one = calls[rank];
    return "rank " + std::to_string(rank) + " " + one.name + " (" + std::to_string(one.bytes) + " bytes, type " +
           std::to_string(one.type) + ", operation " + std::to_string(one.op) + ", root " + std::to_string(one.root) + ")";
  };
  for (uint32_t rank = 1; rank < size_; ++rank)
    if (!(calls[rank] == calls[0]))
      return failed(HCCL_E_PARA, "ranks of one communicator ask for different things: " + said(0) + ", " + said(rank));
  return HCCL_SUCCESS;
}

HcclResult Communicator::exchange(const Call& call, const void* sends,
                                  const std::function<void(size_t, size_t)>& take) {
  if (const auto result = agree_on(call); result != HCCL_SUCCESS || only_counts(call.bytes)) return result;
  for (size_t offset = 0; offset < call.bytes; offset += kChunk) {
    const size_t length = std::min<size_t>(kChunk, call.bytes - offset);
    if (sends) std::memcpy(slots_ + rank_ * kChunk, static_cast<const char*>(sends) + offset, length);
    if (const auto result = barrier(); result != HCCL_SUCCESS) return result;
    take(offset, length);
    if (const auto result = barrier(); result != HCCL_SUCCESS) return result;
  }
  return HCCL_SUCCESS;
}

// Moves the next part, if the other side has made room or put something there.
void Communicator::advance(Transfer& transfer) {
  const bool sends = transfer.direction == Transfer::kSend;
  const uint32_t from = sends ? rank_ : transfer.peer, to = sends ? transfer.peer : rank_;
  auto& box = state_->mailbox[from][to];
  const bool full = box.put != box.taken;
  if (full == sends) return;
  const size_t part = std::min(transfer.bytes, sends ? kChunk : box.bytes);
  if (sends) {
    std::memcpy(mail(from, to), transfer.data, part);
    box.bytes = part;
    ++box.put;
  } else {
    std::memcpy(transfer.data, mail(from, to), part);
    ++box.taken;
  }
  transfer.data += part;
  transfer.bytes -= part;
}

HcclResult Communicator::transfer(std::vector<Transfer> transfers) {
  for (auto& one : transfers)
    if (only_counts(one.bytes)) one.bytes = 1;  // both sides meet, and nothing else travels
  return wait_until([&] {
    bool done = true;
    for (size_t i = 0; i < transfers.size(); ++i) {
      const auto& next = transfers[i];
      const bool earlier_first =
          std::any_of(transfers.begin(), transfers.begin() + static_cast<long>(i), [&](const Transfer& earlier) {
            return earlier.bytes && earlier.direction == next.direction && earlier.peer == next.peer;
          });
      if (next.bytes && !earlier_first) advance(transfers[i]);
      done &= transfers[i].bytes == 0;
    }
    return done;
  });
}

}  // namespace virtual_npu
