// Serves texts that a saved language model writes, token by token:
//
//     swift run -c release StreamingApp runs/ugru 8080
//     curl -N 'http://localhost:8080/text?prompt=the&words=50'
import BuiltInPlugins
import FlyingFox
import FlyingSocks
import Foundation
import RecurrentCore
import RecurrentRuns

@main
struct Main {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let port = UInt16(arguments[2]) else {
            FileHandle.standardError.write(Data("usage: StreamingApp <run> <port>\n".utf8))
            exit(64)
        }
        do {
            let model = try TrainedModel.load(arguments[1], registry: .builtIn)
            guard let vocabulary = model.vocabulary else {
                throw RecurrentError.invalidOption("\(arguments[1]) holds no language model")
            }
            let writer = try Writer(model, vocabulary: vocabulary, streams: 1000)
            let server = HTTPServer(port: port)
            await server.appendRoute("GET /text") { request in try await text(request, writer) }
            try await server.run()
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            exit(1)
        }
    }

    static func text(_ request: HTTPRequest, _ writer: Writer) async throws -> HTTPResponse {
        let query = Dictionary(request.query.map { ($0.name, $0.value) }) { $1 }
        do {
            let prompt = try writer.vocabulary.ids(of: query["prompt"] ?? "")
            let sampling = try Sampling(temperature: Double(query["temperature"] ?? "1") ?? .nan)
            guard let words = Int(query["words"] ?? "100"), (1...10_000).contains(words) else {
                throw RecurrentError.invalidOption("words must be in 1...10000")
            }
            let tokens = try await writer.tokens(after: prompt, count: words, sampling: sampling)
            return HTTPResponse(statusCode: .ok, body: HTTPBodySequence(from: Bytes(tokens, writer.vocabulary)))
        } catch let error as RecurrentError {
            return HTTPResponse(statusCode: .badRequest, body: Data("\(error)\n".utf8))
        } catch is Writer.Busy {
            return HTTPResponse(statusCode: .serviceUnavailable, body: Data("1000 texts are being written\n".utf8))
        }
    }
}

/// The text of tokens, a chunk for each of them.
struct Bytes: AsyncBufferedSequence {
    typealias Element = UInt8
    private let tokens: AsyncStream<Int>, vocabulary: Vocabulary

    init(_ tokens: AsyncStream<Int>, _ vocabulary: Vocabulary) { (self.tokens, self.vocabulary) = (tokens, vocabulary) }

    struct AsyncIterator: AsyncBufferedIteratorProtocol {
        var tokens: AsyncStream<Int>.Iterator
        let vocabulary: Vocabulary
        var isAtLineStart = true

        mutating func nextBuffer(suggested count: Int) async -> [UInt8]? {
            guard let token = await tokens.next() else { return nil }
            let piece = vocabulary.text(of: token, isAtLineStart: isAtLineStart)
            isAtLineStart = token == vocabulary.endOfLine
            return Array(piece.utf8)
        }
        mutating func next() async -> UInt8? { preconditionFailure("bytes are read in chunks") }
    }
    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(tokens: tokens.makeAsyncIterator(), vocabulary: vocabulary)
    }
}
