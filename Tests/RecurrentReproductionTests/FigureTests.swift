import Foundation
import RecurrentReproduction
import Testing

#if canImport(FoundationXML)
    import FoundationXML
#endif

struct FigureTests {
    @Test func gnuplotDrawsCurvesAndBand() throws {
        var figure = Figure(
            title: "norm of ∂x_t \"quoted\"\nand broken", xLabel: "t", yLabel: "norm", isLogarithmic: true)
        figure.curves = [
            .init("first", (1...80).map { .init(Double($0), $0 == 3 ? 0 : 1 / Double($0)) }),
            .init("second", [.init(1, .infinity), .init(2, .nan), .init(3, 2)]),
        ]
        figure.band = (1...80).map { .init(x: Double($0), low: 0, high: 2) }
        let svg = try Gnuplot.svg(figure)
        let document = try XMLDocumentCheck(svg)
        #expect(document.root == "svg")
        #expect(
            document.paths >= 4 && svg.contains("first") && svg.contains("second") && svg.contains("between the bounds")
        )
    }

    /// Names below the curves don't take space from them.
    @Test func manyNamesMakeTheDrawingHigher() throws {
        var figure = Figure(title: "norms", xLabel: "t", yLabel: "norm")
        func height() throws -> Int {
            Int(try #require(try Gnuplot.svg(figure).firstMatch(of: /viewBox="0 0 720 (\d+)"/)).1)!
        }
        figure.curves = (1...2).map { .init("curve \($0)", [.init(0, 1), .init(1, 2)]) }
        #expect(try height() == 420)
        figure.curves = (1...13).map { .init("a model with a long name, number \($0)", [.init(0, 1), .init(1, 2)]) }
        #expect(try height() >= 420 + 3 * 18)
        figure.curves += [.init("nothing to draw, which has no name below", [])]
        let before = try height()
        figure.curves.removeLast()
        #expect(try height() == before)
    }

    @Test func gnuplotDrawsBars() throws {
        var figure = Figure(title: "angles", xLabel: "θ", yLabel: "eigenvalues")
        figure.curves = [.init("W", (0..<9).map { .init(Double($0), $0 == 4 ? 50 : 1) })]
        #expect(try !Gnuplot.svg(figure).contains("<polygon"))
        figure.barWidth = 1
        figure.xTicks = [.init(-0.5, "−π"), .init(8.5, "π")]
        // A single high bar is the content of the figure, not a spike.
        #expect(figure.highest == nil)
        let svg = try Gnuplot.svg(figure)
        #expect(
            try XMLDocumentCheck(svg).root == "svg" && svg.components(separatedBy: "<polygon").count > 9
                && svg.contains("−π"))
    }

    /// A single spike must not flatten the other epochs; a diverging end is shown as it is.
    @Test func spikesAreCut() {
        var figure = Figure(title: "loss", xLabel: "epoch", yLabel: "loss")
        figure.curves = [
            .init("calm", (0..<100).map { .init(Double($0), 2) }),
            .init("spiky", (0..<100).map { .init(Double($0), $0 == 7 ? 1e6 : 3) }), .init("none", []),
        ]
        #expect(figure.highest.map { ($0 * 10).rounded() } == 36)
        figure.curves[1].points[7].y = 4
        #expect(figure.highest == nil)
        figure.curves[1].points = (0..<100).map { .init(Double($0), $0 < 50 ? 3 : 100) }
        #expect(figure.highest == nil)
    }
}

/// Checks whether a text is XML, and collects its contents.
final class XMLDocumentCheck: NSObject, XMLParserDelegate {
    private(set) var root = ""
    private(set) var paths = 0
    init(_ text: String) throws {
        super.init()
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = self
        if !parser.parse() { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
    }
    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        if root.isEmpty { root = name }
        if name == "path" { paths += 1 }
    }
}
