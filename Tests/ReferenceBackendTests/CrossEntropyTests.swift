import Foundation
import RecurrentCore
import RecurrentTestSupport
import ReferenceBackend
import Testing

@Test(arguments: [false, true])
func crossEntropyAgreesWithNumpy(isDropout: Bool) throws {
    let backend = ReferenceBackend()
    let suffix = isDropout ? " dropout" : ""
    let dropout = isDropout ? (rate: 0.4, key: RandomKey(seed: 5, purpose: .dropout, step: 9)) : nil
    let loss = try backend.makeSoftmaxCrossEntropy(classes: 5, width: 4)
    let inputs = try backend.allocate(rows: 6, columns: 4)
    let weight = try backend.allocate(rows: 5, columns: 4)
    let bias = try backend.allocate(rows: 1, columns: 5)
    let sums = try loss(
        inputs: try backend.makeMatrix(NumpyNumbers.of("loss x"), rows: 6, columns: 4),
        weight: try backend.makeMatrix(NumpyNumbers.of("loss w"), rows: 5, columns: 4),
        bias: try backend.makeMatrix(NumpyNumbers.of("loss b"), rows: 1, columns: 5),
        targets: try NumpyNumbers.of("loss targets").map { Int32($0) }, dropout: dropout,
        gradients: ProjectionGradients(inputs: inputs, weight: weight, bias: bias))
    #expect(largestError([sums.totalLoss], try NumpyNumbers.of("loss" + suffix)) < 1e-14)
    #expect([Double(sums.correct)] == (try NumpyNumbers.of("correct" + suffix)))
    #expect(sums.count == 4)
    #expect(relativeError(backend.download(inputs), try NumpyNumbers.of("loss inputs" + suffix)) < 1e-14)
    #expect(relativeError(backend.download(weight), try NumpyNumbers.of("loss weight" + suffix)) < 1e-14)
    #expect(relativeError(backend.download(bias), try NumpyNumbers.of("loss bias" + suffix)) < 1e-14)
}

/// Equal logits cost log V each; the first class is the prediction.
@Test func crossEntropyByHand() throws {
    let backend = ReferenceBackend()
    let loss = try backend.makeSoftmaxCrossEntropy(classes: 4, width: 1)
    let sums = try loss(
        inputs: try backend.allocate(rows: 3, columns: 1), weight: try backend.allocate(rows: 4, columns: 1),
        bias: try backend.allocate(rows: 1, columns: 4), targets: [0, 1, -1], dropout: nil, gradients: nil)
    #expect(abs(sums.totalLoss - 2 * 1.3862943611198906) < 1e-15)
    #expect(sums.correct == 1 && sums.count == 2)
    #expect(abs(sums.perplexity - 4) < 1e-14 && sums.accuracy == 0.5)
}

/// Runs' saved states hold these sums; sums saved before a class could be excluded have three numbers.
@Test func olderSumsAreRead() throws {
    let older = try JSONDecoder().decode(LossSums.self, from: Data(#"{"loss":3,"correct":1,"count":4}"#.utf8))
    #expect(older == LossSums(totalLoss: 3, correct: 1, count: 4, accuracyCount: 4))
    let newer = LossSums(totalLoss: 3, correct: 1, count: 4, accuracyCount: 2)
    let text = String(decoding: try JSONEncoder().encode(newer), as: UTF8.self)
    #expect(text.contains(#""loss":3"#) && text.contains(#""rated":2"#) && !text.contains("totalLoss"))
    #expect(
        try JSONDecoder().decode(LossSums.self, from: JSONEncoder().encode(newer)) == newer && newer.accuracy == 0.5)
}
