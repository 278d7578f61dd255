/// A piece of the report: one table or figure of the paper, beside what was found.
public struct Section: Sendable {
    public struct Table: Sendable {
        /// As a file name: `table3`.
        public var name: String
        public var header: [String]
        public var rows: [[String]]
        public init(name: String, header: [String], rows: [[String]]) {
            self.name = name
            self.header = header
            self.rows = rows
        }
    }
    public struct Plot: Sendable {
        public var name: String
        public var figure: Figure
        public init(name: String, figure: Figure) { (self.name, self.figure) = (name, figure) }
    }

    public var id: String
    public var title: String
    /// Paragraphs: what is shown, and the settings that had to be chosen.
    public var notes: [String]
    public var tables: [Table] = []
    public var plots: [Plot] = []
    /// Generated text, as it came.
    public var texts: [(title: String, text: String)] = []
    /// What the numbers come from.
    public var records: [RunRecord] = []

    public init(id: String, title: String, notes: [String]) {
        self.id = id
        self.title = title
        self.notes = notes
    }

    public init(_ study: any Study, _ notes: [String]) { self.init(id: study.id, title: study.title, notes: notes) }

    /// With the scale in every name, for a report of several scales: `table3-short`.
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
