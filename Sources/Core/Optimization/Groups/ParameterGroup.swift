/// Some of the parameters of a ``ParameterUpdater``, and how their updates differ from those of the others.
///
///     let groups = [
///         ParameterGroup("encoder.*", isFrozen: true),
///         ParameterGroup("rnn.*", learningRate: 1e-4, weightDecay: 0),
///         ParameterGroup("decoder.*", optimizer: SGD(momentum: 0.9)),
///     ]
///
/// A parameter belongs to the first group that matches its name; what a group leaves out comes from the updater. An
/// orthogonal block of a packed weight has a name of its own, such as `rnn.weight_hh_l0.W_n`: a group takes the block if it
/// matches this name or that of the whole weight.
public struct ParameterGroup: Sendable {
    /// The learning rate in place of the updater's ``TrainingConfiguration/learningRate``, also for orthogonal weights,
    /// whose skew parameters B it steps; a schedule and a warm-up change it in proportion.
    public var learningRate: Double?
    /// The weight decay in place of that of the optimizer; it doesn't act on skew parameters.
    public var weightDecay: Double?
    /// Whether the parameters keep their values, bit for bit. Their gradients then don't count for the norm by which
    /// gradients are clipped, as with torch's `requires_grad=False`. An orthogonal weight, too, keeps what the model holds,
    /// whatever that is: load weights, or call ``ParameterInitializer/fillOrthogonalWeights(manifold:skewInitialization:)``.
    public var isFrozen: Bool
    /// The optimizer in place of the updater's.
    public var optimizer: (any Optimizer)?
    /// The manifold update of the orthogonal weights among the parameters, in place of the updater's.
    public var manifold: (any ManifoldUpdate)?
    /// The patterns of names; nil if a function decides.
    let patterns: [NamePattern]?
    private let decide: @Sendable (String) -> Bool
    /// The option from which the group was made, for messages.
    var option: String?

    /// Creates a group of the parameters whose names fit one of the patterns, in which `*` stands for any characters; each
    /// must fit at least one name.
    public init(
        _ patterns: String..., learningRate: Double? = nil, weightDecay: Double? = nil, isFrozen: Bool = false,
        optimizer: (any Optimizer)? = nil, manifold: (any ManifoldUpdate)? = nil
    ) {
        self.init(
            patterns: patterns, learningRate: learningRate, weightDecay: weightDecay, isFrozen: isFrozen,
            optimizer: optimizer, manifold: manifold)
    }

    /// Creates a group of the parameters whose names fit one of the patterns, in which `*` stands for any characters; each
    /// must fit at least one name.
    public init(
        patterns: [String], learningRate: Double? = nil, weightDecay: Double? = nil, isFrozen: Bool = false,
        optimizer: (any Optimizer)? = nil, manifold: (any ManifoldUpdate)? = nil
    ) {
        let patterns = patterns.map(NamePattern.init)
        self.patterns = patterns
        decide = { name in patterns.contains { $0.matches(name) } }
        (self.learningRate, self.weightDecay, self.isFrozen) = (learningRate, weightDecay, isFrozen)
        (self.optimizer, self.manifold) = (optimizer, manifold)
    }

    /// Creates a group of the parameters for whose names a function returns true.
    public init(
        where matches: @escaping @Sendable (_ name: String) -> Bool, learningRate: Double? = nil,
        weightDecay: Double? = nil, isFrozen: Bool = false, optimizer: (any Optimizer)? = nil,
        manifold: (any ManifoldUpdate)? = nil
    ) {
        patterns = nil
        decide = matches
        (self.learningRate, self.weightDecay, self.isFrozen) = (learningRate, weightDecay, isFrozen)
        (self.optimizer, self.manifold) = (optimizer, manifold)
    }

    /// Returns whether the group matches a name.
    public func matches(_ name: String) -> Bool { decide(name) }

    /// The group in messages, such as "the group 'encoder.*'".
    var described: String {
        let names = patterns.map { $0.map { "'\($0.text.excerpt)'" }.joined(separator: ", ") }
        return option.map { "`\($0)` \(names ?? "")" } ?? names.map { "the group \($0)" }
            ?? "a group given by a function"
    }

    /// Checks what the group asks for by itself.
    ///
    /// - Throws: ``RecurrentError/invalidOption(_:)`` saying what is wrong with it.
    func check() throws {
        func fail(_ reason: String) -> RecurrentError { .invalidOption("\(described): \(reason)") }
        if let patterns, patterns.isEmpty || patterns.contains(where: \.text.isEmpty) {
            throw fail("a name is empty; write a parameter's name or a pattern such as 'encoder.*'")
        }
        if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
            throw fail(
                "its learning rate must be above 0, not \(learningRate); `isFrozen` keeps parameters as they are")
        }
        if let weightDecay, !(weightDecay >= 0 && weightDecay.isFinite) {
            throw fail("its weight decay must be at least 0, not \(weightDecay)")
        }
        if isFrozen, learningRate != nil || weightDecay != nil || optimizer != nil || manifold != nil {
            throw fail("frozen parameters have no learning rate, weight decay, optimizer or manifold update")
        }
        try optimizer?.check()
    }
}
