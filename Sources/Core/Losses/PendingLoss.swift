/// The loss of a batch, which the device may still be computing.
public struct PendingLoss {
    /// The largest loss of a row, [1, 1] on the backend; infinite or NaN if the batch's loss
    /// is. It is valid until the next batch is started. Nil if the sums were known at once.
    public let largest: MatrixView?
    private let finish: () throws -> LossSums

    /// Creates a loss whose sums are already known.
    public init(_ sums: LossSums) {
        largest = nil
        finish = { sums }
    }

    /// Creates a loss whose sums are known later.
    ///
    /// - Parameters:
    ///   - largest: the largest loss of a row, [1, 1]; nil if the batch isn't used for training.
    ///   - finish: waits for the sums; called at most once, perhaps after other batches have
    ///     been started.
    public init(largest: MatrixView?, finish: @escaping () throws -> LossSums) {
        self.largest = largest
        self.finish = finish
    }

    /// Waits until the device has computed the sums, and returns them.
    ///
    /// - Throws: ``RecurrentError/device(_:)`` if the device has failed in the meantime.
    public func sums() throws -> LossSums { try finish() }
}

/// Losses that are read one after another, each while a device works on the next.
struct LateLosses {
    private var last: PendingLoss?
    private var sums: [LossSums] = []

    mutating func add(_ loss: PendingLoss) throws {
        if let last { sums.append(try last.sums()) }
        last = loss
    }
    mutating func finish() throws -> [LossSums] {
        if let last { sums.append(try last.sums()) }
        last = nil
        return sums
    }
}
