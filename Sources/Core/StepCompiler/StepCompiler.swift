/// A compiler that turns a cell's equations into a ``RecurrencePlan``, in five steps:
///
/// 1. Hoist: products of the input alone are moved out of the time loop.
/// 2. Merge: products that share their left operand become one GEMM.
/// 3. Fuse: the arithmetic between two products becomes one kernel.
/// 4. Differentiate: the backward kernels are derived from the forward ones.
/// 5. Defer: the gradient of each weight is one GEMM over all steps, after the loop.
///
/// If the input is an embedding's rows, its products can be those of the V rows of the embedding instead of those of all
/// T·B rows of a batch: each step looks up its rows, and δ is added up by token before it is multiplied.
public enum StepCompiler {
    /// Compiles a cell for the given widths.
    ///
    /// - Parameters:
    ///   - cell: the cell whose equations are compiled.
    ///   - inputWidth: the width E of the input.
    ///   - hiddenWidth: the width H of each state.
    ///   - training: whether to plan the backward pass and keep the values that it needs.
    ///   - masked: whether each state stops changing at the end of its sequence.
    ///   - zoneout: how units keep their old values; nil if they don't.
    ///   - tokens: whether the input is given as tokens of an embedding.
    /// - Throws: ``RecurrentError/cell(_:)`` if the cell's declarations or equations are wrong, or if there are `tokens` and
    ///   it reads its input not only as the operand of products; or
    ///   ``RecurrentError/invalidOption(_:)`` if it needs an input and states of the same width and they differ.
    public static func compile(
        _ cell: any RecurrentCell, inputWidth: Int, hiddenWidth: Int, training: Bool = true, masked: Bool = false,
        zoneout: Zoneout? = nil, tokens: Bool = false
    ) throws -> RecurrencePlan {
        precondition(inputWidth > 0 && hiddenWidth > 0)
        var step = try TracedStep(
            cell, inputWidth: inputWidth, hiddenWidth: hiddenWidth, masked: masked, zoneout: zoneout)
        if tokens, step.readsInputItself {
            throw RecurrentError.cell(
                "cell '\(cell.name)' reads its input not only as the operand of products; compile it without `tokens`")
        }
        var gradients = training ? StepGradients(of: &step) : nil
        var planner = StepPlanner(step, readsTokens: tokens)
        planner.declareBuffers(training: training)
        planner.emitDerivedVectors()
        if let gradients {
            let needed =
                Array(gradients.deltas.values) + gradients.vectors.map(\.adjoint)
                + gradients.states.compactMap { $0 } + [gradients.input].compactMap { $0 }
            planner.emitForward(saving: SavedValues(for: needed.sorted(), step: step).values)
        } else {
            planner.emitForward(saving: [])
        }
        if gradients != nil {
            planner.emitBackward(&gradients!)
            planner.emitEpilogue(gradients!)
        }
        return RecurrencePlan(
            cellName: cell.name, inputWidth: inputWidth, readsTokens: tokens, hiddenWidth: hiddenWidth,
            stateCount: cell.stateNames.count, outputCount: cell.outputCount, masked: masked, training: training,
            buffers: planner.buffers, parameters: step.layout.packed, programs: planner.programs,
            prelude: planner.prelude, forwardLoop: planner.forwardLoop,
            backwardLoop: planner.backwardLoop, epilogue: planner.epilogue)
    }
}
