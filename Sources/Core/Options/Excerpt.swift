extension String {
    /// The text as messages quote it: at most 60 characters, and an ellipsis in place of the rest.
    package var excerpt: String { count > 60 ? prefix(60) + "…" : self }
}
