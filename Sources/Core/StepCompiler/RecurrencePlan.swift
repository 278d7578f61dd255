/// A cell, compiled: what to run before the time loop, in each of its steps, in
/// each step of the backward loop, and after it.
///
/// Dimensions: T steps, B sequences (rows), E input width, H hidden width,
/// G gates. A plan knows E and H, but neither T nor B.
public struct RecurrencePlan: Sendable {
    public let cellName: String
    public let inputWidth: Int
    public let hiddenWidth: Int
    public let stateCount: Int
    /// Whether a state stops changing at its sequence's end.
    public let masked: Bool
    /// Whether it keeps what the backward pass needs; without, the backward
    /// lists are empty.
    public let training: Bool

    /// The matrices it works on; operations name them by index.
    public let buffers: [PlanBuffer]
    /// The packed parameters, in the order in which a layer stores them.
    public let parameters: [PackedParameter]
    /// The programs that kernel operations name by index.
    public let programs: [PointwiseProgram]

    /// Once, over all T·B rows: the products of the input alone (hoisted).
    public let prelude: [PlanOperation]
    /// In each step, t = 0 ..< T.
    public let forwardLoop: [PlanOperation]
    /// In each step, t = T-1 ... 0.
    public let backwardLoop: [PlanOperation]
    /// Once, over all T·B rows: weight gradients (deferred), bias gradients, and
    /// the input's gradient.
    public let epilogue: [PlanOperation]
}

/// A matrix that a plan works on, `columns` wide.
public struct PlanBuffer: Sendable, Hashable {
    public enum Role: Sendable, Hashable {
        /// [T·B, E], from the layer below.
        case input
        /// [T·B, E] gradient of the input, to the layer below.
        case inputGradient
        /// [(T+1)·B, H]; block t holds state `index` before step t.
        case states(index: Int)
        /// [T·B, H], from the layer above: the gradient of the output (state 0).
        case outputGradient
        /// [B, H]: the gradient of state `index`, running backwards.
        case stateGradient(index: Int)
        /// [T·B, 1]: 1 while the sequence lasts, then 0. With zoneout [T·B, states · H]: 1
        /// where a unit takes its new value, 0 where it keeps the old one.
        case mask
        /// [T·B, columns], kept from the forward to the backward pass, or from
        /// the loop to the epilogue.
        case perStep
        /// [B, columns]: used within one step.
        case scratch
        /// The packed parameter `index`: values.
        case parameter(index: Int)
        /// The packed parameter `index`: gradient, added to.
        case parameterGradient(index: Int)
    }
    public let name: String
    public let role: Role
    public let columns: Int
}

/// Parameters stored behind one another under one name.
public struct PackedParameter: Sendable {
    /// PyTorch's name without the layer's suffix: `weight_ih`, `bias_hh`, …
    public let name: String
    /// [rows, columns]; a vector [H] has rows 1.
    public let rows: Int
    public let columns: Int
    public let parts: [Part]

    /// One of the cell's own parameters: rows (of a matrix) or columns (of a
    /// vector) `start ..< start + count`.
    public struct Part: Sendable {
        public let parameter: CellParameter
        public let start: Int
        public let count: Int
    }
}

/// Part of a plan's buffer: columns `column ..< column + columns`, and for
/// parameters rows `row ..< row + rows`.
public struct PlanOperand: Sendable, Hashable {
    public let buffer: Int
    public var column: Int
    public var columns: Int
    /// 1 for the state after the step, else 0.
    public var timeShift: Int
    /// Rows of a parameter; nil for buffers whose rows are the batch's.
    public var rows: Range<Int>?
    /// Read the parameter with rows and columns exchanged.
    public var isTransposed: Bool

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

/// One operation of a plan. Its matrices are one step's rows in the loops, and
/// all T·B rows in prelude and epilogue.
public enum PlanOperation: Sendable {
    /// `result ← a · b (+ result)`; `b` is a parameter.
    case gemm(a: PlanOperand, b: PlanOperand, result: PlanOperand, accumulate: Bool)
    /// Runs program `program` row by row; vectors are repeated for each row.
    case kernel(program: Int, inputs: [PlanOperand], outputs: [PlanOperand])
    /// `result (a parameter's gradient) += deltaᵀ · operand`, over all T·B rows.
    case weightGradient(delta: PlanOperand, operand: PlanOperand, result: PlanOperand)
    /// `result (a vector's gradient) += ` the sum of the rows of `delta`.
    case vectorGradient(delta: PlanOperand, result: PlanOperand)

    public var isGEMM: Bool { if case .gemm = self { true } else { false } }
    public var isKernel: Bool { if case .kernel = self { true } else { false } }
}

/// The memory behind a plan's buffers for one T and B.
public struct RecurrenceBinding: Sendable {
    public let steps: Int
    public let batch: Int
    /// One view per plan buffer, packed, with the rows that its role says
    /// (a parameter: its own rows; `stateGradient` and `scratch`: B). Roles that
    /// may be absent at a run (`outputGradient` where only the last state is
    /// used, `inputGradient` at the first layer) are nil: an absent
    /// `outputGradient` reads as zeros, an operation that writes only into an
    /// absent `inputGradient` is left out.
    public let views: [MatrixView?]

    public init(steps: Int, batch: Int, views: [MatrixView?]) {
        self.steps = steps
        self.batch = batch
        self.views = views
    }
}

/// A plan bound to its buffers: runs all T steps.
public protocol RecurrenceExecutor: AnyObject {
    /// Prelude and forward loop. Block 0 of the state buffers must hold the
    /// initial states.
    func forward() throws
    /// Backward loop and epilogue. The state-gradient buffers must hold the
    /// gradients of the final states; afterwards they hold those of the initial
    /// states. Parameter gradients are added to.
    func backward() throws
}
