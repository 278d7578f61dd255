import ArgumentParser
import RecurrentCore

/// How the products of a training step are computed; weights, states and all
/// other arithmetic are 32 bits wide at each.
public enum ProductPrecision: String, Codable, Sendable, CaseIterable, ExpressibleByArgument {
    case fp32
    /// Operands rounded to 10 bits behind the point.
    case tf32
    /// Operands rounded to 7 bits behind the point.
    case bf16
}

/// Which GPU, and how it multiplies.
struct DeviceOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "GPU of the cuda backend, counted from 0 (default: 0).")
    var device: Int?
    @Option(parsing: .unconditional, help: "Products of the cuda backend: fp32, tf32 or bf16, summed and kept in 32 bits (default: fp32).")
    var precision: ProductPrecision?
    @Flag(help: "Short for --precision tf32.")
    var tf32 = false

    /// - Throws: ``RecurrentError/invalidOption(_:)`` if they contradict each other, or
    ///   the backend has no devices.
    func apply(to configuration: inout RunConfiguration, registry: Registry = .current) throws {
        if tf32, let precision, precision != .tf32 {
            throw RecurrentError.invalidOption("--tf32 and --precision \(precision.rawValue) contradict each other; leave one out")
        }
        let precision = tf32 ? .tf32 : precision
        guard registry.deviceBackends.contains(configuration.backend) else {
            // The defaults may be asked for anywhere, and a run may go on elsewhere.
            configuration.device = 0
            configuration.precision = .fp32
            let refused = device ?? 0 != 0 ? "--device" : precision ?? .fp32 != .fp32 ? (tf32 ? "--tf32" : "--precision") : nil
            if let refused {
                let others = registry.deviceBackends.sorted().map { "--backend \($0)" }.joined(separator: " or ")
                throw RecurrentError.invalidOption(
                    "\(refused) is not for the \(configuration.backend) backend; leave it out\(others.isEmpty ? "" : " or add \(others)")")
            }
            return
        }
        configuration.device = device ?? configuration.device
        configuration.precision = precision ?? configuration.precision
    }
}
