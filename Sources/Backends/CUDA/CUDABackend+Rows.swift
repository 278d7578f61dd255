import RecurrentCore

extension CUDABackend {
    public func reduceRows(_ reduction: Reduction, _ source: MatrixView, into destination: MatrixView) {
        precondition(destination.rows == source.rows && destination.columns == 1 && source.columns > 0)
        guard source.rows > 0 else { return }
        var arguments = KernelArguments()
        arguments.view(source)
        arguments.view(destination)
        arguments.integer(source.columns)
        launch(FixedKernels.reduceRows(reduction), blocks: (source.rows, 1), arguments)
    }

    public func sumColumns(_ source: MatrixView, beta: Double, into destination: MatrixView) {
        precondition(destination.rows == 1 && destination.columns == source.columns)
        guard source.columns > 0 else { return }
        // Chunks of rows first, then their sums: the shapes alone decide which.
        let chunk = 128, chunks = (source.rows + chunk - 1) / chunk
        guard chunks > 1 else { return add(source, beta: beta, into: destination, chunk: max(source.rows, 1)) }
        guard let memory = attempt({ try CUDAMemory(count: chunks * source.columns, pool: pool) }) else { return }
        let partial = MatrixView(memory, rows: chunks, columns: source.columns)
        add(source, beta: 0, into: partial, chunk: chunk)
        sumColumns(partial, beta: beta, into: destination)
    }

    private func add(_ source: MatrixView, beta: Double, into destination: MatrixView, chunk: Int) {
        var arguments = KernelArguments()
        arguments.view(source)
        arguments.view(destination)
        for number in [source.rows, source.columns, chunk] { arguments.integer(number) }
        arguments.float(beta)
        launch(FixedKernels.sumColumns, blocks: ((source.columns + 31) / 32, destination.rows), arguments)
    }

    public func gatherRows(_ table: MatrixView, _ indices: any IndexMemory, into destination: MatrixView) {
        let indices = indices as! CUDAIndices
        precondition(indices.count == destination.rows && table.columns == destination.columns)
        precondition(Int(indices.largest) < table.rows, "index \(indices.largest) outside the table")
        guard indices.count > 0 else { return }
        var arguments = KernelArguments()
        arguments.view(table)
        arguments.view(destination)
        arguments.address(indices.memory.address)
        arguments.integer(table.columns)
        launch(FixedKernels.gatherRows, blocks: (indices.count, 1), arguments)
    }

    public func scatterAddRows(_ source: MatrixView, _ indices: any IndexMemory, into table: MatrixView) {
        let indices = indices as! CUDAIndices
        precondition(indices.count == source.rows && table.columns == source.columns)
        precondition(Int(indices.largest) < table.rows, "index \(indices.largest) outside the table")
        guard indices.count > 0 else { return }
        let segments = indices.sort(driver: driver)
        var arguments = KernelArguments()
        arguments.view(source)
        arguments.view(table)
        for address in [indices.memory.address, indices.order, indices.starts] { arguments.address(address) }
        arguments.integer(source.columns)
        launch(FixedKernels.scatterAddRows, blocks: (segments, 1), arguments)
    }

    /// Fixed kernels compile wherever pointwise ones do.
    func launch(_ source: KernelSource, blocks: (Int, Int), _ arguments: KernelArguments) {
        driver.launch(
            try! function(source), LaunchShape(grid: blocks, block: max(driver.blockSize, 32)), arguments: arguments)
    }
}
