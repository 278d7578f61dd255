import RecurrentFuzzing
import Testing

/// Every reader of foreign bytes, on valid inputs that were changed at random.
///
/// The inputs are the same in each run. `scripts/fuzz` tries others for as long as it is told.
struct ReaderTests {
    /// How many inputs each reader gets; about a second's worth.
    private static let budgets = [
        "safetensors": 40_000, "state": 4000, "state-dict": 20_000, "config": 1500, "metrics": 6000, "end": 20_000,
        "flags": 400, "axis": 60_000, "vocabulary": 10_000, "words": 10_000, "characters": 10_000, "idx": 10_000,
    ]

    @Test(arguments: fuzzedReaders.map { $0.name })
    func itReadsOrRefuses(name: String) throws {
        let type = try #require(fuzzedReaders.first { $0.name == name })
        let reader = try type.init(ScratchFolder())
        let seeds = try reader.seeds
        for seed in seeds {
            #expect(try reader.accepts(seed), "\(name) refuses \(String(decoding: seed, as: UTF8.self))")
        }
        var mutator = Mutator(seeds: seeds, words: type.words, seed: 1), accepted = 0
        let budget = try #require(Self.budgets[name])
        for number in 0..<budget {
            let input = mutator.next()
            do { if try reader.accepts(input) { accepted += 1 } } catch {
                Issue.record(
                    "input \(number): \(error), from \(String(decoding: input, as: UTF8.self).debugDescription)")
                return
            }
        }
        // If all were refused, or none, nothing would have been tested.
        #expect(accepted > budget / 100 && accepted < budget, "\(name) took \(accepted) of \(budget) inputs")
    }
}
