// A GPU on the processor: as much of CUDA and Thrust as generated programs name. The threads of a block take turns
// between two __syncthreads(); memory of the GPU is memory of its own, which the host reads by cudaMemcpy alone.
#pragma once
#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <ucontext.h>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __launch_bounds__(n)

using std::ifstream;
using std::ios;
using std::max;
using std::min;
using std::ofstream;
using std::streampos;
using std::string;
using std::endl;

struct dim3
{
    unsigned x, y, z;
    dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulated
{
struct Thread
{
    ucontext_t beginning;
    jmp_buf place;
    std::vector<char> stack = std::vector<char>(1 << 16);
    bool has_begun = false, is_done = true;
};
inline std::vector<Thread> threads(1024);
inline ucontext_t unused;
inline jmp_buf host;
inline unsigned current;
// Which of two threads, or blocks, comes first must not matter.
inline const bool is_backwards = std::getenv("EMULATED_GPU_BACKWARDS");
inline std::function<void()> kernel;
alignas(8) inline char exchanged[1024][8];

// Threads go on where they were by jumps, because contexts are changed by the system, which takes much longer.
inline void wait()
{
    if (!_setjmp(threads[current].place))
        _longjmp(host, 1);
}

inline void live()
{
    for (;; wait())
    {
        kernel();
        threads[current].is_done = true;
    }
}

inline void go_on(Thread& thread)
{
    if (_setjmp(host))
        return;
    if (thread.has_begun)
        _longjmp(thread.place, 1);
    thread.has_begun = true;
    getcontext(&thread.beginning);
    thread.beginning.uc_stack.ss_sp = thread.stack.data();
    thread.beginning.uc_stack.ss_size = thread.stack.size();
    makecontext(&thread.beginning, live, 0);
    swapcontext(&unused, &thread.beginning);
}

inline void block(unsigned n)
{
    for (unsigned k = 0; k < n; k++)
        threads[k].is_done = false;
    for (bool is_running = true; is_running;)
    {
        is_running = false;
        for (unsigned k = 0; k < n; k++)
            if (!threads[current = is_backwards ? n - 1 - k : k].is_done)
            {
                threadIdx = dim3(current % blockDim.x, current/blockDim.x);
                go_on(threads[current]);
                is_running = true;
            }
    }
}
}

inline void __syncthreads() { emulated::wait(); }

template <class T> T __shfl_down_sync(unsigned, T value, int down)
{
    const unsigned me = emulated::current, other = me % 32 + down < 32 ? me + down : me;
    std::memcpy(emulated::exchanged[me], &value, sizeof value);
    __syncthreads();
    std::memcpy(&value, emulated::exchanged[other], sizeof value);
    __syncthreads();
    return value;
}

// kernel<<<blocks, threads>>>(arguments) is written launched(kernel, blocks, threads)(arguments).
template <class... Parameters> auto launched(void (*kernel)(Parameters...), dim3 blocks, dim3 threads)
{
    return [=](auto... arguments) {
        emulated::kernel = [=] { kernel(arguments...); };
        blockDim = threads, gridDim = blocks;
        const unsigned n = blocks.x*blocks.y;
        for (unsigned k = 0; k < n; k++)
        {
            const unsigned block = emulated::is_backwards ? n - 1 - k : k;
            blockIdx = dim3(block % blocks.x, block/blocks.x);
            emulated::block(threads.x*threads.y);
        }
    };
}

enum cudaError { cudaSuccess };
typedef cudaError cudaError_t;
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum { cudaLimitMallocHeapSize };
struct cudaDeviceProp
{
    int multiProcessorCount = 2, maxThreadsPerBlock = 1024, maxThreadsPerMultiProcessor = 2048, warpSize = 32;
    size_t sharedMemPerBlock = 49152;
};
struct cudaFuncAttributes
{
    int maxThreadsPerBlock = 1024, numRegs = 0;
    size_t sharedSizeBytes = 0, localSizeBytes = 0, constSizeBytes = 0;
};
inline const char* cudaGetErrorString(cudaError) { return "none"; }
inline cudaError cudaGetLastError() { return cudaSuccess; }
inline cudaError cudaDeviceSynchronize() { return cudaSuccess; }
inline void __threadfence() {}
inline cudaError cudaProfilerStop() { return cudaSuccess; }
inline cudaError cudaSetDevice(int) { return cudaSuccess; }
inline cudaError cudaDeviceSetLimit(int, size_t) { return cudaSuccess; }
inline cudaError cudaGetDeviceProperties(cudaDeviceProp* to, int) { *to = cudaDeviceProp(); return cudaSuccess; }
inline cudaError cudaMemGetInfo(size_t* free, size_t* all) { *free = *all = 1 << 30; return cudaSuccess; }
inline cudaError cudaMalloc(void** to, size_t n) { *to = std::malloc(n); return cudaSuccess; }
inline cudaError cudaFree(void* of) { std::free(of); return cudaSuccess; }
inline cudaError cudaMemset(void* to, int value, size_t n) { std::memset(to, value, n); return cudaSuccess; }
inline cudaError cudaMemcpy(void* to, const void* from, size_t n, cudaMemcpyKind)
{
    std::memcpy(to, from, n);
    return cudaSuccess;
}
template <class T> cudaError cudaMemcpyToSymbol(T& symbol, const void* from, size_t n)
{
    std::memcpy(&symbol, from, n);
    return cudaSuccess;
}
template <class K> cudaError cudaFuncGetAttributes(cudaFuncAttributes*, K) { return cudaSuccess; }
template <class K> cudaError cudaOccupancyMaxPotentialBlockSize(int* blocks, int* threads, K, int, int)
{
    *blocks = 1, *threads = 32;
    return cudaSuccess;
}
template <class K> cudaError cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, K, int, size_t)
{
    *blocks = 1;
    return cudaSuccess;
}
inline int __float_as_int(float value) { int bits; std::memcpy(&bits, &value, 4); return bits; }
inline float __int_as_float(int bits) { float value; std::memcpy(&value, &bits, 4); return value; }
inline long long __double_as_longlong(double value) { long long bits; std::memcpy(&bits, &value, 8); return bits; }
inline double __longlong_as_double(long long bits) { double value; std::memcpy(&value, &bits, 8); return value; }
template <class T, class U> T atomicCAS(T* at, T compare, U value) { T old = *at; if (old == compare) *at = value; return old; }
template <class T> T atomicAdd(T* at, T value) { T old = *at; *at += value; return old; }

namespace thrust
{
template <class T> struct host_vector : std::vector<T>
{
    using std::vector<T>::vector;
};
template <class T> struct device_vector : std::vector<T>
{
    using std::vector<T>::vector;
    device_vector& operator=(const host_vector<T>& other) { this->assign(other.begin(), other.end()); return *this; }
    operator host_vector<T>() const { return host_vector<T>(this->begin(), this->end()); }
};
template <class T> T* raw_pointer_cast(T* pointer) { return pointer; }
}
