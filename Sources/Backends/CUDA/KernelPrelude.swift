/// What every kernel's text begins with. The same text is CUDA C++ for NVRTC and,
/// in the tests, C for the host: what differs is behind `HOST_EMULATION`; what threads,
/// blocks and barriers are there comes with the emulation.
enum KernelPrelude {
    static let text = """
        #ifndef HOST_EMULATION
        typedef unsigned int uint32;
        typedef unsigned long long uint64;
        #define KERNEL extern "C" __global__ void
        #define DEVICE static __device__ __forceinline__
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
        typedef float4 Four;
        #define FMA(a, b, c) fmaf(a, b, c)
        // All registers of a processor for one block.
        #define AT_MOST(threads) __launch_bounds__(threads, 1)
        // Past the L1: what is read once, or was written by other blocks.
        #define FROM_L2(place) __ldcg(place)
        // Of a divisor from 2^-126 to 2^126, to two units in the last place; without the
        // branches that a division has for all others.
        #define op_quotient(a, b) __fdividef(a, b)
        #else
        // A GPU reads four at a time only where they are aligned.
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

        // Philox 4x32-10 (Salmon et al. 2011), word `index % 4` of block `index / 4`.
        typedef struct { uint32 key0, key1, high0, high1; } RandomKey;
        DEVICE float op_uniform(RandomKey k, uint64 index) {
            uint64 number = index >> 2;
            uint32 c0 = (uint32)number, c1 = (uint32)(number >> 32), c2 = k.high0, c3 = k.high1;
            uint32 k0 = k.key0, k1 = k.key1;
            for (int round = 0; round < 10; round++) {
                uint64 a = 0xD2511F53ull * c0, b = 0xCD9E8D57ull * c2;
                uint32 n0 = (uint32)(b >> 32) ^ c1 ^ k0, n2 = (uint32)(a >> 32) ^ c3 ^ k1;
                c1 = (uint32)b;
                c3 = (uint32)a;
                c0 = n0;
                c2 = n2;
                k0 += 0x9E3779B9u;
                k1 += 0xBB67AE85u;
            }
            uint32 word = (index & 3) == 0 ? c0 : (index & 3) == 1 ? c1 : (index & 3) == 2 ? c2 : c3;
            return (float)(word >> 8) * 5.9604644775390625e-8f;
        }

        """
}
