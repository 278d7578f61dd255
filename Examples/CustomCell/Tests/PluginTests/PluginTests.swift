import CPUBackend
import CoRNNCell
import LionOptimizer
import ParityData
import PlainBackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

/// To test a plug-in, call the conformance check of its kind.
@Test(arguments: CoRNN.Damping.allCases) func coRNN(damping: CoRNN.Damping) throws {
    var options = CoRNN.Options()
    options.damping = damping
    try checkCell(CoRNN(options: options), on: ReferenceBackend())
    try checkCell(CoRNN(options: options), on: CPUBackend(), against: ReferenceBackend())
}

@Test func parity() throws { try checkDataset(Parity(options: Parity.Options(), seed: 1), batchSize: 64) }

@Test func lion() throws { try checkOptimizer(Lion()) }

@Test func plainBackend() throws { try checkBackend(PlainBackend(), against: ReferenceBackend()) }
