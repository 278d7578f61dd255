/// A section of a report, such as a table or figure of the paper beside the reproduced results.
public struct Section: Sendable {
    /// A table of a section.
    public struct Table: Sendable {
        /// The name of the CSV file, without its extension: `table3`.
        public var name: String
        /// The titles of the columns.
        public var header: [String]
        /// The cells of each row, in the order of the columns.
        public var rows: [[String]]
        /// Creates a table.
        public init(name: String, header: [String], rows: [[String]]) {
            self.name = name
            self.header = header
            self.rows = rows
        }
    }
    /// A plot of a section.
    public struct Plot: Sendable {
        /// The name of the SVG file, without its extension: `figure1`.
        public var name: String
        /// The curves and axes of the plot.
        public var figure: Figure
        /// Creates a plot.
        public init(name: String, figure: Figure) { (self.name, self.figure) = (name, figure) }
    }

    /// The name by which the section can be linked to: `table3`.
    public var id: String
    /// The heading of the section.
    public var title: String
    /// Paragraphs that explain what is shown, and which settings had to be chosen.
    public var notes: [String]
    /// The tables, which follow the notes.
    public var tables: [Table] = []
    /// The plots, which follow the tables.
    public var plots: [Plot] = []
    /// Verbatim texts that a model generated, with their titles.
    public var texts: [(title: String, text: String)] = []
    /// The runs behind the numbers; a run may occur several times.
    public var records: [RunRecord] = []

    /// Creates a section without tables and plots.
    public init(id: String, title: String, notes: [String]) {
        self.id = id
        self.title = title
        self.notes = notes
    }

    /// Creates a section with the name and title of a study.
    public init(_ study: any Study, _ notes: [String]) { self.init(id: study.id, title: study.title, notes: notes) }

    /// Returns the section with the scale added to its title and to every name, such as `table3-short`, for a report of
    /// several scales.
    public func named(_ scale: Scale) -> Section {
        var section = self
        let suffix = "-" + scale.rawValue
        section.id += suffix
        if let colon = title.firstIndex(of: ":") {
            section.title.insert(contentsOf: " (scale \(scale.rawValue))", at: colon)
        }
        for index in tables.indices { section.tables[index].name += suffix }
        for index in plots.indices { section.plots[index].name += suffix }
        return section
    }
}
