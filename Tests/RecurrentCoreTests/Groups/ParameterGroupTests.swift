import ManifoldUpdates
import RecurrentCore
import RecurrentOptimizers
import Testing

/// Each group is updated as if its settings were those of the whole updater.
struct ParameterGroupTests {
    /// Trains with groups, and checks each group against an updater that has the group's settings for everything.
    private func check(
        _ optimizer: any Optimizer, _ groups: [ParameterGroup], onCPU: Bool,
        expected: [(isPart: (String) -> Bool, updater: (GroupFixture) throws -> ParameterUpdater)]
    ) throws {
        let fixture = try GroupFixture(onCPU: onCPU)
        try fixture.train(fixture.updater(optimizer, groups))
        let found = fixture.values
        var covered = 0
        for (isPart, make) in expected {
            let other = try GroupFixture(onCPU: onCPU)
            try other.train(make(other))
            let wanted = other.values
            for index in fixture.elements(isPart) {
                #expect(found[index] == wanted[index], "\(index)")
                covered += 1
            }
        }
        #expect(covered == found.count)
    }

    private static func isRecurrent(_ name: String) -> Bool { name.hasPrefix("rnn.") }

    @Test(arguments: AnyOptimizer.allCases, [true, false])
    func aRateIsThatOfARun(kind: AnyOptimizer, onCPU: Bool) throws {
        // The base rate is 0.5; powers of two keep the quotients exact.
        try check(
            kind.optimizer, [ParameterGroup("rnn.*", learningRate: 0.125)], onCPU: onCPU,
            expected: [
                ({ !Self.isRecurrent($0) }, { try $0.updater(kind.optimizer) }),
                (
                    Self.isRecurrent,
                    { fixture in
                        // Every rate of this updater is a quarter of those of the other, in each step.
                        try fixture.updater(kind.optimizer, [ParameterGroup("*", learningRate: 0.125)])
                    }
                ),
            ])
    }

    /// By hand: plain descent moves each parameter by its rate times its gradient, and B by its own.
    @Test func ratesByHand() throws {
        let fixture = try GroupFixture()
        let updater = try fixture.updater(
            SGD(),
            [
                ParameterGroup(GroupFixture.block, learningRate: 0.0625),
                ParameterGroup("rnn.weight_*", learningRate: 2),
                ParameterGroup("*.bias*", learningRate: 0.25),
            ])
        let plain = try GroupFixture(), other = try plain.updater(SGD()) { $0.manifoldLearningRate = 0.0625 }
        let before = fixture.values
        fixture.setGradients(step: 0)
        plain.setGradients(step: 0)
        let gradient: [Double] = fixture.backend.download(fixture.parameters.allGradients)
        try updater.update(learningRate: 0.25)
        try other.update(learningRate: 0.25)
        let after = fixture.values
        for parameter in fixture.parameters.named {
            let rate =
                parameter.name.hasPrefix("rnn.weight_") ? 2.0 : parameter.name.contains(".bias") ? 0.25 : 0.5
            for index in fixture.elements({ $0 == parameter.name }) {
                #expect(abs(before[index] - after[index] - rate / 2 * gradient[index]) < 1e-15, "\(parameter.name)")
            }
        }
        let found: [Double] = fixture.backend.download(updater.constrained[0].skew)
        #expect(found == fixture.backend.download(other.constrained[0].skew))
    }

    @Test(arguments: AnyOptimizer.allCases, [true, false])
    func anOptimizerOfItsOwnIsThatOptimizer(kind: AnyOptimizer, onCPU: Bool) throws {
        for main in [SGD(), Adam()] as [any Optimizer] {
            try check(
                main, [ParameterGroup("rnn.*", optimizer: kind.optimizer)], onCPU: onCPU,
                expected: [
                    ({ !Self.isRecurrent($0) }, { try $0.updater(main) }),
                    (Self.isRecurrent, { try $0.updater(kind.optimizer) }),
                ])
        }
    }

    @Test(arguments: AnyOptimizer.allCases, [0.0, 0.5])
    func aWeightDecayIsThatOfAnOptimizer(kind: AnyOptimizer, decay: Double) throws {
        let group = ParameterGroup("rnn.*", "decoder.bias", weightDecay: decay)
        try check(
            kind.optimizer, [group], onCPU: false,
            expected: [
                ({ !group.matches($0) }, { try $0.updater(kind.optimizer) }),
                (group.matches, { try $0.updater(kind.decaying(decay)) }),
            ])
    }

    @Test func aManifoldUpdateOfItsOwn() throws {
        let block = { $0 == GroupFixture.block }
        try check(
            Adam(), [ParameterGroup(GroupFixture.block, manifold: CayleyUpdate())], onCPU: false,
            expected: [
                ({ !block($0) }, { try $0.updater(Adam()) }),
                (block, { try $0.updater(Adam(), manifold: CayleyUpdate()) }),
            ])
    }

    /// The first group that matches decides; the configuration's come before those of the program.
    @Test func theFirstGroupWins() throws {
        let fixture = try GroupFixture()
        let updater = try fixture.updater(SGD(), [ParameterGroup("*", learningRate: 0.25)]) {
            $0.freeze = "encoder.weight"
            $0.rate = "decoder.*=2"
        }
        let before = fixture.values
        fixture.backend.fill(fixture.parameters.allGradients, with: 1)
        try updater.update(learningRate: 0.5)
        let after = fixture.values
        func step(_ name: String) -> Set<Double> {
            Set(fixture.elements { $0 == name }.map { ((before[$0] - after[$0]) * 1e9).rounded() / 1e9 })
        }
        #expect(step("encoder.weight") == [0] && step("decoder.weight") == [2] && step("decoder.bias") == [2])
        #expect(step("rnn.weight_ih_l0") == [0.25] && step("rnn.weight_hh_l0") == [0.25])
    }

    /// A gate that isn't finite stops the steps of all groups.
    @Test(arguments: [true, false]) func aGateStopsAllGroups(isOpen: Bool) throws {
        let fixture = try GroupFixture()
        let updater = try fixture.updater(
            SGD(),
            [ParameterGroup("rnn.*", optimizer: Adam()), ParameterGroup("decoder.*", weightDecay: 0.5)])
        let gate = try fixture.backend.makeMatrix([isOpen ? 1 : Double.nan], rows: 1, columns: 1)
        let before = fixture.values
        fixture.setGradients(step: 0)
        try updater.update(learningRate: 0.5, gate: gate)
        let unchanged = zip(before, fixture.values).filter { $0 == $1 }.count
        #expect(unchanged == (isOpen ? 0 : before.count))
    }
}
