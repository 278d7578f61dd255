/// A plot as data: curves over a common axis, and a shaded band.
public struct Figure: Sendable {
    public struct Point: Sendable {
        public var x: Double
        public var y: Double
        public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
    }
    public struct Curve: Sendable {
        public var label: String
        public var points: [Point]
        public init(_ label: String, _ points: [Point]) { (self.label, self.points) = (label, points) }
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
    public var curves: [Curve] = []
    public var band: [Band] = []

    public init(title: String, xLabel: String, yLabel: String, isLogarithmic: Bool = false) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.isLogarithmic = isLogarithmic
    }
}
