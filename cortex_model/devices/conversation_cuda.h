// What a program on a GPU adds to conversation.h: each array has a copy there, that code objects read and write.
#pragma once
#include "brianlib/cuda_utils.h"
#include "brianlib/dynamic_array.h"
#include "conversation.h"
#include <chrono>
#include <thrust/device_vector.h>
#include <thrust/host_vector.h>

class ConversationOnGPU : public Conversation
{
public:
    using Conversation::bind;

    // An array of fixed size.
    template <class T> void bind(const std::string& name, T* values, T* on_gpu, size_t n)
    {
        Conversation::bind(name, values, n);
        const Array on_host = arrays[name];
        arrays[name] = {
            [=](size_t n_bytes) {
                on_host.set(n_bytes);
                CUDA_SAFE_CALL(cudaMemcpy(on_gpu, values, n*sizeof(T), cudaMemcpyHostToDevice));
            },
            [=] {
                CUDA_SAFE_CALL(cudaMemcpy(values, on_gpu, n*sizeof(T), cudaMemcpyDeviceToHost));
                on_host.get();
            }};
    }

    // An array that takes the size of what it is set to.
    template <class T>
    void bind(const std::string& name, thrust::host_vector<T>& values, thrust::device_vector<T>& on_gpu)
    {
        arrays[name] = {
            [&values, &on_gpu](size_t n_bytes) {
                values.resize(n_bytes/sizeof(T));
                read(values.data(), n_bytes);
                THRUST_CHECK_ERROR(on_gpu = values);
            },
            [&values, &on_gpu] {
                THRUST_CHECK_ERROR(values = on_gpu);
                announce(values.size()*sizeof(T));
                write(values.data(), values.size()*sizeof(T));
            }};
    }

    // Kernels go on after the host's loop: their time counts, and their errors show.
    void has_run(double seconds)
    {
        const auto start = std::chrono::steady_clock::now();
        CUDA_SAFE_CALL(cudaDeviceSynchronize());
        Conversation::has_run(seconds + std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
};
