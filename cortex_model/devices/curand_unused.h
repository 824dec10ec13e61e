// What Brian2CUDA's sources name of cuRAND, where nothing is drawn: programs need neither its headers nor its library.
#pragma once
#include <cstddef>

enum curandStatus_t { CURAND_STATUS_SUCCESS };
enum { CURAND_RNG_PSEUDO_DEFAULT };
struct curandGenerator_t {};
struct curandState {};

inline const char* _curandGetErrorEnum(curandStatus_t) { return "cuRAND is not used"; }
inline curandStatus_t curandCreateGenerator(curandGenerator_t*, int) { return CURAND_STATUS_SUCCESS; }
inline curandStatus_t curandDestroyGenerator(curandGenerator_t) { return CURAND_STATUS_SUCCESS; }
inline curandStatus_t curandSetGeneratorOffset(curandGenerator_t, unsigned long long) { return CURAND_STATUS_SUCCESS; }
inline curandStatus_t curandSetPseudoRandomGeneratorSeed(curandGenerator_t, unsigned long long)
{
    return CURAND_STATUS_SUCCESS;
}
inline __device__ void curand_init(unsigned long long, unsigned long long, unsigned long long, curandState*) {}

template <class T> void curandGenerateUniform(curandGenerator_t, T*, size_t) {}
template <class T> void curandGenerateUniformDouble(curandGenerator_t, T*, size_t) {}
template <class T> void curandGenerateNormal(curandGenerator_t, T*, size_t, double, double) {}
template <class T> void curandGenerateNormalDouble(curandGenerator_t, T*, size_t, double, double) {}
inline curandStatus_t curandGeneratePoisson(curandGenerator_t, unsigned int*, size_t, double)
{
    return CURAND_STATUS_SUCCESS;
}
