/// Turns a cell's equations into a ``RecurrencePlan``.
///
/// 1. hoist: products of the input alone leave the time loop;
/// 2. merge: products that share their left operand become one GEMM;
/// 3. fuse: the arithmetic between two products becomes one kernel;
/// 4. differentiate: the backward kernels are derived from the forward ones;
/// 5. defer: each weight's gradient is one GEMM over all steps, after the loop.
public enum StepCompiler {
    /// - Parameters:
    ///   - cell: the equations.
    ///   - inputWidth: E.
    ///   - hiddenWidth: H.
    ///   - training: also plan the backward pass, and keep what it needs.
    ///   - masked: stop each state at its sequence's end.
    ///   - zoneout: how units keep their old values; nil if they don't.
    /// - Throws: ``RecurrentError/invalidOption(_:)`` if the cell needs equal
    ///   input and state widths and they differ.
    public static func compile(
        _ cell: any RecurrentCell, inputWidth: Int, hiddenWidth: Int, training: Bool = true, masked: Bool = false,
        zoneout: Zoneout? = nil
    ) throws -> RecurrencePlan {
        precondition(inputWidth > 0 && hiddenWidth > 0)
        var step = try TracedStep(
            cell, inputWidth: inputWidth, hiddenWidth: hiddenWidth, masked: masked, zoneout: zoneout)
        var gradients = training ? StepGradients(of: &step) : nil
        var planner = StepPlanner(step)
        planner.declareBuffers(training: training)
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
            cellName: cell.name, inputWidth: inputWidth, hiddenWidth: hiddenWidth,
            stateCount: cell.stateNames.count, masked: masked, training: training,
            buffers: planner.buffers, parameters: step.layout.packed, programs: planner.programs,
            prelude: planner.prelude, forwardLoop: planner.forwardLoop,
            backwardLoop: planner.backwardLoop, epilogue: planner.epilogue)
    }
}
