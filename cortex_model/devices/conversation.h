// A program that stays: over standard input and output the host sets arrays, lets it run, and reads arrays.
//
//     set NAME BYTES   then the raw bytes     no answer
//     get NAME                                answer: BYTES, then the raw bytes
//     run                                     answer: SECONDS that the loop took
//
// Each command and each answer is one line of text. The program ends where its input ends.
#pragma once
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <new>
#include <string>
#include <unistd.h>
#include <vector>

#ifndef __CUDACC__
// Arrays begin where a line of the cache does, so that no vector of theirs lies in two.
void* operator new(size_t n_bytes)
{
    void* memory = 0;
    if (posix_memalign(&memory, 64, n_bytes)) throw std::bad_alloc();
    return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
#endif

// Answers go where standard output went; what else the program prints goes nowhere.
static std::FILE* const answers = [] {
    std::FILE* const kept = fdopen(dup(fileno(stdout)), "wb");
    std::freopen("/dev/null", "w", stdout);
    return kept;
}();

class Conversation
{
protected:
    struct Array
    {
        std::function<void(size_t)> set;
        std::function<void()> get;
    };
    std::map<std::string, Array> arrays;

    [[noreturn]] static void complain(const std::string& about)
    {
        std::fprintf(stderr, "%s\n", about.c_str());
        std::_Exit(1);
    }

public:
    static void read(void* bytes, size_t n)
    {
        if (std::fread(bytes, 1, n, stdin) != n)
            std::_Exit(0);  // the host has gone
    }

    static void announce(size_t n) { std::fprintf(answers, "%zu\n", n); }

    static void write(const void* bytes, size_t n) { std::fwrite(bytes, 1, n, answers); }

    // An array of fixed size.
    template <class T> void bind(const std::string& name, T* values, size_t n)
    {
        arrays[name] = {
            [=](size_t n_bytes) {
                if (n_bytes != n*sizeof(T))
                    complain(name + " holds " + std::to_string(n*sizeof(T)) + " bytes, got " + std::to_string(n_bytes));
                read(values, n_bytes);
            },
            [=] { announce(n*sizeof(T)); write(values, n*sizeof(T)); }};
    }

    // An array that takes the size of what it is set to.
    template <class T> void bind(const std::string& name, std::vector<T>& values)
    {
        arrays[name] = {
            [&values](size_t n_bytes) { values.resize(n_bytes/sizeof(T)); read(values.data(), n_bytes); },
            [&values] { announce(values.size()*sizeof(T)); write(values.data(), values.size()*sizeof(T)); }};
    }

    // What a monitor has recorded, one row a time; it can only be emptied.
    template <class T> void bind(const std::string& name, DynamicArray2D<T>& values)
    {
        arrays[name] = {
            [&values](size_t) { values.resize((size_t)0, values.m); },
            [&values] {
                announce(values.n*values.m*sizeof(T));
                for (size_t row = 0; row < values.n && values.m; row++)
                    write(&values(row, 0), values.m*sizeof(T));
            }};
    }

    // Obeys until a run is wanted.
    void wait()
    {
        char line[512], name[400];
        for (; std::fgets(line, sizeof line, stdin); std::fflush(answers))
        {
            size_t n_bytes = 0;
            if (std::string(line) == "run\n")
                return;
            if (std::sscanf(line, "%*s %399s %zu", name, &n_bytes) < 1 || !arrays.count(name))
                complain("there is no array for: " + std::string(line));
            line[0] == 's' ? arrays[name].set(n_bytes) : arrays[name].get();
        }
        std::_Exit(0);
    }

    void has_run(double seconds)
    {
        std::fprintf(answers, "%.9g\n", seconds);
        std::fflush(answers);
    }
};
