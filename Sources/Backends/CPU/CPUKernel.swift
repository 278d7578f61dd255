import CPUKernels
import RecurrentCore

/// A pointwise program translated for the tile machine: registers are assigned by
/// liveness, and each constant and scalar has a register to itself.
final class CPUKernel: Kernel, @unchecked Sendable {
    let program: PointwiseProgram
    let code: UnsafeMutablePointer<ck_program>
    private let instructions: UnsafeMutableBufferPointer<ck_instruction>
    private let outputs: UnsafeMutableBufferPointer<Int32>
    /// Whether the program depends on the column, so that elements can't be numbered without regard to rows.
    let usesColumnIndex: Bool

    init(_ program: PointwiseProgram) {
        self.program = program
        usesColumnIndex = program.instructions.contains { $0.operation == .columnIndex }
        let inputs = program.inputCount
        var lastUse = [Int](repeating: -1, count: program.instructions.count)
        for (index, instruction) in program.instructions.enumerated() {
            for operand in instruction.operands { lastUse[operand] = index }
        }
        for output in program.outputs { lastUse[output] = .max }

        var place = [Int](repeating: -1, count: program.instructions.count)
        var prologue: [ck_instruction] = []
        var body: [ck_instruction] = []
        var free: [Int] = []
        var registers = 0
        func newRegister() -> Int {
            registers += 1
            return inputs + registers - 1
        }
        for (index, instruction) in program.instructions.enumerated() {
            var code = ck_instruction()
            switch instruction.operation {
            case .input(let number):
                place[index] = number
                continue
            case .constant(let value):
                place[index] = newRegister()
                code.opcode = Int32(CK_CONSTANT.rawValue)
                code.constant = Float(value)
                code.result = Int32(place[index])
                prologue.append(code)
                continue
            case .scalar(let number):
                place[index] = newRegister()
                code.opcode = Int32(CK_SCALAR.rawValue)
                code.scalar = Int32(number)
                code.result = Int32(place[index])
                prologue.append(code)
                continue
            default: break
            }
            let operands = instruction.operands.map { place[$0] }
            code.opcode = Int32(Self.opcode(instruction.operation).rawValue)
            code.a = Int32(operands.count > 0 ? operands[0] : 0)
            code.b = Int32(operands.count > 1 ? operands[1] : 0)
            code.c = Int32(operands.count > 2 ? operands[2] : 0)
            // An operation may overwrite an operand that isn't read later.
            for operand in Set(instruction.operands) where lastUse[operand] == index {
                switch program.instructions[operand].operation {
                case .input, .constant, .scalar: break
                default: free.append(place[operand])
                }
            }
            place[index] = free.popLast() ?? newRegister()
            code.result = Int32(place[index])
            body.append(code)
            if lastUse[index] == -1 { free.append(place[index]) }
        }
        // An output that is also an input must survive until the other outputs have been written.
        let results = program.outputs.map { output in
            guard case .input(let number) = program.instructions[output].operation, program.outputs.count > 1 else {
                return place[output]
            }
            var code = ck_instruction()
            code.opcode = Int32(CK_COPY.rawValue)
            code.a = Int32(number)
            let register = newRegister()
            code.result = Int32(register)
            body.append(code)
            return register
        }
        precondition(inputs + registers <= 512, "a program of more than 512 live values")

        instructions = .allocate(capacity: max(prologue.count + body.count, 1))
        _ = instructions.initialize(from: prologue + body)
        outputs = .allocate(capacity: max(program.outputs.count, 1))
        _ = outputs.initialize(from: results.map { Int32($0) })
        code = .allocate(capacity: 1)
        code.initialize(
            to: ck_program(
                input_count: Int32(inputs), output_count: Int32(program.outputs.count),
                instruction_count: Int32(prologue.count + body.count), register_count: Int32(registers),
                prologue_count: Int32(prologue.count), instructions: instructions.baseAddress,
                outputs: outputs.baseAddress))
    }

    deinit {
        instructions.deallocate()
        outputs.deallocate()
        code.deallocate()
    }

    private static func opcode(_ operation: PointwiseOperation) -> ck_opcode {
        switch operation {
        case .uniform: CK_UNIFORM
        case .columnIndex: CK_COLUMN_INDEX
        case .negate: CK_NEGATE
        case .absolute: CK_ABSOLUTE
        case .sign: CK_SIGN
        case .exp: CK_EXP
        case .log: CK_LOG
        case .sqrt: CK_SQRT
        case .tanh: CK_TANH
        case .sigmoid: CK_SIGMOID
        case .sin: CK_SIN
        case .cos: CK_COS
        case .erf: CK_ERF
        case .add: CK_ADD
        case .subtract: CK_SUBTRACT
        case .multiply: CK_MULTIPLY
        case .divide: CK_DIVIDE
        case .maximum: CK_MAXIMUM
        case .minimum: CK_MINIMUM
        case .greater: CK_GREATER
        case .equal: CK_EQUAL
        case .select: CK_SELECT
        case .input, .scalar, .constant, .product: preconditionFailure("\(operation) is no instruction")
        }
    }
}
