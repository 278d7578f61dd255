/// A compiled cell: the operations to run before the time loop, in each of its steps,
/// in each step of the backward loop, and after that.
///
/// Dimensions: T steps, B sequences (rows), E input width, H hidden width, O output width,
/// G gates, V tokens. A plan knows E, H and O, but none of T, B and V.
public struct RecurrencePlan: Sendable {
    /// The name of the cell that was compiled.
    public let cellName: String
    /// The width E of the input.
    public let inputWidth: Int
    /// Whether the input is given as tokens of an embedding, whose rows are multiplied instead of the input's.
    public let readsTokens: Bool
    /// The width H of each state.
    public let hiddenWidth: Int
    /// The number of states of the cell.
    public let stateCount: Int
    /// The number of states that are the output, side by side.
    public let outputCount: Int
    /// Whether a state stops changing at the end of its sequence.
    public let masked: Bool
    /// Whether the plan has a backward pass and keeps the values that it needs; if not,
    /// ``backwardLoop`` and ``epilogue`` are empty.
    public let training: Bool

    /// The matrices that the plan works on; operations refer to them by index.
    public let buffers: [PlanBuffer]
    /// The packed parameters, in the order in which a layer stores them.
    public let parameters: [PackedParameter]
    /// The programs that kernel operations refer to by index.
    public let programs: [PointwiseProgram]

    /// The operations run once before the forward loop: what the cell's vectors alone determine, and over all T·B rows
    /// the products of the input alone (hoisted); for tokens, those of the V rows of the embedding, and their lookup.
    public let prelude: [PlanOperation]
    /// The operations run in each step t = 0 ..< T.
    public let forwardLoop: [PlanOperation]
    /// The operations run in each step backwards, t = T-1 ... 0.
    public let backwardLoop: [PlanOperation]
    /// The operations run once after the backward loop, over all T·B rows: weight gradients
    /// (deferred), bias gradients, and the gradient of the input.
    public let epilogue: [PlanOperation]

    /// The width O of the output: that of the states that it consists of.
    public var outputWidth: Int { outputCount * hiddenWidth }
}

/// A matrix that a plan works on, `columns` wide.
public struct PlanBuffer: Sendable, Hashable {
    /// The content of a buffer, which decides the number of its rows.
    public enum Role: Sendable, Hashable {
        /// The input from the layer below, [T·B, E].
        case input
        /// The gradient of the input, which goes to the layer below, [T·B, E].
        case inputGradient
        /// The embedding whose rows are the input, [V, E].
        case embedding
        /// The gradient of the embedding, [V, E]; it is added to what is there.
        case embeddingGradient
        /// Values of each token, [V, columns].
        case perToken
        /// The values of state `index`, [(T+1)·B, H]; block t holds the state before step t. The states that are the
        /// output may be columns of one matrix [(T+1)·B, O].
        case states(index: Int)
        /// The gradient of the output, which comes from the layer above, [T·B, O].
        case outputGradient
        /// The gradient of state `index` at the current step of the backward loop, [B, H]. Those of the states that
        /// are the output may be columns of one matrix [B, O].
        case stateGradient(index: Int)
        /// The mask [T·B, 1], which is 1 until the sequence ends, then 0. With zoneout, the
        /// mask [T·B, states · H], which is 1 where a unit takes its new value and 0 where it
        /// keeps the old one.
        case mask
        /// Values of all steps, [T·B, columns], kept from the forward to the backward pass
        /// or from the loop to the epilogue.
        case perStep
        /// Values used within one step, [B, columns].
        case scratch
        /// What is computed from the cell's vectors alone, or its gradient, [1, columns]; the same in all steps and rows.
        case derivedVectors
        /// Whether the buffer has a row for each token.
        package var isOfTokens: Bool { [.embedding, .embeddingGradient, .perToken].contains(self) }
        /// The values of packed parameter `index`.
        case parameter(index: Int)
        /// The gradient of packed parameter `index`; it is added to what is there.
        case parameterGradient(index: Int)
    }
    /// The buffer's name, for readers of the plan.
    public let name: String
    /// The content of the buffer.
    public let role: Role
    /// The number of columns.
    public let columns: Int
}

/// Parameters of a cell that are stored one after another under one name.
public struct PackedParameter: Sendable {
    /// The name without the layer's suffix, as in PyTorch: `weight_ih`, `bias_hh` and so on.
    public let name: String
    /// The number of rows; 1 for a vector.
    public let rows: Int
    /// The number of columns; for a vector, its length.
    public let columns: Int
    /// The cell's parameters that it holds, in the order in which they are stored.
    public let parts: [Part]

    /// One of the cell's parameters: rows (of a matrix) or columns (of a vector)
    /// `start ..< start + count`.
    public struct Part: Sendable {
        /// The cell's declaration of the parameter.
        public let parameter: CellParameter
        /// The first row or column.
        public let start: Int
        /// The number of rows or columns.
        public let count: Int
    }
}

/// Part of a plan's buffer: columns `column ..< column + columns` and, for
/// parameters, the rows ``rows``.
public struct PlanOperand: Sendable, Hashable {
    /// The index of the buffer in ``RecurrencePlan/buffers``.
    public let buffer: Int
    /// The first column.
    public var column: Int
    /// The number of columns.
    public var columns: Int
    /// The number of steps by which a state is ahead: 1 for the state after the step, else 0.
    public var timeShift: Int
    /// The rows of a parameter; nil for buffers whose rows are those of the batch.
    public var rows: Range<Int>?
    /// Whether the parameter is read with rows and columns exchanged.
    public var isTransposed: Bool

    /// Creates a reference to part of a buffer.
    public init(
        buffer: Int, column: Int = 0, columns: Int, timeShift: Int = 0, rows: Range<Int>? = nil,
        isTransposed: Bool = false
    ) {
        self.buffer = buffer
        self.column = column
        self.columns = columns
        self.timeShift = timeShift
        self.rows = rows
        self.isTransposed = isTransposed
    }
}

/// One operation of a plan. It works on the rows of one step in the loops, and on
/// all T·B rows, or all V rows of what belongs to tokens, in the prelude and the epilogue.
public enum PlanOperation: Sendable {
    /// A matrix product, `result ← a · b (+ result)`, where `b` is a parameter.
    case gemm(a: PlanOperand, b: PlanOperand, result: PlanOperand, accumulate: Bool)
    /// A run of program `program`, row by row; vectors are repeated for each row.
    case kernel(program: Int, inputs: [PlanOperand], outputs: [PlanOperand])
    /// A copy of the row of `table` that belongs to a row's token, into each of the T·B rows of `result`.
    case lookup(table: PlanOperand, result: PlanOperand)
    /// The sum of those of the T·B rows of `delta` that have a token, into the row of `table` that belongs to it.
    case tokenSum(delta: PlanOperand, table: PlanOperand)
    /// The addition of `deltaᵀ · operand` over all their rows to `result`, the gradient of a
    /// weight.
    case weightGradient(delta: PlanOperand, operand: PlanOperand, result: PlanOperand)
    /// The addition of the sum of the rows of `delta` to each of `results`, the gradients of vectors; or, if all of these
    /// are derived vectors, its copies.
    case vectorGradient(delta: PlanOperand, results: [PlanOperand])

    /// What the operation reads, apart from weights and what it adds to.
    package var reads: [PlanOperand] {
        switch self {
        case .gemm(let a, _, _, _): [a]
        case .kernel(_, let inputs, _): inputs
        case .lookup(let table, _): [table]
        case .tokenSum(let delta, _), .vectorGradient(let delta, _): [delta]
        case .weightGradient(let delta, let operand, _): [delta, operand]
        }
    }
    /// What the operation writes or adds to.
    package var results: [PlanOperand] {
        switch self {
        case .gemm(_, _, let result, _), .lookup(_, let result), .tokenSum(_, let result): [result]
        case .weightGradient(_, _, let result): [result]
        case .kernel(_, _, let results), .vectorGradient(_, let results): results
        }
    }

    /// Whether the operation is a `gemm`.
    public var isGEMM: Bool { if case .gemm = self { true } else { false } }
    /// Whether the operation is a `kernel`.
    public var isKernel: Bool { if case .kernel = self { true } else { false } }
}

/// The memory behind a plan's buffers for one T and B.
public struct RecurrenceBinding: Sendable {
    /// The number of steps, T.
    public let steps: Int
    /// The number of sequences, B.
    public let batch: Int
    /// One view per buffer of the plan, with the number of rows that its role
    /// implies (a parameter: its own rows; `stateGradient` and `scratch`: B; what belongs to
    /// tokens: V). A view is packed, except for states and their gradients, whose rows may lie
    /// further apart. Buffers that a run doesn't need (`outputGradient` where only the last state is used,
    /// `inputGradient` in the first layer, `embeddingGradient` if the embedding is frozen) are nil: an absent
    /// `outputGradient` reads as zeros, and an operation that writes only to an absent gradient is skipped.
    public let views: [MatrixView?]
    /// The token of each of the T·B rows; nil unless the plan reads tokens.
    public let tokens: (any IndexMemory)?

    /// Creates a binding for T steps of B sequences, with one view per buffer of the plan and, if it reads tokens, those
    /// of the T·B rows.
    public init(steps: Int, batch: Int, views: [MatrixView?], tokens: (any IndexMemory)? = nil) {
        self.steps = steps
        self.batch = batch
        self.views = views
        self.tokens = tokens
    }
}

/// A plan that is bound to its buffers and can be run over all T steps.
public protocol RecurrenceExecutor: AnyObject {
    /// Runs the prelude and the forward loop. Block 0 of the state buffers must hold the
    /// initial states.
    func forward() throws
    /// Runs the backward loop and the epilogue. The state-gradient buffers must hold the
    /// gradients of the final states; afterwards they hold those of the initial
    /// states. The gradients of parameters are added to what is there.
    func backward() throws
}
