/// The memory on the host through which a backend's numbers are sent to other ranks: the backend's own memory where that
/// is the host's, otherwise a copy. On GPUs of one machine, a communicator that knows about devices would spare the copy.
final class HostMirror {
    private let backend: any Backend
    private let view: MatrixView
    private let address: UnsafeMutableRawPointer
    private let isOwn: Bool
    private let stride: Int

    /// Creates the mirror of packed numbers, [1, n].
    init(_ view: MatrixView, on backend: any Backend) {
        precondition(view.isPacked)
        self.view = view
        self.backend = backend
        stride = backend.scalarType == .float32 ? 4 : 8
        if let memory = view.memory.hostAddress {
            address = memory + view.offset * stride
            isOwn = false
        } else {
            address = .allocate(byteCount: max(view.count * stride, 1), alignment: 64)
            isOwn = true
        }
    }

    deinit { if isOwn { address.deallocate() } }

    /// Returns where some of the elements lie on the host.
    func place(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: address + range.lowerBound * stride, count: range.count * stride)
    }

    /// Copies elements from the backend, if they lie elsewhere, and waits until they are there.
    func download(_ ranges: [Range<Int>]) {
        guard isOwn else { return backend.synchronize() }
        for range in ranges {
            switch backend.scalarType {
            case .float32:
                backend.download(view.memory, offset: view.offset + range.lowerBound, into: values(range, Float.self))
            case .float64:
                backend.download(view.memory, offset: view.offset + range.lowerBound, into: values(range, Double.self))
            }
        }
    }

    /// Copies elements to the backend, if they lie elsewhere.
    func upload(_ ranges: [Range<Int>]) {
        guard isOwn else { return }
        for range in ranges {
            switch backend.scalarType {
            case .float32:
                backend.upload(
                    UnsafeBufferPointer(values(range, Float.self)), to: view.memory,
                    offset: view.offset + range.lowerBound)
            case .float64:
                backend.upload(
                    UnsafeBufferPointer(values(range, Double.self)), to: view.memory,
                    offset: view.offset + range.lowerBound)
            }
        }
    }

    private func values<S: HostScalar>(_ range: Range<Int>, _: S.Type) -> UnsafeMutableBufferPointer<S> {
        place(range).bindMemory(to: S.self)
    }
}
