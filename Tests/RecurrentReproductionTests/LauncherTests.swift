import RecurrentCore
import RecurrentReproduction
import Testing

struct LauncherTests {
    @Test(arguments: [
        ("srun -n1 -c2", ["srun", "-n1", "-c2"]), (" a\tb\n", ["a", "b"]), ("", []), ("'' \"\"", ["", ""]),
        ("sh -c 'exec \"$@\"' sh", ["sh", "-c", "exec \"$@\"", "sh"]), ("a\\ b", ["a b"]), ("x'y z'\"w\"", ["xy zw"]),
        ("\"a \\\"b\\\" \\c\"", ["a \"b\" \\c"]), ("'a\\'", ["a\\"]), ("\"it's\"", ["it's"]),
    ])
    func wordsAreThoseOfAShell(text: String, words: [String]) throws { #expect(try Launcher.split(text) == words) }

    @Test(arguments: [
        ("srun 'x", "has a ' that isn't closed"), ("a \"b", "has a \" that isn't closed"), ("a\\", "backslash"),
        (" ", "names no command"), ("''", "no program ''"), ("no-such-launcher -n1", "no program 'no-such-launcher'"),
        ("/no/such -n1", "no program '/no/such';"), ("/tmp", "no program '/tmp'"),
    ])
    func whatCantStartAnythingIsRefused(text: String, part: String) {
        let error = #expect(throws: RecurrentError.self) { try Launcher(text) }
        guard case .invalidOption(let message)? = error else { return #expect(Bool(false), "\(error as Any)") }
        #expect(message.contains(part), "\(message)")
    }
}
