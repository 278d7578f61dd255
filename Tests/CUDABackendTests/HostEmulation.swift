/// Turns a kernel's text into C for the host, as described in `HostEmulation.h`, which the
/// stand-in driver uses too.
enum HostEmulation {
    private static let frame = String(decoding: PackageResources.HostEmulation_h, as: UTF8.self)
        .split(separator: "\nTHE KERNEL'S TEXT\n", maxSplits: 1).map(String.init)

    static func text(prelude: String, body: String, kernel: String) -> String {
        """
        \(frame[0])
        #define EMU_KERNEL \(kernel)
        #define EMU_BARRIERS \(body.contains("BARRIER") ? 1 : 0)
        \(prelude)
        \(body)
        \(frame[1])
        """
    }
}
