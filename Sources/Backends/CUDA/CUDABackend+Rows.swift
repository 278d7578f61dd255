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
        // Sums chunks of rows, then the chunks' sums; the shapes alone decide on the chunks.
        // A few rows of many columns make enough blocks as they are.
        let isWide = source.rows <= 512 && source.columns >= 4096
        let chunk = isWide ? 512 : 128 * ((source.rows - 1) / (128 * Self.mostBlocksAcross) + 1)
        let chunks = (source.rows + chunk - 1) / chunk
        guard chunks > 1 else { return add(source, beta: beta, into: destination, chunk: chunk) }
        guard let memory = attempt({ try CUDAMemory(count: chunks * source.columns, pool: pool) }) else { return }
        let partial = MatrixView(memory, rows: chunks, columns: source.columns)
        add(source, beta: 0, into: partial, chunk: chunk)
        sumColumns(partial, beta: beta, into: destination)
    }

    /// The limit of a grid's second dimension.
    private static let mostBlocksAcross = 65535

    private func add(_ source: MatrixView, beta: Double, into destination: MatrixView, chunk: Int) {
        let width = itemWidth(source)
        var arguments = KernelArguments()
        arguments.view(source)
        arguments.view(destination)
        for number in [source.rows, source.columns, chunk] { arguments.integer(number) }
        arguments.float(beta)
        let across = 32 * width.rawValue
        launch(
            FixedKernels.sumColumns[width]!, blocks: ((source.columns + across - 1) / across, destination.rows),
            arguments)
    }

    /// Returns how many numbers of a row can be read at once from all of the views.
    private func itemWidth(_ views: MatrixView...) -> FixedKernels.Width {
        views.allSatisfy { view in
            view.columnStride == 1 && view.columns % 4 == 0 && view.rowStride % 4 == 0 && view.address % 16 == 0
        } ? .four : .one
    }

    public func gatherRows(_ table: MatrixView, _ indices: any IndexMemory, into destination: MatrixView) {
        let indices = indices as! CUDAIndices
        precondition(indices.count == destination.rows && table.columns == destination.columns)
        precondition(Int(indices.largest) < table.rows, "index \(indices.largest) outside the table")
        precondition(destination.count < 1 << 31, "a matrix of 2³¹ elements or more")
        guard destination.count > 0 else { return }
        let width = itemWidth(table, destination)
        var arguments = KernelArguments()
        arguments.view(table)
        arguments.view(destination)
        arguments.address(indices.memory.address)
        arguments.integer(indices.count)
        arguments.integer(table.columns)
        let threads = max(driver.blockSize, 32), items = destination.count / width.rawValue
        launch(
            FixedKernels.gatherRows[width]!, blocks: (min((items + threads - 1) / threads, 32 * driver.processors), 1),
            arguments)
    }

    public func scatterAddRows(_ source: MatrixView, _ indices: any IndexMemory, into table: MatrixView) {
        let indices = indices as! CUDAIndices
        precondition(indices.count == source.rows && table.columns == source.columns)
        precondition(Int(indices.largest) < table.rows, "index \(indices.largest) outside the table")
        guard source.count > 0 else { return }
        let segments = indices.sort(driver: driver), width = itemWidth(source, table)
        var arguments = KernelArguments()
        arguments.view(source)
        arguments.view(table)
        for address in [indices.memory.address, indices.order, indices.starts] { arguments.address(address) }
        arguments.integer(source.columns)
        // There should be no more threads than there is work for.
        var threads = max(driver.blockSize, 32)
        while threads > 32, threads / 2 * width.rawValue >= source.columns { threads /= 2 }
        launch(FixedKernels.scatterAddRows[width]!, blocks: (segments, 1), threads: threads, arguments)
    }

    /// Launches a fixed kernel, which compiles wherever pointwise kernels do.
    func launch(_ source: KernelSource, blocks: (Int, Int), threads: Int? = nil, _ arguments: KernelArguments) {
        driver.launch(
            try! function(source), LaunchShape(grid: blocks, block: threads ?? max(driver.blockSize, 32)),
            arguments: arguments)
    }
}
