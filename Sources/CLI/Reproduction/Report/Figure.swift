/// A plot as data: curves over a common axis, and a shaded band.
public struct Figure: Sendable {
    public struct Point: Sendable {
        public var x: Double
        public var y: Double
        public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
    }
    public struct Curve: Sendable {
        public var label: String
        /// None: the curve isn't drawn, and the others keep their colours.
        public var points: [Point]
        public init(_ label: String, _ points: [Point]) { (self.label, self.points) = (label, points) }
    }
    /// A mark of an axis.
    public struct Tick: Sendable {
        public var x: Double
        public var label: String
        public init(_ x: Double, _ label: String) { (self.x, self.label) = (x, label) }
    }
    /// What lies between two bounds at x.
    public struct Band: Sendable {
        public var x: Double
        public var low: Double
        public var high: Double
        public init(x: Double, low: Double, high: Double) { (self.x, self.low, self.high) = (x, low, high) }
    }

    public var title: String
    public var xLabel: String
    public var yLabel: String
    /// Whether y has a logarithmic axis; values up to 0 lie at its lower end.
    public var isLogarithmic: Bool
    /// Points are bars so wide, from 0 up; nil for lines.
    public var barWidth: Double?
    /// The x axis's own marks, at whose first and last it ends; none: as gnuplot chooses.
    public var xTicks: [Tick] = []
    public var curves: [Curve] = []
    public var band: [Band] = []

    public init(title: String, xLabel: String, yLabel: String, isLogarithmic: Bool = false) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.isLogarithmic = isLogarithmic
    }

    /// Whether there is something to draw.
    var hasPoints: Bool { curves.contains { !$0.points.isEmpty } }

    /// Where a logarithmic axis begins: below all curves, but not below 1e-12, where
    /// what vanished lies.
    public var lowest: Double {
        let values = curves.flatMap(\.points).map(\.y) + band.map(\.low)
        return max(1e-12, (values.filter { $0 > 0 && $0.isFinite }.min() ?? 1) / 3)
    }

    /// Where a linear axis ends, if a few spikes would flatten all else: above 95 % of
    /// every curve's points.
    public var highest: Double? {
        guard !isLogarithmic, barWidth == nil else { return nil }
        let values = curves.map { $0.points.map(\.y).filter(\.isFinite).sorted() }.filter { !$0.isEmpty }
        guard let usual = values.map({ $0[min($0.count - 1, $0.count * 95 / 100)] }).max(),
            let most = values.map({ $0.last! }).max(),
            usual > 0, most > 2 * usual
        else { return nil }
        return 1.2 * usual
    }
}
