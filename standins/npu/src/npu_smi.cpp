// npu-smi info, as far as a device without silicon can answer.  Its table says that it is a virtual one.
#include <cstdio>
#include <cstring>
#include <string>

#include "settings.hpp"

namespace {

constexpr int kWidths[] = {27, 17, 52};

// Chinese characters take three bytes and two columns.
int columns(const std::string& text) {
  int count = 0;
  for (const unsigned char byte : text) count += byte < 0x80 ? 1 : byte >= 0xE0 ? 2 : 0;
  return count;
}

void row(const std::string& first, const std::string& second, const std::string& third) {
  const std::string cells[] = {first, second, third};
  for (int i = 0; i < 3; ++i) std::printf("| %s%*s", cells[i].c_str(), kWidths[i] - 1 - columns(cells[i]), "");
  std::printf("|\n");
}

void rule(char line) {
  for (const int width : kWidths) std::printf("+%s", std::string(width, line).c_str());
  std::printf("+\n");
}

void wide(const std::string& text) {
  int width = -1;
  for (const int cell : kWidths) width += cell + 1;
  std::printf("| %s%*s|\n", text.c_str(), width - 1 - columns(text), "");
}

int info() {
  const auto memory = std::to_string(virtual_npu::device_memory() >> 20);
  int width = -1;
  for (const int cell : kWidths) width += cell + 1;
  std::printf("+%s+\n", std::string(width, '-').c_str());
  wide("npu-smi: 虚拟 NPU (virtual NPU), no silicon and no driver; arithmetic and memory are the host's");
  rule('-');
  row("NPU   Name", "Health", "Power(W)    Temp(C)           Hugepages-Usage(page)");
  row("Chip", "Bus-Id", "AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)");
  rule('=');
  for (int device = 0; device < virtual_npu::installed_devices(); ++device) {
    row(std::to_string(device) + "     910B3 虚拟 (virtual)", "NA", "NA          NA                NA");
    row("0", "NA", "NA          NA                NA / " + memory);
    rule('=');
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::strcmp(arguments[1], "info") == 0) return info();
  std::fprintf(stderr, "The virtual NPU's npu-smi knows `npu-smi info` only.\n");
  return 2;
}
