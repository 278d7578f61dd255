/// The data of a plot: curves over a common axis, and a shaded band.
public struct Figure: Sendable {
    /// A point of a curve.
    public struct Point: Sendable {
        /// The horizontal coordinate.
        public var x: Double
        /// The vertical coordinate.
        public var y: Double
        /// Creates a point from its coordinates.
        public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
    }
    /// A curve and its label in the legend.
    public struct Curve: Sendable {
        /// The label in the legend.
        public var label: String
        /// The points; if there are none, the curve isn't drawn, and the others keep their colours.
        public var points: [Point]
        /// Creates a curve from its label and points.
        public init(_ label: String, _ points: [Point]) { (self.label, self.points) = (label, points) }
    }
    /// A labelled tick mark of the x axis.
    public struct Tick: Sendable {
        /// The position on the axis.
        public var x: Double
        /// The text at the tick mark.
        public var label: String
        /// Creates a tick mark from its position and label.
        public init(_ x: Double, _ label: String) { (self.x, self.label) = (x, label) }
    }
    /// The two ends of the shaded band at one position.
    public struct Band: Sendable {
        /// The position on the x axis.
        public var x: Double
        /// The lower end of the band.
        public var low: Double
        /// The upper end of the band.
        public var high: Double
        /// Creates a cross-section of the band.
        public init(x: Double, low: Double, high: Double) { (self.x, self.low, self.high) = (x, low, high) }
    }

    /// The title above the plot.
    public var title: String
    /// The label of the x axis.
    public var xLabel: String
    /// The label of the y axis.
    public var yLabel: String
    /// Whether the y axis is logarithmic; values of at most 0 are then drawn at its lower end.
    public var isLogarithmic: Bool
    /// The width of the bars, which extend upwards from 0; nil to draw lines.
    public var barWidth: Double?
    /// The tick marks of the x axis, which spans from the first to the last; gnuplot chooses them if empty.
    public var xTicks: [Tick] = []
    /// The curves in the order of the legend.
    public var curves: [Curve] = []
    /// The shaded band between two bounds, in the order of x; empty for none.
    public var band: [Band] = []

    /// Creates a figure without curves.
    public init(title: String, xLabel: String, yLabel: String, isLogarithmic: Bool = false) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.isLogarithmic = isLogarithmic
    }

    /// Whether any curve has points.
    var hasPoints: Bool { curves.contains { !$0.points.isEmpty } }
}
