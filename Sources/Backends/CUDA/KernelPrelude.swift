/// The beginning of every kernel's text. The same text is CUDA C++ for NVRTC and, in the
/// tests, C for the host: `HOST_EMULATION` selects the parts that differ, and the emulation
/// defines threads, blocks and barriers.
enum KernelPrelude {
    static let text = """
        #ifndef HOST_EMULATION
        typedef unsigned int uint32;
        typedef unsigned long long uint64;
        #define KERNEL extern "C" __global__ void
        #define DEVICE static __device__ __forceinline__
        #define CONSTANT static __constant__ const
        #define SHARED __shared__
        #define DYNAMIC_SHARED(type, name) extern __shared__ __align__(16) type name[]
        #define THREAD threadIdx.x
        #define THREADS blockDim.x
        #define BLOCK blockIdx.x
        #define BLOCK_Y blockIdx.y
        #define BLOCKS gridDim.x
        #define BLOCKS_Y gridDim.y
        #define BARRIER() __syncthreads()
        #define bits_to_float(bits) __uint_as_float(bits)
        #define float_to_bits(number) __float_as_uint(number)
        typedef float4 Four;
        #define FMA(a, b, c) fmaf(a, b, c)
        // One block of a processor may have all its registers.
        #define AT_MOST(threads) __launch_bounds__(threads, 1)
        // Bypasses the L1 for data that is read once or was written by other blocks.
        #define FROM_L2(place) __ldcg(place)
        // A quotient to two units in the last place for divisors from 2^-126 to 2^126, without
        // the branches that a division has for all others.
        #define op_quotient(a, b) __fdividef(a, b)
        #else
        // A GPU reads four numbers at a time only if they are aligned.
        typedef struct { float x, y, z, w; } __attribute__((aligned(16))) Four;
        #define FMA(a, b, c) ((a) * (b) + (c))
        #define AT_MOST(threads)
        #define FROM_L2(place) (*(place))
        #define op_quotient(a, b) ((a) / (b))
        #endif

        typedef struct { float *data; long long row_stride, column_stride; } View;
        #define AT(view, r, c) (view).data[(long long)(r) * (view).row_stride + (long long)(c) * (view).column_stride]

        DEVICE float op_maximum(float a, float b) { return a > b ? a : (b != b ? b : (a != a ? a : b)); }
        DEVICE float op_minimum(float a, float b) { return a < b ? a : (b != b ? b : (a != a ? a : b)); }
        DEVICE float op_sign(float a) { return a > 0.0f ? 1.0f : (a < 0.0f ? -1.0f : 0.0f); }
        DEVICE float op_sigmoid(float a) {
            float e = expf(-fabsf(a));
            return op_quotient(a >= 0.0f ? 1.0f : e, 1.0f + e);
        }

        // The sine of a + quarter · π/2, without the memory for each thread that sinf takes. Angles up to 2^28 are
        // reduced by n π/2 in double precision, in which the product of n and the first 25 bits of π/2 is exact; larger
        // ones by Payne & Hanek's method (1983): with |a| = m 2^e, 96 bits of 2/π give m 2^e / (π/2) modulo 4.
        CONSTANT uint32 two_over_pi[7] = {
            0xA2F9836Eu, 0x4E441529u, 0xFC2757D1u, 0xF534DDC0u, 0xDB629599u, 0x3C439041u, 0xFE5163ABu };
        DEVICE uint32 two_over_pi_bits(uint32 first) {
            uint32 i = first >> 5;
            return (uint32)(((uint64)two_over_pi[i] << 32 | two_over_pi[i + 1]) << (first & 31) >> 32);
        }
        DEVICE float op_sine(float a, uint32 quarter) {
            float size = fabsf(a), r;
            if (size <= 268435456.0f) {
                double n = ((double)a * 0.63661977236758134308 + 6755399441055744.0) - 6755399441055744.0;
                r = (float)((double)a - n * 1.57079631090164184570 - n * 1.58932547735281966916e-8);
                quarter += (uint32)(int)n;
            } else if (size <= 3.402823466e38f) {
                uint32 bits = float_to_bits(size), first = (bits >> 23) - 152u;
                uint64 m = (bits & 0x7FFFFFu) | 0x800000u;
                uint64 product = (m * two_over_pi_bits(first) << 32) + m * two_over_pi_bits(first + 32u)
                    + (m * two_over_pi_bits(first + 64u) >> 32);
                uint32 quarters = (uint32)((product + (1ull << 61)) >> 62);
                r = (float)((double)(long long)(product - ((uint64)quarters << 62)) * 3.4061215800865545e-19);
                r = a < 0.0f ? -r : r;
                quarter += a < 0.0f ? 0u - quarters : quarters;
            } else {
                return a - a;
            }
            float z = r * r;
            float s = ((-1.9515295891e-4f * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
            float c = ((2.443315711809948e-5f * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z
                - 0.5f * z + 1.0f;
            float y = (quarter & 1u) != 0u ? c : s;
            return (quarter & 2u) != 0u ? -y : y;
        }

        // Philox 4x32-10 (Salmon et al. 2011): uniform number `index` is word `index % 4` of
        // block `index / 4`.
        typedef struct { uint32 key0, key1, high0, high1; } RandomKey;
        typedef struct { uint32 x, y, z, w; } Words;
        DEVICE Words random_words(RandomKey k, uint64 block) {
            Words c = {(uint32)block, (uint32)(block >> 32), k.high0, k.high1};
            uint32 k0 = k.key0, k1 = k.key1;
            for (int round = 0; round < 10; round++) {
                uint64 a = 0xD2511F53ull * c.x, b = 0xCD9E8D57ull * c.z;
                c.x = (uint32)(b >> 32) ^ c.y ^ k0;
                c.z = (uint32)(a >> 32) ^ c.w ^ k1;
                c.y = (uint32)b;
                c.w = (uint32)a;
                k0 += 0x9E3779B9u;
                k1 += 0xBB67AE85u;
            }
            return c;
        }
        DEVICE float unit_number(uint32 word) { return (float)(word >> 8) * 5.9604644775390625e-8f; }
        DEVICE float op_uniform(RandomKey k, uint64 index) {
            Words c = random_words(k, index >> 2);
            return unit_number((index & 3) == 0 ? c.x : (index & 3) == 1 ? c.y : (index & 3) == 2 ? c.z : c.w);
        }
        // The uniform numbers of a whole block.
        DEVICE Four op_uniforms(RandomKey k, uint64 block) {
            Words c = random_words(k, block);
            Four u = {unit_number(c.x), unit_number(c.y), unit_number(c.z), unit_number(c.w)};
            return u;
        }

        """
}
