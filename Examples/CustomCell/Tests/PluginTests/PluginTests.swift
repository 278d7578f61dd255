import CPUBackend
import LionOptimizer
import ParityData
import PlainBackend
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

@Test func parity() throws { try checkDataset(Parity(options: Parity.Options(), seed: 1), batchSize: 64) }

@Test func lion() throws { try checkOptimizer(Lion()) }

@Test func plainBackend() throws { try checkBackend(PlainBackend(), against: ReferenceBackend()) }
