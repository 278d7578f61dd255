import Foundation

/// The processors that this process may use.
public enum Processors {
    /// The number of processors, at least 1: those to which the process is bound (its affinity, as `taskset`, launchers of
    /// several processes and containers set it), but no more than the share of their time that its control groups allow, to
    /// the nearest whole number.
    public static var available: Int { available(of: ProcessInfo.processInfo.activeProcessorCount, root: "/") }

    /// Returns the number of processors for each of several processes on this machine that share the work: their part of all
    /// processors, or of the time that the control groups allow, or those to which a launcher has bound the process.
    public static func available(sharedBy processes: Int) -> Int {
        let share = share(of: ProcessInfo.processInfo.processorCount, root: "/")
        return available(of: share / max(1, processes), root: "/")
    }

    /// Returns ``available`` for a number of processors, with the files about the process below another root.
    package static func available(of count: Int, root: String) -> Int {
        max(1, min(share(of: count, root: root), bound(root: root) ?? count))
    }

    /// Returns the number of processors to which the process is bound; nil if the system doesn't say so.
    private static func bound(root: String) -> Int? {
        // "Cpus_allowed:	ffffffff,0000ff0f", in hexadecimal digits.
        let status = (try? String(contentsOfFile: root + "proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        guard let mask = line?.dropFirst("Cpus_allowed:".count) else { return nil }
        let count = mask.reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        return count > 0 ? count : nil
    }

    /// Returns as many of some processors as the control groups allow.
    private static func share(of count: Int, root: String) -> Int {
        shares(root: root).map { max(1, Int($0.rounded())) }.reduce(count, min)
    }

    /// Returns the processors' worth of time that each control group of the process allows, if it sets a limit: version 2
    /// has `cpu.max` in each folder from the process's own one up, version 1 `cpu.cfs_quota_us` and `cpu.cfs_period_us`.
    private static func shares(root: String) -> [Double] {
        func numbers(_ path: String) -> [Double?] {
            let text = (try? String(contentsOfFile: root + path, encoding: .utf8)) ?? ""
            return text.split(whereSeparator: \.isWhitespace).map { Double($0) }
        }
        func share(_ quota: Double?, _ period: Double?) -> Double? {
            // Version 2 writes "max" for no limit, version 1 writes -1.
            guard let quota, let period, quota > 0, period > 0 else { return nil }
            return quota / period
        }
        let groups = (try? String(contentsOfFile: root + "proc/self/cgroup", encoding: .utf8)) ?? ""
        return groups.split(separator: "\n").flatMap { line -> [Double] in
            // "0::/user.slice/session" or "4:cpu,cpuacct:/docker/id".
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return [] }
            let isVersion2 = parts[1].isEmpty
            guard isVersion2 || parts[1].split(separator: ",").contains("cpu") else { return [] }
            var folders = [""]
            for name in parts[2].split(separator: "/") { folders.append("\(folders.last!)/\(name)") }
            return folders.compactMap { folder in
                if isVersion2 {
                    let limits = numbers("sys/fs/cgroup\(folder)/cpu.max")
                    return limits.count == 2 ? share(limits[0], limits[1]) : nil
                }
                let base = "sys/fs/cgroup/cpu\(folder)/cpu.cfs_"
                return share(numbers(base + "quota_us").first ?? nil, numbers(base + "period_us").first ?? nil)
            }
        }
    }
}
