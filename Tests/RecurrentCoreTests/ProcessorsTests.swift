import Foundation
import RecurrentCore
import Testing

/// The number of processors that a process may use.
struct ProcessorsTests {
    /// Writes files below a new root, and returns the number of processors of 8 that a process may use.
    private func available(_ files: [String: String]) throws -> Int {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path + "/"
        defer { try? FileManager.default.removeItem(atPath: root) }
        for (path, text) in files {
            let file = URL(fileURLWithPath: root + path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        return Processors.available(of: 8, root: root)
    }

    @Test func withoutControlGroups() throws {
        #expect(try available([:]) == 8)
        #expect(try available(["proc/self/cgroup": "0::/\n"]) == 8)
        #expect(try available(["proc/self/cgroup": "nonsense\n4:memory:/a\n"]) == 8)
        #expect(Processors.available(of: 0, root: "/nowhere/") == 1)
    }

    @Test func theSmallestShareOfAllFolders() throws {
        let group = ["proc/self/cgroup": "0::/a/b\n"]
        func limits(_ own: String, _ above: String, _ top: String? = nil) throws -> Int {
            var files = group
            files["sys/fs/cgroup/a/b/cpu.max"] = own
            files["sys/fs/cgroup/a/cpu.max"] = above
            files["sys/fs/cgroup/cpu.max"] = top
            return try available(files)
        }
        #expect(try limits("max 100000\n", "max 100000\n") == 8)
        #expect(try limits("300000 100000\n", "max 100000\n") == 3)
        #expect(try limits("300000 100000\n", "200000 100000\n") == 2)
        #expect(try limits("max 100000\n", "max 100000\n", "100000 50000\n") == 2)
        #expect(try limits("1600000 100000\n", "max 100000\n") == 8)
    }

    /// A share is a number of processors to the nearest whole number, and at least one.
    @Test func partsOfProcessors() throws {
        func share(_ quota: Int) throws -> Int {
            try available(["proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "\(quota) 100000\n"])
        }
        #expect(try share(10_000) == 1 && share(140_000) == 1 && share(160_000) == 2 && share(250_001) == 3)
    }

    @Test func version1() throws {
        func share(_ quota: String) throws -> Int {
            try available([
                "proc/self/cgroup": "9:name=systemd:/\n4:cpu,cpuacct:/docker/id\n0::/\n",
                "sys/fs/cgroup/cpu/docker/id/cpu.cfs_quota_us": quota,
                "sys/fs/cgroup/cpu/docker/id/cpu.cfs_period_us": "100000\n",
            ])
        }
        #expect(try share("-1\n") == 8 && share("400000\n") == 4)
    }

    /// As `taskset` binds a process.
    @Test func affinity() throws {
        func bound(_ mask: String) throws -> Int {
            try available(["proc/self/status": "Name:\tcli\nCpus_allowed:\t\(mask)\nCpus_allowed_list:\t0-1\n"])
        }
        #expect(try bound("3") == 2 && bound("00000000,0000f003") == 6 && bound("ffffffff,ffffffff") == 8)
        #expect(try bound("0") == 8 && bound("") == 8)
        #expect((1...ProcessInfo.processInfo.processorCount).contains(Processors.available))
        #expect(Processors.available(sharedBy: 1000) == 1)
    }
}
