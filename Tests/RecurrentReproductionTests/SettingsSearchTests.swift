import RecurrentCore
import RecurrentReproduction
import Testing

struct SettingsSearchTests {
    @Test func axesAreRead() throws {
        let axis = try #require(SettingsSearch.Axis(text: "learning-rate=0.1,1e-2"))
        #expect(axis.option == "learning-rate" && axis.values == ["0.1", "1e-2"])
        for text in ["", "=", "a", "a=", "a=1,", "a=1,1", "--a=1", "a b=1", "=1"] { #expect(SettingsSearch.Axis(text: text) == nil, "\(text)") }
    }

    @Test func allCombinationsInOrder() throws {
        let axes = ["a=1,2", "b=x,y,z"].map { SettingsSearch.Axis(text: $0)! }
        let search = try SettingsSearch(axes: axes, common: ["--cell", "rnn"])
        #expect(search.points == [["1", "x"], ["1", "y"], ["1", "z"], ["2", "x"], ["2", "y"], ["2", "z"]])
        #expect(search.experiments[3].options == ["--cell", "rnn", "--a", "2", "--b", "x"])
        #expect(search.experiments[3].id == "a=2_b=x")
    }

    @Test func trialsAreDrawnWithoutReplacement() throws {
        let axes = ["a=1,2,3,4,5", "b=1,2,3,4,5"].map { SettingsSearch.Axis(text: $0)! }
        let first = try SettingsSearch(axes: axes, common: [], trials: 10), second = try SettingsSearch(axes: axes, common: [], trials: 10)
        #expect(first.points == second.points && Set(first.points).count == 10)
        #expect(try SettingsSearch(axes: axes, common: [], trials: 10, seed: 2).points != first.points)
        #expect(try SettingsSearch(axes: axes, common: [], trials: 25).points.count == 25)
        #expect(try SettingsSearch(axes: axes, common: [], trials: 99).points.count == 25)
    }

    @Test(arguments: [
        ["a=1", "a=2"], (1...15).map { "o\($0)=1,2" }, ["a=\(String(repeating: "x", count: 250))"], ["a=1/2,1:2"],
    ])
    func whatCantBeSearchedIsRefused(_ texts: [String]) {
        #expect(throws: RecurrentError.self) {
            try SettingsSearch(axes: texts.map { SettingsSearch.Axis(text: $0)! }, common: [])
        }
    }

    /// More points than an Int counts are no reason to crash.
    @Test func overflowIsRefused() {
        let axes = (1...64).map { SettingsSearch.Axis(text: "o\($0)=1,2,3")! }
        #expect(throws: RecurrentError.self) { try SettingsSearch(axes: axes, common: [], trials: 3) }
    }
}
