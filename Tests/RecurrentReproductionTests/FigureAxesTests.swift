import Foundation
import RecurrentReproduction
import Testing

/// What the axes of a figure show, and what it says about values that they don't show.
struct FigureAxesTests {
    private func figure(_ values: [[Double]], isLogarithmic: Bool = false) -> Figure {
        var figure = Figure(title: "loss", xLabel: "epoch", yLabel: "loss", isLogarithmic: isLogarithmic)
        figure.curves = values.enumerated().map { number, values in
            .init("curve \(number)", values.enumerated().map { .init(Double($0.offset + 1), $0.element) })
        }
        return figure
    }

    /// The texts of a drawing, such as the labels of its tick marks.
    private func texts(_ figure: Figure) throws -> [String] {
        try Gnuplot.svg(figure).matches(of: /<text>(?:<tspan[^>]*>)?([^<]*)</).map {
            $0.output.1.trimmingCharacters(in: .whitespaces)
        }
    }

    @Test(arguments: [false, true]) func noCurveLiesOnTheFrame(isLogarithmic: Bool) throws {
        for values in [[1.0, 2, 3], [5], [0, 0], [1e-9, 1], [2, 2, 2], [-3, 4]] {
            let figure = figure([values], isLogarithmic: isLogarithmic), range = try #require(figure.yRange)
            for height in values.compactMap(figure.height) {
                #expect(range.lowerBound < height && height < range.upperBound, "\(values)")
            }
            let places = try #require(figure.xRange)
            #expect(places.lowerBound < 1 && Double(values.count) < places.upperBound)
        }
        #expect(figure([[]]).yRange == nil && figure([[]]).xRange == nil)
    }

    /// Each spike that is cut has a triangle at the upper edge, and a line says how many there are.
    @Test func whatIsCutIsSaid() throws {
        var values = [Double](repeating: 3, count: 100)
        #expect(figure([values]).remarks.isEmpty)
        (values[7], values[50], values[60], values[61]) = (1e6, 250, .infinity, .nan)
        let spiky = figure([values, [Double](repeating: 2, count: 100)])
        #expect(
            spiky.remarks == ["3 values above 3.6 not shown (▲; largest: infinite)", "1 value isn't a number"])
        let cut = spiky.cut(spiky.curves[0]), range = try #require(spiky.yRange)
        #expect(cut.map(\.x) == [8, 51, 61] && cut.allSatisfy { range.contains($0.y) && $0.y > 3 })
        #expect(spiky.cut(spiky.curves[1]).isEmpty)
        #expect(try texts(spiky).contains { $0.contains("3 values above 3.6 not shown") })
    }

    @Test func whatALogarithmicAxisCantShowIsSaid() throws {
        #expect(
            figure([[1, 0, 0], [1e15, 1]], isLogarithmic: true).remarks == [
                "1 value above 1e+12 drawn at the upper end (largest: 1e+15)", "2 values of 0 drawn at the lower end",
            ])
        #expect(
            figure([[1, 1e-20, 0]], isLogarithmic: true).remarks == [
                "2 values of less than 1e-12 drawn at the lower end"
            ])
        #expect(figure([[1, 1e-11]], isLogarithmic: true).remarks.isEmpty)
    }

    @Test func epochsAreWholeNumbers() throws {
        for count in 1...6 {
            let drawn = figure([(0..<count).map { 100 + Double($0) / 7 }])
            let labels = try texts(drawn).compactMap(Double.init).filter { $0 < 90 }
            #expect(labels == labels.map { $0.rounded() } && labels.contains(Double(count)), "\(labels)")
        }
        #expect(figure([[1, 2]]).needsWholeTicks)
        var angles = figure([[1, 2]])
        angles.curves[0].points[0].x = 0.5
        #expect(!angles.needsWholeTicks)
    }

    /// A short logarithmic axis has tick marks with numbers as well.
    @Test func shortLogarithmicAxesHaveTicks() throws {
        #expect(figure([[2, 3, 8]], isLogarithmic: true).shortAxisTicks == [2, 3, 4, 5, 6, 7, 8])
        for values in [[2.0, 3, 8], [1, 30], [0.5, 0.6], [7, 7], [3e-7, 5e-6]] {
            let figure = figure([values], isLogarithmic: true), ticks = try #require(figure.shortAxisTicks)
            let range = try #require(figure.yRange)
            #expect(ticks.count >= 3 && ticks.count < 9 && ticks.allSatisfy(range.contains), "\(values): \(ticks)")
            let labels = try texts(figure)
            for tick in ticks { #expect(labels.contains(String(format: "%g", tick)), "\(tick): \(labels)") }
        }
        #expect(figure([[1e-5, 1e5]], isLogarithmic: true).shortAxisTicks == nil)
        #expect(figure([[1, 2]]).shortAxisTicks == nil)
    }

    /// gnuplot leaves out a legend that it finds too wide.
    @Test func longNamesStayInTheLegend() throws {
        var figure = figure([[1, 2]])
        figure.curves[0].label = String(repeating: "learning-rate=0.001, ", count: 8) + "end"
        #expect(try texts(figure).contains { $0.hasPrefix("learning-rate") && $0.hasSuffix("end") })
    }

    @Test func codeInANoteIsCode() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("urnn-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let section = Section(id: "a", title: "A", notes: ["Found by `cli search --try a<b`; a lone ` stays."])
        let report = Report(
            title: "title", command: ["cli"], machine: Machine(), settings: [], sections: [section], missing: 0)
        try report.write(into: folder)
        let page = try String(contentsOfFile: folder + "/report.html", encoding: .utf8)
        #expect(page.contains("<p>Found by <code>cli search --try a&lt;b</code>; a lone ` stays.</p>"))
    }
}
