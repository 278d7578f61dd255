import Foundation
public enum AtomicFile { public static func write(_ d: Data, to path: String) throws { try d.write(to: URL(fileURLWithPath: path)) } }
extension SequenceModel { public func save(to p: String) throws {} ; public func load(from p: String) throws {} }
