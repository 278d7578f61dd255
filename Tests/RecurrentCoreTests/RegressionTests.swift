import CPUBackend
import GRUCell
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing
import ToyDatasets
import URNNCell

/// Models whose targets are real numbers.
struct RegressionTests {
    private func model(_ backend: any Backend, layers: Int = 2) throws -> (SequenceModel, Batch) {
        let adding = try AddingDataset(length: 5, sizes: SplitSizes(train: 6, valid: 6, test: 6))
        let model = try SequenceModel(
            cell: GRU(),
            configuration: ModelConfiguration(hiddenSize: 4, layers: layers, dropout: 0.3, dropoutPlaces: [.output]),
            data: adding.description, on: backend)
        return (model, adding.batch(.train, epoch: 0, index: 0, batchSize: 6))
    }

    @Test func gradientsAgreeWithCentralDifferences() throws {
        let (model, batch) = try model(ReferenceBackend())
        #expect(try gradientError(model, batch, difference: 1e-4) <= 1e-6)
    }

    @Test func cpuAgreesWithReference() throws {
        let results = try [CPUBackend(), ReferenceBackend()].map { (backend: any Backend) -> [Double] in
            let (model, batch) = try model(backend)
            let sums = try model.computeGradients(batch, step: 2)
            #expect(sums.count == 6)
            return backend.download(model.parameters.allGradients) + [
                sums.totalLoss, try model.evaluate(batch).totalLoss,
            ]
        }
        #expect(relativeError(results[0], results[1]) <= 1e-5)
    }

    @Test func theLossIsTheMeanSquaredError() throws {
        let backend = ReferenceBackend(), (model, batch) = try model(backend)
        // If all weights are 0, the prediction is the projection's bias.
        backend.fill(model.parameters.allValues, with: 0)
        let expected = batch.values.reduce(0) { $0 + Double($1) * Double($1) } / 6
        #expect(abs(try model.evaluate(batch).meanLoss - expected) < 1e-12)
    }
}
