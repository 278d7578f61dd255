import CUDADriver
import Foundation
import RecurrentCore

/// The run-time compiler. It needs no GPU and no driver.
package enum NVRTC {
    /// Opens the compiler's library.
    /// - Throws: ``RecurrentError/backend(_:)`` if it isn't installed.
    package static func open() throws {
        var message = [CChar](repeating: 0, count: 1024)
        guard CUDALibraries.withFolders({ cud_open_compiler($0, &message, message.count) }) else {
            throw RecurrentError.backend("cuda: \(CUDALibraries.text(message)); \(CUDALibraries.advice)")
        }
    }

    /// The compute capabilities (major · 10 + minor) that the compiler, which must be open,
    /// compiles for, in ascending order.
    package static var capabilities: [Int] {
        var known = [Int32](repeating: 0, count: 256)
        let count = cud_compiler_capabilities(&known, Int32(known.count))
        return known.prefix(Int(count)).map(Int.init)
    }

    /// Returns the architecture that kernels are compiled for on a device: for a binary if the
    /// compiler knows the device's capability; if the compiler is older, for PTX of the newest
    /// capability that it knows, which the driver then compiles; nil if it no longer knows any
    /// that the device can run.
    package static func architecture(for capability: Int, among known: [Int]) -> String? {
        known.contains(capability) ? "sm_\(capability)" : known.filter { $0 < capability }.max().map { "compute_\($0)" }
    }

    /// Returns the architecture that kernels are compiled for on the device of the given name.
    /// - Throws: ``RecurrentError/backend(_:)`` if the compiler no longer knows the device.
    static func architecture(for capability: Int, of device: String) throws -> String {
        let known = capabilities
        if let found = architecture(for: capability, among: known) { return found }
        func number(_ capability: Int) -> String { "\(capability / 10).\(capability % 10)" }
        let release = Int(cud_compiler_version()) / 1000
        throw RecurrentError.backend(
            "cuda: \(device) has compute capability \(number(capability)), but NVRTC of CUDA \(release) compiles for \(number(known.min() ?? 0)) and higher"
        )
    }

    /// The compiler's options. Without contraction, a value is the same in every kernel that computes it.
    static let options = ["--fmad=false", "--std=c++17"]

    /// Compiles a kernel, to a binary for an architecture such as `sm_90` or to PTX for one such as
    /// `compute_90`. The compiler must be open.
    /// - Throws: ``RecurrentError/backend(_:)`` with the first line of the compiler's log.
    package static func compile(_ text: String, name: String, architecture: String) throws -> [UInt8] {
        var image: UnsafeMutablePointer<CChar>?, size = 0
        let options = (["--gpu-architecture=\(architecture)"] + options).map { strdup($0) }
        defer { for option in options { free(option) } }
        let error = options.map { UnsafePointer<CChar>($0) }.withUnsafeBufferPointer {
            cud_compile(
                text, "\(name).cu", $0.baseAddress, Int32($0.count), architecture.hasPrefix("compute_"), &image, &size)
        }
        defer { free(image) }
        guard error == 0, let image else {
            let log = image.map { String(cString: $0) } ?? String(cString: cud_error_text(error))
            let line =
                log.split(separator: "\n").first { $0.contains("error") } ?? log.split(separator: "\n").first ?? ""
            throw RecurrentError.backend("cuda: kernel \(name) doesn't compile for \(architecture): \(line)")
        }
        return image.withMemoryRebound(to: UInt8.self, capacity: size) {
            Array(UnsafeBufferPointer(start: $0, count: size))
        }
    }
}

/// NVIDIA's libraries, and the folders in which they may be besides the system's.
package enum CUDALibraries {
    /// The number of devices that the driver sees; 0 if there is no driver.
    package static var deviceCount: Int { Int(cud_device_count()) }

    static let advice =
        "install NVIDIA's driver and CUDA 12 or 13 (or set CUDA_HOME, or pip install the nvidia-* wheels), or use `backend` cpu"

    /// The library folders of `$CUDA_HOME`, /usr/local/cuda*, and NVIDIA's Python wheels.
    package static let folders: [String] = {
        let environment = ProcessInfo.processInfo.environment
        var result: [String] = []
        for variable in ["CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX"] {
            if let home = environment[variable], !home.isEmpty { result += ["\(home)/lib64", "\(home)/lib"] }
        }
        let manager = FileManager.default
        func entries(_ folder: String) -> [String] { (try? manager.contentsOfDirectory(atPath: folder).sorted()) ?? [] }
        for name in entries("/usr/local").reversed() where name.hasPrefix("cuda") {
            result.append("/usr/local/\(name)/lib64")
        }
        for prefix in pythonPrefixes(environment) {
            for lib in ["lib", "lib64"] {
                for python in entries("\(prefix)/\(lib)") where python.hasPrefix("python3") {
                    for packages in ["site-packages", "dist-packages"] {
                        let nvidia = "\(prefix)/\(lib)/\(python)/\(packages)/nvidia"
                        result += entries(nvidia).map { "\(nvidia)/\($0)/lib" }
                    }
                }
            }
        }
        var seen: Set<String> = []
        return result.filter { manager.fileExists(atPath: $0) && seen.insert($0).inserted }
    }()

    /// Returns the prefixes under which Python packages may be installed: an active
    /// environment, that of each python3 on the PATH and of what it links to, and pip's
    /// other folders.
    private static func pythonPrefixes(_ environment: [String: String]) -> [String] {
        let manager = FileManager.default
        var prefixes = ["VIRTUAL_ENV", "CONDA_PREFIX"].compactMap { environment[$0] }
        for folder in (environment["PATH"] ?? "").split(separator: ":") {
            var program = URL(fileURLWithPath: "\(folder)/python3")
            // A link may lead from one environment into another.
            for _ in 0..<8 where manager.fileExists(atPath: program.path) {
                prefixes.append(program.deletingLastPathComponent().deletingLastPathComponent().path)
                guard let target = try? manager.destinationOfSymbolicLink(atPath: program.path) else { break }
                program =
                    URL(fileURLWithPath: target, relativeTo: program.deletingLastPathComponent()).standardizedFileURL
            }
        }
        if let home = environment["HOME"] { prefixes.append("\(home)/.local") }
        return prefixes + ["/usr/local"]
    }

    static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func withFolders<Result>(_ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result) -> Result {
        let copies = folders.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        let pointers = copies.map { UnsafePointer<CChar>($0) } + [nil]
        return pointers.withUnsafeBufferPointer { body($0.baseAddress!) }
    }
}
