import BuiltInPlugins
import Foundation
import RecurrentCore
import RecurrentRuns
import Testing

/// What a message says about a mistake in a configuration file: the line, and the key as the file spells it.
struct ConfigurationMistakeTests {
    private static let start = "{\"version\": 2,\n"

    /// The texts follow the first line, which gives the version.
    @Test(arguments: [
        (#""seed": 1, "seed": 1}"#, #"line 2: "seed" is given twice, first in line 2; leave one out"#),
        (
            "\"model\": {\"layers\": 1,\n \"hiddenSize\": 9,\n \"hidden\\u0053ize\": 8}}",
            #"line 4: "model.hiddenSize" is given twice, first in line 3; leave one out"#
        ),
        ("\"cell\": {\"name\": \"gru\"},\n\"cell\": {\"name\": \"rnn\"}}", #"line 3: "cell" is given twice"#),
        (#""version": 2}"#, #"line 2: "version" is given twice, first in line 1"#),
        // Nothing stands for a value.
        (#""model": {"hiddenSize": null}}"#, #"line 2: "hiddenSize" must be a whole number, not null"#),
        (#""model": null}"#, #"line 2: "model" must be an object with options, not null"#),
        (#""seed": null}"#, #"line 2: "seed" must be a whole number from 0 to 18446744073709551615, not null"#),
        (#""dataset": null}"#, #"line 2: "dataset" must be an object such as {"name": "…"}, not null"#),
        (#""cell": {"name": null}}"#, #"line 2: "cell.name" must be a text, not null"#),
        (#""from": null}"#, #"line 2: "from" must be a text, not null"#),
        // Values of another type.
        (
            #""cell": {"name": "urnn", "activation": "abs"}}"#,
            #"line 2: "cell.activation" must be an object such as {"name": "abs"}, not the text "abs""#
        ),
        (
            #""training": {"learningRate": 1e999}}"#,
            #"line 2: "training.learningRate" must be a number that a Double can hold, not 1e999"#
        ),
        (#""training": []}"#, #"line 2: "training" must be an object with options, not a list"#),
        (
            #""training": {"epochs": {}}}"#,
            #"line 2: "training.epochs" must be a number, a text, true, false or a list"#
        ),
        (#""tracking": {"trackEpochs": [1, {}]}}"#, #"line 2: "tracking.trackEpochs" must be a list of numbers"#),
        // Names.
        (
            #""model": {"hidden_size": 8}}"#,
            #"line 2: there is no option "model.hidden_size"; did you mean 'hiddenSize'?"#
        ),
        (#""hidden_size": 8}"#, #"line 2: has an unknown section "hidden_size"; "hiddenSize" belongs in "model""#),
        (
            #""activation": {"name": "abs"}}"#,
            #"line 2: has an unknown section "activation"; "activation" belongs in "cell""#
        ),
        (#""start": {"name": "zero"}}"#, #""start" belongs in "manifold""#),
        (#""skewInit": {"name": "zero"}}"#, #"line 2: has an unknown section "skewInit"; it is "start" in "manifold""#),
        (#""model": {"epochs": 3}}"#, #"line 2: there is no option "model.epochs"; "epochs" belongs in "training""#),
        (#""training": {"lr": 1}}"#, #"line 2: there is no option "training.lr"; did you mean 'learningRate'?"#),
        (
            #""training": {"optimizer": {"name": "sgd"}}}"#,
            #"line 2: there is no option "training.optimizer"; "optimizer" belongs at the top level"#
        ),
        (#""manifold": {"start": {"name": "zero"}, "foo": 1}}"#, #"line 2: "manifold" has no "name""#),
        (#""": 1}"#, #"line 2: has an unknown section """#),
        // Whole numbers, and what stands for one.
        (#""seed": 1e400}"#, #""seed" must be a whole number from 0 to 18446744073709551615, not 1e400"#),
        (#""model": {"hiddenSize": 99999999999999999999}}"#, #""hiddenSize" must be at most 16777216, not 1e+20"#),
        (#""model": {"hiddenSize": 1e400}}"#, #""model.hiddenSize" must be in 1...16777216, not 1e400"#),
        (
            #""tracking": {"trackEpochs": 1}}"#,
            #"line 2: "trackEpochs" must be a list of whole numbers, each at least 1, not 1"#
        ),
        (
            #""tracking": {"trackEpochs": ["1"]}}"#,
            #""trackEpochs" must be a list of whole numbers, each at least 1, not the text "1""#
        ),
        (#""training": {"checkpointEvery": 500}}"#, #"must be a text (interval), such as "500", not 500"#),
        // Texts that aren't JSON.
        ("\"from\": \"a\tb\"}", #"line 2: a text has a control character, which must be escaped: \t"#),
        ("\"from\": \"a\u{1}b\"}", #"line 2: a text has a control character, which must be escaped: \u0001"#),
        (#""seed": 1,}"#, "line 2: nothing follows the comma before '}'"),
        (#""seed": 1"#, "line 2: the text ends where a comma or '}' is missing"),
        (#""model": {"layers" 1}}"#, "line 2: a colon is missing before '1'"),
        (#""cell": {} "seed": 1}"#, "line 2: a comma or '}' is missing before '\"'"),
        ("'seed': 1}", "line 2: a key in quotation marks is missing before '''"),
        (#""seed": NaN}"#, "line 2: 'NaN' isn't a value; a text stands in quotation marks"),
        (#""seed": 01}"#, "line 2: '01' isn't a value"),
        (#""seed": 1.}"#, "line 2: '1.' isn't a value"),
        (#""seed": .5}"#, "line 2: '.5' isn't a value"),
        (#""seed": +1}"#, "line 2: '+1' isn't a value"),
        (#""seed": -}"#, "line 2: '-' isn't a value"),
        (#""seed": 1e}"#, "line 2: '1e' isn't a value"),
        (#""seed": 1e+5x}"#, "line 2: '1e+5x' isn't a value"),
        (#""training": {"clipNorm": -1E+2}}"#, #""clipNorm" must be"#),
        (#""from": "x}"#, "line 2: a text has no closing quotation mark in its line"),
        (#""from": "\q"}"#, #"line 2: "\q" has an escape that JSON doesn't have"#),
        ("\"seed\": 1}\n}", "line 3: '}' after the end of the object"),
        ("\"from\": " + String(repeating: "[", count: 100_000), "line 2: is nested too deeply"),
    ])
    func theLineIsNamed(text: String, says: String) {
        let error = #expect(throws: RecurrentError.self) {
            try RunConfiguration(json: Data((Self.start + text).utf8), path: "c.json", registry: .builtIn)
        }
        #expect(error?.description.hasPrefix("c.json: ") == true)
        #expect(error?.description.contains(says) == true, "\(String(describing: error)), not \(says)")
    }

    @Test func otherTextsAreNoConfiguration() {
        let texts: [([UInt8], String)] = [
            ([0xFF, 0xFE, 0x7B], "isn't text in UTF-8"), ([], "the text ends where a value is missing"),
            (Array("{}".utf8), "it has no version; add \"version\": 2"),
            (Array("{\"version\": 2.5}".utf8), "\"version\" must be 2 or 1, not 2.5"),
            (Array("{\"version\": \"2\"}".utf8), "\"version\" must be 2 or 1, not the text \"2\""),
            (Array("{\"version\": [\"2\"]}".utf8), "\"version\" must be 2 or 1, not the list [\"2\"]"),
            (Array("{\"version\": true}".utf8), "\"version\" must be 2 or 1, not true"),
            (
                Array(#"{"version": 1, "optimizer": {"name": "sgd"}}"#.utf8),
                #"line 1: "optimizer" must be a text such as "sgd" in version 1, which is flat"#
            ),
            (
                Array(#"{"version": 1, "training": {"epochs": 3}}"#.utf8),
                #"line 1: "training" doesn't exist in version 1, which is flat: its options belong at the top level"#
            ),
        ]
        for (bytes, says) in texts {
            let error = #expect(throws: RecurrentError.self) { try RunConfiguration(json: Data(bytes), path: "c.json") }
            #expect(error?.description.contains(says) == true, "\(String(describing: error))")
        }
    }

    /// What a message quotes is cut, wherever it stands.
    @Test(arguments: [
        #""seed": @}"#, #""@": 1}"#, #""model": {"@": 1}}"#, #""model": {"hiddenSize": "@"}}"#,
        #""model": {"hiddenSize": @}}"#, #""model": {"dropoutOn": ["@"]}}"#, #""model": {"recurrentInit": "@"}}"#,
        #""cell": {"name": "@"}}"#, #""cell": {"name": "gru", "@": 1}}"#, #""training": {"learningRate": @}}"#,
        #""training": {"checkpointEvery": "@"}}"#, #""@": 1, "@": 2}"#, #""from": "\q@"}"#, #""seed": 0@}"#,
    ])
    func longValuesAreCut(text: String) throws {
        let folder = try TemporaryFolder(), long = String(repeating: "1", count: 5000)
        try (Self.start + text.replacing("@", with: long)).write(
            toFile: folder.file("c.json"), atomically: true, encoding: .utf8)
        let error = #expect(throws: RecurrentError.self) {
            try Registry.builtIn.configuration(file: folder.file("c.json"))
        }
        let message = try #require(error?.description.dropFirst(folder.path.count))
        #expect(message.hasPrefix("/c.json: line 2: ") && message.contains("11…") && message.count < 200, "\(message)")
    }

    /// A byte-order mark, blanks and escapes are no mistakes.
    @Test func unusualTextsAreRead() throws {
        let text =
            "\u{FEFF} {\r\n\t\"version\" : 2, \"s\\u0065ed\":3, \"tracking\":{\"trackEpochs\":[ ]},\"from\":\"a\\\"b\" } \n"
        let read = try RunConfiguration(json: Data(text.utf8), path: "c.json")
        #expect(read.seed == 3 && read.from == "a\"b")
    }
}
