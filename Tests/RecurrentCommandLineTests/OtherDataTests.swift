import Foundation
import Testing

/// A run that is resumed goes on with the data it was trained on, wherever they lie now.
struct OtherDataTests {
    private func resume(_ run: String, _ data: String) throws -> Tool {
        try Tool(["train", "--resume", run, "--data", data, "--epochs", "2", "--quiet"])
    }

    @Test(arguments: ["ptb.train.txt", "ptb.valid.txt"]) func otherDataAreRefused(changed: String) throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder)
        var texts = TextFixture.home
        // The same words, so that the vocabulary doesn't tell.
        texts[changed] = texts[changed]!.replacingOccurrences(of: "cat", with: "dog")
        let before = try metrics(run).count
        let result = try resume(run, TextFixture.corpus(folder, "other", texts))
        #expect(result.failedInOneLine && result.errors.contains("was trained on other data"), "\(result.errors)")
        #expect(try metrics(run).count == before)
        #expect(try Tool(["train", "--resume", run, "--quiet"]).status == 0)
    }

    @Test func theSameDataMayHaveMoved() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder)
        let data = try TextFixture.corpus(folder, "moved", TextFixture.home)
        try FileManager.default.removeItem(atPath: folder.file("home"))
        #expect(try resume(run, data).status == 0)
    }

    /// Runs that were saved before there was a checksum go on with what they are given.
    @Test func olderRunsHaveNoChecksum() throws {
        let folder = try TemporaryFolder(), run = try TextFixture.train(folder)
        try TextFixture.strip(run + "/state.safetensors", of: ["data crc32c", "crc32c"])
        var texts = TextFixture.home
        texts["ptb.valid.txt"] = "a dog sat\n"
        #expect(try resume(run, TextFixture.corpus(folder, "other", texts)).status == 0)
    }
}
