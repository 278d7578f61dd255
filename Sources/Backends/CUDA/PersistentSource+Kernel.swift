/// The pointwise programs of a persistent loop. A thread has the elements `THREAD`,
/// `THREAD + THREADS`, …; the numbers that the first of these need from the device's memory
/// are requested a step ahead, as soon as this step has used its own.
extension PersistentSource {
    /// Returns the text that determines a thread's elements and loads their numbers for the first step.
    func loadAhead(_ number: Int) -> String {
        let kernel = program.kernels[number]
        var lines: [String] = []
        for e in 0..<geometry.ahead[number] {
            let name = "\(number)_\(e)"
            lines.append(
                "const uint32 i\(name) = THREAD + \(e * geometry.threads)u, r\(name) = i\(name) / \(kernel.columns)u;")
            lines.append("const uint32 c\(name) = i\(name) - r\(name) * \(kernel.columns)u;")
            for input in kernel.loaded { lines.append("float ahead\(name)_\(input) = 0.0f;") }
            if !kernel.loaded.isEmpty {
                lines.append("if (i\(name) < rows * \(kernel.columns)u) {")
                lines.append("    const uint32 r = r\(name), c = c\(name);")
                lines.append("    \(loads(kernel, name, time: "t"))\n    }")
            }
        }
        return lines.map { "    \($0)" }.joined(separator: "\n")
    }

    private func loads(_ kernel: PersistentProgram.Kernel, _ name: String, time: String) -> String {
        kernel.loaded.map { "ahead\(name)_\($0) = \(loaded(kernel.inputs[$0], time: time));" }.joined(separator: " ")
    }
    private func loaded(_ input: PersistentProgram.Input, time: String) -> String {
        guard case .memory(let operand, let repeatsColumn) = input else { preconditionFailure("nothing to load") }
        return element(operand, column: repeatsColumn ? "0u" : "c", time: time)
    }

    func kernelStep(_ number: Int) -> String {
        let kernel = program.kernels[number], indent = String(repeating: " ", count: 16)
        func body(_ ahead: String?) -> String {
            var lines = kernel.loaded.map { input in
                "\(indent)const float x\(input) = \(ahead.map { "ahead\($0)_\(input)" } ?? loaded(kernel.inputs[input], time: "t"));"
            }
            lines += PointwiseSource.lines(
                kernel.program, indent: indent,
                input: {
                    switch kernel.inputs[$0] {
                    case .zero: "0.0f"
                    case .shared(let value, let column): shared(value, column: column)
                    case .memory: "x\($0)"
                    }
                }, scalar: { _ in preconditionFailure("a scalar in a recurrence") }, uniform: "", column: "(float)c")
            if let ahead, !kernel.loaded.isEmpty { lines.append(indent + loads(kernel, ahead, time: "next")) }
            for (output, value) in zip(kernel.outputs, kernel.program.outputs) {
                if let slot = output.slot {
                    lines.append("\(indent)\(self.slot(slot.number, column: slot.column)) = v\(value);")
                }
                if let operand = output.operand { lines.append("\(indent)\(element(operand)) = v\(value);") }
            }
            return lines.joined(separator: "\n")
        }
        let ahead = geometry.ahead[number],
            elements = (geometry.rows * kernel.columns + geometry.threads - 1) / geometry.threads
        var text = "        BARRIER();"
        for e in 0..<ahead {
            let name = "\(number)_\(e)"
            text += """

                        if (i\(name) < rows * \(kernel.columns)u) {
                            const uint32 r = r\(name), c = c\(name);
                \(body(name))
                        }
                """
        }
        if elements > ahead {
            text += """

                        for (uint32 i = THREAD + \(ahead * geometry.threads)u; i < rows * \(kernel.columns)u; i += THREADS) {
                            const uint32 r = i / \(kernel.columns)u, c = i - r * \(kernel.columns)u;
                \(body(nil))
                        }
                """
        }
        return text
    }
}
