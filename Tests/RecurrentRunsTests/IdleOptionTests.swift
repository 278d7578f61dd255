import BuiltInPlugins
import RecurrentCore
import RecurrentRuns
import Testing

/// Options that would do nothing are refused, and those that do something aren't.
struct IdleOptionTests {
    private let parser = FlagParser(registry: .builtIn)

    /// Returns the message about flags; nil if they are accepted.
    private func refusal(_ line: String, startingFrom base: String? = nil) throws -> String? {
        func words(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }
        var configuration = try base.map { try parser.configuration(words($0)) }
        configuration?.from = "runs/first"
        do { _ = try parser.configuration(words(line), onto: configuration) } catch let error as RecurrentError {
            return error.description
        }
        return nil
    }

    @Test(arguments: [
        // Names that leave nothing to a rate.
        ("--manifold-learning-rate 0.1 --freeze rnn.*", "all orthogonal weights are frozen or have a `rate`"),
        ("--manifold-learning-rate 0.1 --rate rnn.weight_hh*=0.1", "all orthogonal weights"),
        ("--cell gru --recurrent-learning-rate 0.1 --freeze rnn.weight_hh_l0", "all free recurrent weights"),
        ("--cell ugru --manifold-learning-rate 0.1 --freeze *.W_n", "all orthogonal weights"),
        ("--learning-rate 0.1 --rate *=0.1", "all parameters"),
        ("--learning-rate 0.1 --freeze rnn.*,encoder.* --rate decoder.*=0.1", "all parameters"),
        (
            "--learning-rate 0.1 --manifold-learning-rate 0.1 --rate encoder*=1,decoder*=1,*ih_l0=1,*bias*=1",
            "all parameters"
        ),
        ("--clip-recurrent 1 --freeze rnn.*", "all recurrent weights are frozen"),
        // A start that isn't computed from B.
        ("--cell complex-urnn --manifold arjovsky-factors --skew-init henaff", "arjovsky-factors, whose start"),
        ("--cell complex-urnn --manifold arjovsky-factors --skew-init uniform --skew-scale 1", "whose start"),
    ])
    func whatNamesAndUpdatesLeaveIdle(line: String, says: String) throws {
        let message = try refusal(line)
        #expect(
            message?.contains(says) == true && message?.contains("does nothing") == true, "\(line): \(message ?? "")")
    }

    @Test(arguments: [
        "--cell ugru --manifold-learning-rate 0.1 --recurrent-learning-rate 0.1 --freeze encoder.*",
        "--layers 2 --manifold-learning-rate 0.1 --freeze rnn.weight_hh_l0",
        "--learning-rate 0.1 --freeze rnn.* --rate decoder.*=0.1",
        // The rates of names follow the learning rate to its lower bound.
        "--learning-rate 0.1 --rate *=0.1 --schedule cosine --minimum-learning-rate 0.01",
        "--clip-recurrent 1 --freeze rnn.weight_ih*", "--cell complex-urnn --manifold cayley --skew-init henaff",
        "--manifold cayley --freeze rnn.*",
    ])
    func whatDoesSomethingIsTaken(line: String) throws { #expect(try refusal(line) == nil, "\(line)") }

    /// What says how weights begin does nothing for weights that are there.
    @Test(arguments: [
        ("--manifold scaled-cayley", "--negative-ones 2"), ("--cell lru", "--minimum-radius 0.1"),
        ("--cell lru", "--maximum-radius 0.9"), ("--cell lru", "--maximum-phase 1"),
        ("--activation modrelu", "--initial-bias 1"), ("--activation prelu", "--initial-slope 1"),
        ("--activation snake", "--initial-frequency 1"), ("", "--skew-init henaff"), ("", "--table-init torch"),
        ("--freeze rnn.*", "--manifold cayley"), ("--manifold retraction --freeze rnn.*", "--retraction-method qr"),
    ])
    func startsOfWeightsThatAreThere(base: String, flags: String) throws {
        let message = try refusal(flags, startingFrom: base)
        #expect(message?.contains("does nothing for a run that starts from the weights") == true, "\(message ?? "")")
        // The same is no mistake in a run with weights of its own.
        #expect(try refusal("\(base) \(flags)") == nil)
    }

    /// Shown commands have no flags that would be refused.
    @Test func shownCommandsHaveNoIdleOptions() throws {
        var configuration = try Registry.builtIn.standard(dataset: "recall")
        configuration.cell = "complex-urnn"
        (configuration.manifold, configuration.skewInit) = ("arjovsky-factors", "henaff")
        configuration.model.recurrentInitialization = .identity
        let resolved = try Registry.builtIn.resolve(configuration)
        #expect(resolved.skewInit == nil)
        let flags = try Registry.builtIn.arguments(resolved)
        #expect(flags == ["--dataset", "recall", "--cell", "complex-urnn", "--manifold", "arjovsky-factors"])
        #expect(try parser.configuration(flags).isSameRun(as: resolved, registry: .builtIn))
    }

    /// The random factors are the same whatever the initialization of B is, so it does nothing indeed.
    @Test func factorsDontDependOnB() throws {
        var configuration = try Registry.builtIn.standard(dataset: "recall")
        (configuration.cell, configuration.manifold) = ("complex-urnn", "arjovsky-factors")
        configuration.model.hiddenSize = 5
        let weights = try ["zero", "henaff"].map { name in
            var unresolved = configuration
            unresolved.skewInit = PluginChoice(name)
            let model = try Run(unresolved, registry: .builtIn).model, layer = model.parameters.orthogonalBlocks[0]
            return model.backend.download(model.parameters.value(of: layer), as: Float.self)
        }
        #expect(weights[0] == weights[1])
    }
}
