/// The loss of a batch that the device may still be working on.
public struct PendingLoss {
    /// [1, 1] on the backend: the largest loss of a row, infinite or no number if that
    /// of the batch is; it holds until the next batch is started. Nil if the sums were
    /// known at once.
    public let largest: MatrixView?
    private let finish: () throws -> LossSums

    /// Sums that are known.
    public init(_ sums: LossSums) {
        largest = nil
        finish = { sums }
    }

    /// Sums that come later.
    ///
    /// - Parameters:
    ///   - largest: the largest loss of a row, [1, 1]; nil if nothing is to be trained by it.
    ///   - finish: waits for the sums; called once at most, perhaps when other batches have
    ///     been started since.
    public init(largest: MatrixView?, finish: @escaping () throws -> LossSums) {
        self.largest = largest
        self.finish = finish
    }

    /// The sums; waits until the device has them.
    /// - Throws: ``RecurrentError/backend(_:)`` for what failed on the device since.
    public func sums() throws -> LossSums { try finish() }
}
