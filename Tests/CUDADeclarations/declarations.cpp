// Compares CUDADriver's own declarations with NVIDIA's headers, at compile time.
// scripts/check-cuda-declarations compiles this file, as it is and with planted mistakes.
#include <cublas_v2.h>
#include <cuda.h>
#include <cusolverDn.h>
#include <nvrtc.h>
#include <stddef.h>
#include <stdint.h>
#include <string_view>
#include <type_traits>

#include "constants.h"
#include "libraries.h"

namespace checks {

// Whether our type is compatible with NVIDIA's. An enumeration is passed as an int; an integer
// as another one of the same size and sign (a device address is `unsigned long long` there and
// uint64_t here); a pointer to a struct, which is opaque here, as `void *`; any other pointer
// as a pointer to a compatible type, with the same `const`.
template <class Ours, class Theirs> constexpr bool does();

template <class Ours, class Theirs> constexpr bool does_pointer() {
    if constexpr (std::is_const_v<Ours> != std::is_const_v<Theirs>) {
        return false;
    } else {
        using O = std::remove_const_t<Ours>;
        using T = std::remove_const_t<Theirs>;
        if constexpr (std::is_same_v<O, T>) return true;
        else if constexpr (std::is_class_v<T>) return std::is_void_v<O>;
        else if constexpr (std::is_void_v<O> || std::is_void_v<T>) return false;
        else return does<O, T>();
    }
}

template <class Ours, class Theirs> constexpr bool does() {
    if constexpr (std::is_same_v<Ours, Theirs>) return true;
    else if constexpr (std::is_enum_v<Theirs>) return std::is_same_v<Ours, int> && sizeof(Theirs) == sizeof(int);
    else if constexpr (std::is_integral_v<Ours> && std::is_integral_v<Theirs>)
        return sizeof(Ours) == sizeof(Theirs) && std::is_signed_v<Ours> == std::is_signed_v<Theirs>;
    else if constexpr (std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>)
        return does_pointer<std::remove_pointer_t<Ours>, std::remove_pointer_t<Theirs>>();
    else return false;
}

template <class Ours, class Theirs> struct Function { static constexpr bool agrees = false; };
template <class Our, class... Ours, class Their, class... Theirs> struct Function<Our(Ours...), Their(Theirs...)> {
    static constexpr bool agrees = [] {
        if constexpr (sizeof...(Ours) != sizeof...(Theirs)) return false;
        else return does<Our, Their>() && (does<Ours, Theirs>() && ...);
    }();
};

// For C++ the header has two functions of this name; this is the one that is exported.
constexpr cublasStatus_t (*cublasGemmEx)(
    cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void *, const void *, cudaDataType, int, const void *,
    cudaDataType, int, const void *, void *, cudaDataType, int, cublasComputeType_t, cublasGemmAlgo_t) = ::cublasGemmEx;

// If a header redirects a name to a newer version of the function, looking up the name would
// find the old version.
#define TEXT(name) #name
#define CHECK(library, result, name, arguments) \
    static_assert(std::string_view(#name) == TEXT(name), #name " is another function in the headers"); \
    static_assert(Function<result arguments, std::remove_pointer_t<decltype(+name)>>::agrees, #name " is declared otherwise in the headers");
DRIVER_FUNCTIONS(CHECK)
LIBRARY_FUNCTIONS(CHECK)
NVRTC_FUNCTIONS(CHECK)

#define CHECK_CONSTANT(name, value, theirs) static_assert((value) == int(theirs), #theirs " has another value in the headers");
CUDA_CONSTANTS(CHECK_CONSTANT)

// Arguments that are addresses of device memory or of a function.
static_assert(sizeof(void *) == 8 && sizeof(CUdeviceptr) == 8 && sizeof(CUdevice) == sizeof(int));
static_assert(CUDA_VERSION >= 12000);

}  // namespace checks
