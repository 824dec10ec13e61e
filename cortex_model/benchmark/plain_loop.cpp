// A presentation in plain C++: what a careful programmer would write for one network and one rule.
//
//     plain_loop FOLDER N_PRESENTATIONS N_STIMULI LEARNING_RATE RESULT n_0 n_1 ... n_L
//
// random_feedback online: forward sweep (tanh), softmax, output error, feedback sweep, then W_l and b_l change.
// A row of synapses is what one presynaptic neuron sends, so that sums and changes both run along memory.
// FOLDER holds NumPy arrays (W_l, V_l in the paper's orientation, C order); RESULT is a folder for the last W_l and b_l, or "-".

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#ifndef NUMBER
#define NUMBER float
#endif
typedef NUMBER number;
typedef std::vector<number> Vector;

// The numbers of a .npy file of n_rows x n_columns, transposed: they begin after 10 bytes and a header, whose length
// is in bytes 8 and 9.
Vector read(const std::string& path, int n_rows, int n_columns)
{
    std::ifstream file(path.c_str(), std::ios::binary);
    unsigned char begin[10] = {0};
    file.read(reinterpret_cast<char*>(begin), 10).seekg(10 + begin[8] + 256*begin[9]);
    Vector result((size_t)n_rows*n_columns), row(n_columns);
    for (int i = 0; i < n_rows; i++)
    {
        file.read(reinterpret_cast<char*>(row.data()), n_columns*sizeof(number));
        for (int j = 0; j < n_columns; j++)
            result[(size_t)j*n_rows + i] = row[j];
    }
    if (!file) { std::cerr << path << " cannot be read\n"; std::exit(1); }
    return result;
}

void write(const std::string& path, const Vector& values, int n_rows, int n_columns)
{
    std::ofstream file(path.c_str(), std::ios::binary);
    Vector row(n_rows);
    for (int j = 0; j < n_columns; j++)
    {
        for (int i = 0; i < n_rows; i++)
            row[i] = values[(size_t)i*n_columns + j];
        file.write(reinterpret_cast<const char*>(row.data()), n_rows*sizeof(number));
    }
}

// Weights are visited in tiles: the sums of its columns stay in registers, its rows come one after the other from memory.
const int ROWS = 32, COLUMNS = 128;

// Inlined twice, once with the width as a constant, because short loops of unknown length mispredict their end.
inline void add_tile(const number* w, int n_post, const number* rates, int n_rows, number* sums, const int width)
{
    number s[COLUMNS];
    std::copy(sums, sums + width, s);
    for (int i = 0; i < n_rows; i++)
        for (int k = 0; k < width; k++)
            s[k] += rates[i]*w[(size_t)i*n_post + k];
    std::copy(s, s + width, sums);
}

// sums_j = sum_i rates_i w_ij
void add_up(const Vector& weights, const number* rates, int n_pre, Vector& sums)
{
    const int n_post = sums.size();
    std::fill(sums.begin(), sums.end(), number(0));
    for (int i = 0; i < n_pre; i += ROWS)
    {
        const int n_rows = std::min(ROWS, n_pre - i);
        const number* w = &weights[(size_t)i*n_post];
        int j = 0;
        for (; j + COLUMNS <= n_post; j += COLUMNS)
            add_tile(w + j, n_post, rates + i, n_rows, &sums[j], COLUMNS);
        if (j < n_post)
            add_tile(w + j, n_post, rates + i, n_rows, &sums[j], n_post - j);
    }
}

// w_ij += step_j rates_i
void change(Vector& weights, const Vector& steps, const number* rates, int n_pre)
{
    const int n_post = steps.size();
    const number* __restrict step = steps.data();
    for (int i = 0; i < n_pre; i++)
    {
        number* __restrict w = &weights[(size_t)i*n_post];
        int j = 0;
        for (; j + COLUMNS <= n_post; j += COLUMNS)
            for (int k = j; k < j + COLUMNS; k++)
                w[k] += step[k]*rates[i];
        for (; j < n_post; j++)
            w[j] += step[j]*rates[i];
    }
}

// The same as std::tanh up to a rounding of 1, in a third of the time
number tanh_of(number x)
{
    return 1 - 2/(1 + std::exp(2*x));
}

int main(int n_arguments, char** arguments)
{
    const std::string folder = std::string(arguments[1]) + "/", result = arguments[5];
    const int n_presentations = std::atoi(arguments[2]), n_stimuli = std::atoi(arguments[3]), L = n_arguments - 7;
    const number learning_rate = std::atof(arguments[4]);
    std::vector<int> n;
    for (int k = 6; k < n_arguments; k++) n.push_back(std::atoi(arguments[k]));

    const Vector stimuli = read(folder + "stimuli.npy", 1, n_stimuli*n[0]);
    const Vector targets = read(folder + "targets.npy", 1, n_stimuli*n[L]);
    std::vector<Vector> W(L + 1), V(L + 1), b(L + 1), rate(L + 1), delta(L + 1), step(L + 1);
    for (int l = 1; l <= L; l++)
    {
        const std::string level = std::to_string(l) + ".npy";
        W[l] = read(folder + "W_" + level, n[l], n[l - 1]);
        if (l > 1) V[l] = read(folder + "V_" + level, n[l - 1], n[l]);
        b[l] = read(folder + "b_" + level, 1, n[l]);
        rate[l] = delta[l] = step[l] = Vector(n[l]);
    }

    const auto started = std::chrono::steady_clock::now();
    for (int t = 0; t < n_presentations; t++)
    {
        const number* stimulus = &stimuli[(size_t)(t % n_stimuli)*n[0]];
        const number* target = &targets[(size_t)(t % n_stimuli)*n[L]];
        for (int l = 1; l <= L; l++)
        {
            add_up(W[l], l > 1 ? rate[l - 1].data() : stimulus, n[l - 1], rate[l]);
            for (int j = 0; j < n[l]; j++)
                rate[l][j] = l < L ? tanh_of(rate[l][j] + b[l][j]) : std::exp(rate[l][j] + b[l][j]);
        }
        number pool = 0;
        for (int j = 0; j < n[L]; j++) pool += rate[L][j];
        for (int j = 0; j < n[L]; j++) delta[L][j] = rate[L][j]/pool - target[j];
        for (int l = L - 1; l >= 1; l--)
        {
            add_up(V[l + 1], delta[l + 1].data(), n[l + 1], delta[l]);
            for (int j = 0; j < n[l]; j++) delta[l][j] *= 1 - rate[l][j]*rate[l][j];
        }
        for (int l = 1; l <= L; l++)
        {
            for (int j = 0; j < n[l]; j++) b[l][j] += step[l][j] = -learning_rate*delta[l][j];
            change(W[l], step[l], l > 1 ? rate[l - 1].data() : stimulus, n[l - 1]);
        }
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;

    for (int l = 1; l <= L && result != "-"; l++)
    {
        write(result + "/W_" + std::to_string(l) + ".bin", W[l], n[l - 1], n[l]);
        write(result + "/b_" + std::to_string(l) + ".bin", b[l], n[l], 1);
    }
    std::cout << "{\"seconds\": " << seconds.count() << "}\n";
}
