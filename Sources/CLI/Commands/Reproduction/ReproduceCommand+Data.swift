import Foundation
import RecurrentCore
import RecurrentReproduction
import RecurrentRuns

/// The folders of the data that experiments are trained on.
extension ReproduceCommand {
    /// The folder of the images of digits, of which a report needs no more than that there are some.
    var images: String? {
        let folder = ProcessInfo.processInfo.environment["MNIST_DIR"] ?? ""
        return folder.isEmpty ? (reportOnly ? "the images that each run names" : nil) : folder
    }

    /// Checks that there is a folder of images.
    func checkImages() throws {
        var isFolder: ObjCBool = false
        let path = images ?? ""
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            throw RecurrentError.dataset(
                "there is no folder '\(path)'; MNIST_DIR names one with images of digits (`scripts/mnist-subset` makes it), or is unset to leave them out"
            )
        }
    }

    /// Returns how the commands in a report show the folders of the data.
    func aliases(_ plan: Plan) -> [String: String] {
        [plan.corpus: plan.corpusShown].merging(plan.images.map { [$0: "$MNIST_DIR"] } ?? [:]) { corpus, _ in corpus }
    }

    /// Returns the folder of the corpus, and how a report shows it; generated text, if none is given at scale smoke.
    func corpus(in folder: String) throws -> (folder: String, shown: String) {
        let given = data ?? ProcessInfo.processInfo.environment["PTB_DIR"]
        if let given, !given.isEmpty {
            let path = URL(fileURLWithPath: given).standardizedFileURL.path
            guard FileManager.default.fileExists(atPath: path) else {
                throw RecurrentError.dataset(
                    "there is no folder '\(given)'; --data (or $PTB_DIR) names the one with ptb.train.txt")
            }
            return (path, data ?? "$PTB_DIR")
        }
        guard scale.lowercased() == Scale.smoke.rawValue else {
            throw RecurrentError.invalidOption(
                "the language models need the Penn Treebank at this scale; give --data FOLDER (or set PTB_DIR) with ptb.train.txt, ptb.valid.txt and ptb.test.txt"
            )
        }
        let path = folder + "/corpus"
        try MiniCorpus.write(into: path)
        return (path, "corpus")
    }
}
