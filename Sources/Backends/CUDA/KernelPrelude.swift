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
