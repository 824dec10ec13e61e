// How fast one thread reads, and reads and writes, working sets of growing size.
//
//     bandwidth LARGEST_BYTES
//
// prints a line for each working set: bytes, gigabytes per second read, gigabytes per second read and written.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

const int LANES = 128;  // sums of their own: one alone would wait for itself
static float sums[LANES];

void read(float* __restrict values, size_t n)
{
    float lanes[LANES] = {0};
    for (size_t i = 0; i < n; i += LANES)
        for (int k = 0; k < LANES; k++)
            lanes[k] += values[i + k];
    for (int k = 0; k < LANES; k++)
        sums[k] += lanes[k];
}

void update(float* __restrict values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] += 1.0f;
}

double gigabytes_per_second(void (*pass)(float*, size_t), std::vector<float>& values, int passes_over_bytes)
{
    typedef std::chrono::steady_clock clock;
    const double bytes = passes_over_bytes*4.0*values.size();
    const int n_passes = 1 + (int)(2e8/bytes);
    double best = 0;
    for (int repetition = 0; repetition < 7; repetition++)
    {
        const clock::time_point started = clock::now();
        for (int k = 0; k < n_passes; k++)
            pass(values.data(), values.size());
        const std::chrono::duration<double> seconds = clock::now() - started;
        const double rate = n_passes*bytes/seconds.count()/1e9;
        if (rate > best) best = rate;
    }
    return best;
}

int main(int, char** arguments)
{
    const size_t largest = std::strtoull(arguments[1], NULL, 10);
    for (size_t bytes = 16384; bytes <= largest; bytes *= 2)
    {
        std::vector<float> values(bytes/sizeof(float), 1.0f);
        const double reading = gigabytes_per_second(read, values, 1);
        const double updating = gigabytes_per_second(update, values, 2);
        std::printf("%zu %.2f %.2f\n", bytes, reading, updating);
        std::fflush(stdout);
    }
    return sums[0] == 0.5f;  // the sums are used, so that the compiler keeps them
}
