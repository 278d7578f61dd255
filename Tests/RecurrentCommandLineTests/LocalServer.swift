import Foundation

/// A web server on this machine's loopback address that answers each request with the
/// content for its path.
final class LocalServer: Sendable {
    struct Answer: Sendable {
        var status = "200 OK"
        var body = Data()
        /// The size that the header claims, or nil for the body's size.
        var claimedSize: Int?
    }

    let address: String
    private let descriptor: Int32

    init(_ answers: [String: Answer]) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, size) | listen(descriptor, 8) | getsockname(descriptor, address, &size)
            }
        }
        guard status == 0 else { throw POSIXError(.EADDRNOTAVAIL) }
        self.descriptor = descriptor
        self.address = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        Thread.detachNewThread {
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { return }
                Self.answer(connection, answers)
                close(connection)
            }
        }
    }

    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    private static func answer(_ connection: Int32, _ answers: [String: Answer]) {
        var request = [UInt8](repeating: 0, count: 1 << 14)
        let count = recv(connection, &request, request.count, 0)
        guard count > 0 else { return }
        let words = String(decoding: request[..<count], as: UTF8.self).split(separator: " ")
        let answer = words.count > 1 ? answers[String(words[1])] : nil
        let found = answer ?? Answer(status: "404 Not Found")
        let header =
            "HTTP/1.1 \(found.status)\r\nContent-Length: \(found.claimedSize ?? found.body.count)\r\nConnection: close\r\n\r\n"
        let bytes = Array(header.utf8) + Array(found.body)
        var done = 0
        while done < bytes.count {
            let sent = bytes[done...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            done += sent
        }
    }
}
