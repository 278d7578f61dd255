// Serves texts that a saved language model writes, token by token, 1,000 at once:
//
//     swift run -c release StreamingApp runs/ugru 8080
//     curl -N 'http://localhost:8080/text?prompt=the&words=50&seed=2'
import BuiltInPlugins
import FlyingFox
import FlyingSocks
import Foundation
import RecurrentCore
import RecurrentRuns

@main
struct Main {
    static func main() async {
        do {
            let arguments = CommandLine.arguments
            guard arguments.count == 3, let port = UInt16(arguments[2]) else {
                throw RecurrentError.invalidOption("usage: StreamingApp <run> <port>")
            }
            let model = try TrainedModel.load(arguments[1], registry: .builtIn)
            guard let vocabulary = model.vocabulary else {
                throw RecurrentError.invalidOption("\(arguments[1]) holds no language model")
            }
            let service = try TextService(model, streams: 1000)
            let server = HTTPServer(port: port, logger: .disabled)
            await server.appendRoute("GET /text") { try await text($0, service, vocabulary) }
            print("http://localhost:\(port)/text?prompt=the&words=50")
            try await server.run()
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            exit(1)
        }
    }

    static func text(_ request: HTTPRequest, _ service: TextService, _ vocabulary: Vocabulary) async throws
        -> HTTPResponse
    {
        let query = Dictionary(request.query.map { ($0.name, $0.value) }) { $1 }
        do {
            let prompt = try [vocabulary.endOfLine ?? 0] + vocabulary.ids(of: query["prompt"] ?? "")
            guard let count = Int(query["words"] ?? "100"), (1...10_000).contains(count) else {
                throw RecurrentError.invalidOption("words must be in 1...10000")
            }
            guard let temperature = Double(query["temperature"] ?? "1"), let seed = UInt64(query["seed"] ?? "1") else {
                throw RecurrentError.invalidOption("temperature must be a number, and seed a whole number from 0 on")
            }
            let tokens = try await service.tokens(
                after: prompt, count: count, sampling: Sampling(temperature: temperature), seed: seed)
            return HTTPResponse(
                statusCode: .ok, body: HTTPBodySequence(from: TextBytes(tokens: tokens, vocabulary: vocabulary)))
        } catch let error as RecurrentError {
            return HTTPResponse(statusCode: .badRequest, body: Data("\(error)\n".utf8))
        }
    }
}

/// The text of tokens, sent token by token.
struct TextBytes: AsyncBufferedSequence {
    let tokens: AsyncThrowingStream<Int, any Error>
    let vocabulary: Vocabulary
    func makeAsyncIterator() -> Iterator { Iterator(tokens: tokens.makeAsyncIterator(), vocabulary: vocabulary) }

    struct Iterator: AsyncBufferedIteratorProtocol {
        var tokens: AsyncThrowingStream<Int, any Error>.Iterator
        let vocabulary: Vocabulary
        var isAtLineStart = true

        mutating func next() async throws -> UInt8? { try await nextBuffer(suggested: 1)?.first }
        mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
            guard let token = try await tokens.next() else { return nil }
            defer { isAtLineStart = token == vocabulary.endOfLine }
            return Array(vocabulary.text(of: token, isAtLineStart: isAtLineStart).utf8)
        }
    }
}
